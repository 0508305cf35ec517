// Sizes and rates as they are drawn, in the console and on the page of a share: in steps of 1000, as file managers and networks count.

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

/** `locale`: the reader's where it is absent. `each`: for a rate. */
export function shownSize(bytes: number, locale?: string, each: '' | '-per-second' = ''): string {
  let value = bytes;
  let step = 0;
  // 999.5 would be shown as 1,000.
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: `${units[step]}${each}`,
    // "0 bytes", "17 bytes", but "17 kB".
    unitDisplay: step === 0 && each === '' ? 'long' : 'short',
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2,
  }).format(value);
}
