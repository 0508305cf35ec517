// What a request is about: the bucket and the key that its Host header and its path name.
// Spec: "Methods for accessing a bucket" of the S3 user guide, path style and virtual-host style. `bucket.<domain>` names the
// bucket in the host for every domain served; `localhost` is always one, because the SDKs use the virtual-host style there.
// Keys are text of 1 to 1,024 UTF-8 bytes and never paths: `..`, `//` and `a/` are keys like any other.

import { S3Error } from '@stowage/s3';

/** Empty bucket: the service itself. Empty key: the bucket itself. */
export interface Address {
  readonly bucket: string;
  readonly key: string;
}

export interface LocateOptions {
  /** Lower-case, without port. */
  readonly domains: readonly string[];
  readonly maxKeyBytes: number;
}

/**
 * Splits a request's path into bucket and key. `rawPath` is percent-encoded and begins with `/`.
 * @throws S3Error `InvalidURI` for bad percent-encoding or bytes that are no UTF-8, `KeyTooLongError`.
 */
export function locate(rawPath: string, host: string | undefined, options: LocateOptions): Address {
  const hostBucket = host === undefined ? '' : bucketOfHost(host, options.domains);
  if (hostBucket !== '') return { bucket: hostBucket, key: checkKey(decodePath(rawPath.slice(1)), options.maxKeyBytes) };
  const slash = rawPath.indexOf('/', 1);
  if (slash === -1) return { bucket: decodePath(rawPath.slice(1)), key: '' };
  const bucket = decodePath(rawPath.slice(1, slash));
  return { bucket, key: checkKey(decodePath(rawPath.slice(slash + 1)), options.maxKeyBytes) };
}

function bucketOfHost(host: string, domains: readonly string[]): string {
  const colon = host.lastIndexOf(':');
  // An IPv6 literal ends in `]`, and what follows its last colon is no port.
  const name = (colon === -1 || host.endsWith(']') ? host : host.slice(0, colon)).toLowerCase();
  for (const domain of domains) {
    if (name.length > domain.length && name.endsWith(domain) && name[name.length - domain.length - 1] === '.') {
      return name.slice(0, name.length - domain.length - 1);
    }
  }
  return '';
}

/** The text of a path or query component, without treating `+` as a blank. @throws S3Error `InvalidURI`. */
export function decodePath(raw: string): string {
  if (!needsDecoding.test(raw)) return raw;
  try {
    // node:http gives bytes above 0x7f as one character each: some clients send UTF-8 unencoded.
    return decodeURIComponent(highBytes.test(raw) ? raw.replaceAll(eachHighByte, percentEncode) : raw);
  } catch (cause) {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI: its percent-encoding is broken or is not UTF-8.", {
      cause,
    });
  }
}

const needsDecoding = /[%\u0080-\uffff]/;
const highBytes = /[\u0080-\uffff]/;
const eachHighByte = /[\u0080-\u00ff]/g;

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}

/** Returns the key. @throws S3Error `KeyTooLongError`. */
export function checkKey(key: string, maxBytes: number): string {
  // A UTF-16 unit is at most three bytes of UTF-8: short keys need no counting.
  if (key.length * 3 <= maxBytes) return key;
  const bytes = Buffer.byteLength(key);
  if (bytes <= maxBytes) return key;
  throw new S3Error('KeyTooLongError', 'Your key is too long', {
    details: { Size: String(bytes), MaxSizeAllowed: String(maxBytes) },
  });
}
