// Moments and spans in the reader's language.

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Near the present in words ("5 minutes ago", "yesterday"), further away as a date. */
export function formatMoment(iso: string, nowMs: number, locale?: string): string {
  const atMs = Date.parse(iso);
  const agoMs = nowMs - atMs;
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  if (agoMs < minuteMs && agoMs > -minuteMs) return words.format(0, 'second');
  if (agoMs >= 0 && agoMs < 60 * minuteMs) return words.format(-Math.floor(agoMs / minuteMs), 'minute');
  const days = dayNumber(nowMs) - dayNumber(atMs);
  if (days === 0) return new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).format(atMs);
  if (days === 1) return words.format(-1, 'day');
  const sameYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear();
  const year = sameYear ? {} : ({ year: 'numeric' } as const);
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', ...year }).format(atMs);
}

export function formatExactMoment(iso: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' }).format(Date.parse(iso));
}

/** When something ends: the day is said only where it is not today. */
export function formatDeadline(iso: string, nowMs: number, locale?: string): string {
  const atMs = Date.parse(iso);
  const today = dayNumber(atMs) === dayNumber(nowMs);
  return new Intl.DateTimeFormat(
    locale,
    today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' },
  ).format(atMs);
}

/** "8 sec", "3 min", "2 hr": as exact as an estimate deserves. */
export function formatSpan(seconds: number, locale?: string): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const [value, unit] =
    whole < 60
      ? [whole, 'second']
      : whole < 3600
        ? [Math.ceil(whole / 60), 'minute']
        : [Math.ceil(whole / 3600), 'hour'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}

/** Counts local calendar days, so that "yesterday" is the day before and not 24 hours ago. */
function dayNumber(ms: number): number {
  const date = new Date(ms);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / dayMs);
}
