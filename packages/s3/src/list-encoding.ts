// `encoding-type=url`: keys in listings percent-encoded, because XML 1.0 cannot carry every character that a key may hold.
// UTF-8 bytes, unreserved characters and `/` as they are. A blank is `%20` where AWS writes `+`: clients that decode forms
// and clients that decode URLs both understand it.

import { S3Error } from './errors.ts';

/** The encodings of keys in a listing that a client can ask for. */
export type EncodingType = 'url';

/** Reads the `encoding-type` parameter. @throws S3Error `InvalidArgument` when it is anything but `url`. */
export function parseEncodingType(value: string | undefined): EncodingType | undefined {
  if (value === undefined || value === '') return undefined;
  if (value.toLowerCase() === 'url') return 'url';
  throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', {
    details: { ArgumentName: 'encoding-type', ArgumentValue: value },
  });
}

/** A key, prefix, delimiter or marker as the listing shows it. */
export function encodeListed(text: string, encoding: EncodingType | undefined): string {
  if (encoding === undefined || /^[A-Za-z0-9/_.*-]*$/.test(text)) return text;
  return encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
