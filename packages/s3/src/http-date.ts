// HTTP dates: RFC 9110 section 5.6.7. Writes IMF-fixdate; reads that and the two obsolete forms, which recipients must take.
// Precision is one second. boto3 writes its Date header as email does, with `-0000` for GMT (RFC 5322): that is read too.

import { httpDateText } from './moment-texts.ts';

/** `Sun, 06 Nov 1994 08:49:37 GMT` for a moment; fractions of a second are dropped. */
export function formatHttpDate(timeMs: number): string {
  return httpDateText(timeMs);
}

/** Milliseconds since 1970 of an HTTP date, or `undefined` when it is none: conditions with such a date are ignored. */
export function parseHttpDate(text: string): number | undefined {
  const fields = (imfFixdate.exec(text) ?? rfc850Date.exec(text) ?? asctimeDate.exec(text))?.groups;
  if (fields?.year === undefined) return undefined;
  // RFC 850 has two digits for the year. Nothing here is older than 1970, so those below 70 are of this century.
  const year = Number(fields.year);
  return moment(fields, fields.year.length === 4 ? year : year + (year < 70 ? 2000 : 1900));
}

const time = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';
const imfFixdate = new RegExp(
  `^[A-Z][a-z]{2}, (?<day>\\d{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${time} (?:GMT|[+-]0000)$`,
);
const rfc850Date = new RegExp(`^[A-Z][a-z]{5,8}, (?<day>\\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\\d{2}) ${time} GMT$`);
const asctimeDate = new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`);
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function moment(fields: Readonly<Record<string, string | undefined>>, year: number): number | undefined {
  const [day, hour, minute, second] = [fields.day, fields.hour, fields.minute, fields.second].map(Number);
  const month = months.indexOf(fields.month ?? '');
  if (day === undefined || hour === undefined || minute === undefined || second === undefined || month < 0) return;
  // 60 is a leap second (RFC 5322 section 3.3), taken for the second after it.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const timeMs = Date.UTC(year, month, day, hour, minute, second);
  const isCalendarDay = new Date(Date.UTC(year, month, day)).getUTCDate() === day;
  return isCalendarDay ? timeMs : undefined;
}
