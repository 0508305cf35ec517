// The query of a request: decoded pairs in the order sent, and how handlers read them.
// `+` is a blank, as in forms; a parameter without `=` has the value ''. Repeated parameters: the first one counts.

import { type RequestQuery, S3Error } from '@stowage/s3';
import { decodePath } from './locate.ts';

const noQuery: RequestQuery = [];

/** Parses what follows the `?`. @throws S3Error `InvalidURI`. */
export function parseQuery(raw: string): RequestQuery {
  if (raw === '') return noQuery;
  const pairs: [string, string][] = [];
  for (const part of raw.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals === -1) pairs.push([decode(part), '']);
    else pairs.push([decode(part.slice(0, equals)), decode(part.slice(equals + 1))]);
  }
  return pairs;
}

function decode(text: string): string {
  if (!text.includes('%')) return decodePath(text.includes('+') ? text.replaceAll('+', ' ') : text);
  // Of a presigned query only the credential is encoded, and a client has one for all its requests of a day.
  if (text !== latest.encoded) {
    latest.decoded = decodePath(text.replaceAll('+', ' '));
    latest.encoded = text;
  }
  return latest.decoded;
}

const latest = { encoded: '', decoded: '' };

/** The value of a parameter, or `undefined` when it was not sent. */
export function queryValue(query: RequestQuery, name: string): string | undefined {
  for (const [candidate, value] of query) if (candidate === name) return value;
  return undefined;
}

/**
 * A number of a listing's page such as `max-keys`: absent or empty gives `maximum`, more than `maximum` is `maximum`.
 * @throws S3Error `InvalidArgument` when it is not a number, or below zero.
 */
export function queryPageSize(query: RequestQuery, name: string, maximum: number): number {
  const text = queryValue(query, name);
  if (text === undefined || text === '') return maximum;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fff_ffff) {
    throw new S3Error('InvalidArgument', `Argument ${name} must be an integer between 0 and 2147483647`, {
      details: { ArgumentName: name, ArgumentValue: text },
    });
  }
  return Math.min(Number(text), maximum);
}
