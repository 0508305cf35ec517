// How SigV4 writes a moment: ISO 8601 basic, `20130524T000000Z`. HTTP dates, which the Date header may hold, are
// http-date.ts. Moments before 1970 are not understood: S3 refuses them as no valid date.

/** Milliseconds since 1970 of `20130524T000000Z`, or `undefined` when it is no such date. */
export function parseTimestamp(text: string): number | undefined {
  // Requests that come together were signed in the same second.
  if (text !== latestText) {
    latestMs = readTimestamp(text);
    latestText = text;
  }
  return latestMs;
}

let latestText = '';
let latestMs: number | undefined;

function readTimestamp(text: string): number | undefined {
  if (text.length !== 16 || text[8] !== 'T' || text[15] !== 'Z') return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 4, 6);
  const day = digits(text, 6, 8);
  const hour = digits(text, 9, 11);
  const minute = digits(text, 11, 13);
  const second = digits(text, 13, 15);
  return moment(year, month, day, hour, minute, second);
}

/** `20130524T000000Z` for a moment; fractions of a second are dropped. */
export function formatTimestamp(timeMs: number): string {
  // toISOString is `2013-05-24T00:00:00.000Z` for every year from 0 to 9999.
  const iso = new Date(timeMs).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

/** ISO 8601 in UTC, as S3's error documents and policies write it: `2013-05-24T00:00:00Z`. */
export function formatIsoSeconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** The number that digits of `text` make; NaN when one is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function moment(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  // Written so that NaN fails every comparison.
  const inRange = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59;
  if (!inRange || !(day <= daysInMonth(year, month))) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
