// Sizes and rates in the reader's language, in steps of 1000 as file managers and networks count.

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

export function formatBytes(bytes: number, locale?: string): string {
  return format(bytes, locale, '');
}

export function formatRate(bytesPerSecond: number, locale?: string): string {
  return format(bytesPerSecond, locale, '-per-second');
}

function format(bytes: number, locale: string | undefined, suffix: '' | '-per-second'): string {
  let value = bytes;
  let step = 0;
  // 999.5 would be shown as 1,000.
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: `${units[step]}${suffix}`,
    // "0 bytes", "17 bytes", but "17 kB".
    unitDisplay: step === 0 && suffix === '' ? 'long' : 'short',
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2,
  }).format(value);
}
