// Object metadata: the system-defined headers that S3 keeps and gives back, and the user's own x-amz-meta-* headers.
// Source: "Working with object metadata" of the S3 user guide. Storage class is storage-class.ts; encryption is not here.

import { S3Error } from './errors.ts';
import type { RequestHeaders, RequestQuery } from './request-parts.ts';

/** What a client says of an object, kept with it. */
export interface ObjectMetadata {
  /** System-defined headers by lower-case name; `content-type` is always there. */
  readonly systemMetadata: Readonly<Record<string, string>>;
  /** User-defined metadata by lower-case name, without the prefix; values as Unicode text. */
  readonly userMetadata: Readonly<Record<string, string>>;
}

/** The headers that are kept, and the query parameter that replaces each in one answer. */
const systemHeaders = {
  'cache-control': { override: 'response-cache-control' },
  'content-disposition': { override: 'response-content-disposition' },
  'content-encoding': { override: 'response-content-encoding' },
  'content-language': { override: 'response-content-language' },
  'content-type': { override: 'response-content-type' },
  expires: { override: 'response-expires' },
  'x-amz-website-redirect-location': {},
} as const satisfies Readonly<Record<string, { readonly override?: string }>>;

const userPrefix = 'x-amz-meta-';

/** "The user-defined metadata is limited to 2 KB in size", names and values together, in UTF-8. */
const maxUserMetadataBytes = 2048;

const defaultContentType = 'binary/octet-stream';

/** Reads the metadata that an upload carries. @throws S3Error `MetadataTooLarge`. */
export function parseObjectMetadata(headers: RequestHeaders): ObjectMetadata {
  const systemMetadata: Record<string, string> = {};
  const userMetadata: Record<string, string> = Object.create(null);
  let userBytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (name.startsWith(userPrefix)) {
      const userName = name.slice(userPrefix.length);
      const text = decodeUserValue(value);
      userMetadata[userName] = text;
      userBytes += Buffer.byteLength(userName) + Buffer.byteLength(text);
    } else if (Object.hasOwn(systemHeaders, name)) {
      const kept = name === 'content-encoding' ? withoutAwsChunked(value) : value;
      if (kept !== '') systemMetadata[name] = kept;
    }
  }
  systemMetadata['content-type'] ??= defaultContentType;
  if (userBytes > maxUserMetadataBytes) {
    throw new S3Error('MetadataTooLarge', undefined, {
      details: { Size: String(userBytes), MaxSizeAllowed: String(maxUserMetadataBytes) },
    });
  }
  return { systemMetadata, userMetadata: { ...userMetadata } };
}

/** The headers that give metadata back: names and values in turn. Overrides replace system-defined headers. */
export function metadataHeaders(metadata: ObjectMetadata, overrides: ResponseOverrides = noOverrides): string[] {
  const headers: string[] = [];
  const { systemMetadata, userMetadata } = metadata;
  for (const name in systemMetadata) {
    const value = systemMetadata[name];
    if (value !== undefined && overrides[name] === undefined) headers.push(name, value);
  }
  for (const name in overrides) {
    const value = overrides[name];
    if (value !== undefined) headers.push(name, value);
  }
  for (const name in userMetadata) {
    const value = userMetadata[name];
    if (value !== undefined) headers.push(userPrefix + name, encodeUserValue(value));
  }
  return headers;
}

/** Header values for one answer, by lower-case header name. */
export type ResponseOverrides = Readonly<Record<string, string>>;

const noOverrides: ResponseOverrides = {};

const overrideHeaders: ReadonlyMap<string, string> = new Map(
  Object.entries(systemHeaders).flatMap(([header, row]) => ('override' in row ? [[row.override, header]] : [])),
);

/**
 * Reads the `response-…` parameters of a GET or HEAD. Only signed requests may use them; that is for the caller to ask.
 * @throws S3Error `InvalidArgument` for a value that no header can carry: a line break would be header injection.
 */
export function parseResponseOverrides(query: RequestQuery): ResponseOverrides {
  let overrides: Record<string, string> | undefined;
  for (const [name, value] of query) {
    const header = overrideHeaders.get(name);
    if (header === undefined || overrides?.[header] !== undefined) continue;
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new S3Error('InvalidArgument', 'Header value cannot be represented using ISO-8859-1.', {
        details: { ArgumentName: name, ArgumentValue: value },
      });
    }
    overrides ??= {};
    overrides[header] = value;
  }
  return overrides ?? noOverrides;
}

/** `aws-chunked` is how the body travelled, not how the object is encoded. */
function withoutAwsChunked(value: string): string {
  if (!value.toLowerCase().includes('aws-chunked')) return value;
  const codings = value.split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked').join(',');
}

/**
 * "Values of such headers are character decoded as per RFC 2047 before storing". Clients that send bytes beyond ASCII bare
 * mean UTF-8 where that fits, else ISO 8859-1.
 */
function decodeUserValue(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value.includes('=?') ? decodeEncodedWords(value) : value;
  const bytes = Buffer.from(value, 'latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return value; // Not UTF-8: one character for each byte is ISO 8859-1 already.
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** RFC 2047 section 2; white space between two encoded words is no part of the text (section 6.2). */
function decodeEncodedWords(value: string): string {
  return value
    .replace(/(=\?[^? ]+\?[BbQq]\?[^? ]*\?=)[ \t]+(?==\?[^? ]+\?[BbQq]\?[^? ]*\?=)/g, '$1')
    .replace(
      /=\?([A-Za-z0-9-]+)\?([BbQq])\?([^? ]*)\?=/g,
      (word: string, charset: string, encoding: string, text: string) => {
        const lowerCharset = charset.toLowerCase();
        if (!['utf-8', 'iso-8859-1', 'us-ascii'].includes(lowerCharset)) return word;
        const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : decodeQ(text);
        return bytes.toString(lowerCharset === 'utf-8' ? 'utf8' : 'latin1');
      },
    );
}

function decodeQ(text: string): Buffer {
  const unescaped = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(unescaped, 'latin1');
}

/** "…and encoded as per RFC 2047 to make them mail-safe before returning." ASCII is given back as it is. */
function encodeUserValue(value: string): string {
  return /^[\t\x20-\x7e]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;
}
