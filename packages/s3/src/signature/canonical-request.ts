// The canonical request and the string to sign: the text that both sides must build alike.
// Spec: "Create a signed AWS API request", steps 1 to 3, with S3's two exceptions: the path is encoded once and is not
// normalised (`//` and `..` are part of a key).

import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { RequestHeaders, RequestQuery } from '../request-parts.ts';
import { signatureAlgorithm } from './authentication.ts';

/** What a canonical request is made of. */
interface CanonicalParts {
  readonly method: string;
  /** In canonical encoding. */
  readonly path: string;
  /** In canonical encoding and order. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** Lower-case names joined by `;`, in the order signed. */
  readonly signedHeaders: string;
  /** The value that stands for the body. */
  readonly payload: string;
}

/** The canonical request. A header that is signed but absent stands there with an empty value. */
export function canonicalRequest(parts: CanonicalParts): string {
  const { signedHeaders } = parts;
  let headers = '';
  for (let start = 0; start <= signedHeaders.length; ) {
    const semicolon = signedHeaders.indexOf(';', start);
    const end = semicolon === -1 ? signedHeaders.length : semicolon;
    const name = signedHeaders.slice(start, end);
    headers += `${name}:${canonicalValue(parts.headers[name])}\n`;
    start = end + 1;
  }
  return `${parts.method}\n${parts.path}\n${parts.query}\n${headers}\n${signedHeaders}\n${parts.payload}`;
}

/** The text whose HMAC is the signature. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `${signatureAlgorithm}\n${timestamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`;
}

/**
 * A path as received, in canonical encoding: unreserved characters and `/` as they are, every other byte as `%XX`. `+`
 * is a plus, not a blank. Clients that leave out or overdo escapes sign this form all the same.
 */
export function canonicalPath(rawPath: string): string {
  if (plainPath.test(rawPath)) return rawPath;
  return rawPath.replace(escapeOrReserved, (found) => {
    const byte = found.length === 3 ? Number.parseInt(found.slice(1), 16) : found.charCodeAt(0);
    const character = String.fromCharCode(byte);
    if (plainPath.test(character)) return character;
    // Above 255 there is no byte; node:http never gives such a path.
    return byte > 255 ? uriEncode(found) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** The query in canonical encoding, by name and then by value. `leaveOut` names a parameter that is not signed. */
export function canonicalQuery(query: RequestQuery, leaveOut?: string): string {
  if (query.length === 0) return '';
  const pairs: Pair[] = [];
  let isSorted = true;
  for (const [name, value] of query) {
    if (name === leaveOut) continue;
    const pair: Pair = [uriEncode(name), uriEncode(value)];
    const before = pairs.at(-1);
    if (before !== undefined && comparePairs(before, pair) > 0) isSorted = false;
    pairs.push(pair);
  }
  // Most clients send the order that they sign.
  if (!isSorted) pairs.sort(comparePairs);
  let text = '';
  for (const [name, value] of pairs) text += text === '' ? `${name}=${value}` : `&${name}=${value}`;
  return text;
}

type Pair = readonly [name: string, value: string];

/** Percent-encodes everything but `A-Z a-z 0-9 - . _ ~`. A lone surrogate becomes U+FFFD, which no signer ever signed. */
export function uriEncode(text: string): string {
  if (unreserved.test(text)) return text;
  // Of a presigned query only the credential needs encoding, and a client has one for all its requests of a day.
  if (text !== latest.text) {
    latest.encoded = encodeURIComponent(text.toWellFormed()).replace(leftByEncodeUriComponent, (character) => {
      return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
    });
    latest.text = text;
  }
  return latest.encoded;
}

const latest = { text: '', encoded: '' };

/** Percent-encodes a path whose text is known, `/` kept: `/bucket/a b` becomes `/bucket/a%20b`. */
export function uriEncodePath(path: string): string {
  if (plainPath.test(path)) return path;
  return uriEncode(path).replaceAll('%2F', '/');
}

const unreserved = /^[\w.~-]*$/;
const plainPath = /^[\w.~/-]*$/;
const escapeOrReserved = /%[0-9a-fA-F]{2}|[^\w.~/-]/gu;
const leftByEncodeUriComponent = /[!'()*]/g;
/** Visible ASCII with single blanks between: a value that stands in the canonical request as it came. */
const plainValue = /^[!-~]+(?: [!-~]+)*$/;
const needsTrimming = /^\s|\s$|\s\s|[\t\n\v\f\r]/;
const nonAscii = /[\x80-\xff]/;

function comparePairs(a: Pair, b: Pair): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  return 0;
}

/** "Convert sequential spaces to a single space", and none at the ends. */
function canonicalValue(value: string | undefined): string {
  // A name from the wire may also be that of something every object has, such as `constructor`.
  if (typeof value !== 'string') return '';
  if (plainValue.test(value)) return value;
  const trimmed = needsTrimming.test(value) ? value.trim().replace(/\s+/g, ' ') : value;
  return nonAscii.test(trimmed) ? headerText(trimmed) : trimmed;
}

/**
 * The text of a header's bytes. Signers sign the UTF-8 of the text, but what they send depends on their HTTP library:
 * UTF-8 (Go, Rust, Java) or Latin-1 (Python, Node). Bytes that are not UTF-8 are therefore taken for Latin-1.
 */
function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const isBytes = bytes.toString('latin1') === value;
  return isBytes && isUtf8(bytes) ? bytes.toString('utf8') : value;
}
