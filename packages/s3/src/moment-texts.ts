// The two texts of a moment that S3 writes by the thousand: an HTTP date (RFC 9110) and ISO 8601 in milliseconds. The part
// that is the same all day is made once a day, not once a moment: a page of a listing has a thousand of them, and Date's own
// formatting was a sixth of its cost. Moments before 1970 are left to Date.

const dayMs = 86_400_000;

/** `Sun, 06 Nov 1994 08:49:37 GMT`; fractions of a second are dropped. */
export function httpDateText(timeMs: number): string {
  if (!(timeMs >= 0)) return new Date(timeMs).toUTCString();
  enterDay(timeMs);
  const second = Math.floor((timeMs % dayMs) / 1000);
  return `${day.http}${clockText(second)} GMT`;
}

/** `2009-10-12T17:50:30.000Z`. */
export function isoTimeText(timeMs: number): string {
  if (!(timeMs >= 0)) return new Date(timeMs).toISOString();
  enterDay(timeMs);
  const inDay = Math.floor(timeMs % dayMs);
  const second = Math.floor(inDay / 1000);
  return `${day.iso}${clockText(second)}.${threeDigits[inDay - second * 1000]}Z`;
}

/** The day whose texts are at hand. */
const day = { number: -1, http: '', iso: '' };

/** @throws RangeError when no date is so far away. */
function enterDay(timeMs: number): void {
  const number = Math.floor(timeMs / dayMs);
  if (number === day.number) return;
  const midnight = new Date(number * dayMs);
  day.iso = midnight.toISOString().slice(0, -'00:00:00.000Z'.length);
  day.http = midnight.toUTCString().slice(0, -'00:00:00 GMT'.length);
  day.number = number;
}

const twoDigits: readonly string[] = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const threeDigits: readonly string[] = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));

function clockText(secondOfDay: number): string {
  const minute = Math.floor(secondOfDay / 60);
  const hour = Math.floor(minute / 60);
  return `${twoDigits[hour]}:${twoDigits[minute - hour * 60]}:${twoDigits[secondOfDay - minute * 60]}`;
}
