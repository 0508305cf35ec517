// What a request is about: the bucket and the key that its Host header and its path name.
// Spec: "Methods for accessing a bucket" of the S3 user guide, path style and virtual-host style. `bucket.<domain>` names the
// bucket in the host for every domain served; `localhost` is always one, because the SDKs use the virtual-host style there.
// Keys are text of 1 to 1,024 UTF-8 bytes and never paths: `..`, `//` and `a/` are keys like any other.

import { checkObjectKey, S3Error } from '@stowage/s3';

/** Empty bucket: the service itself. Empty key: the bucket itself. */
export interface Address {
  readonly bucket: string;
  readonly key: string;
  /** Which of the two named the bucket. */
  readonly style: 'host' | 'path';
}

/**
 * Splits a request's path into bucket and key. `rawPath` is percent-encoded and begins with `/`; `domains` are lower-case.
 * @throws S3Error `InvalidURI` for bad percent-encoding or bytes that are no UTF-8, `KeyTooLongError`.
 */
export function locate(rawPath: string, host: string | undefined, domains: readonly string[]): Address {
  const hostBucket = host === undefined ? '' : bucketOfHost(host, domains);
  if (hostBucket !== '') return { bucket: hostBucket, key: decodeKey(rawPath.slice(1)), style: 'host' };
  const slash = rawPath.indexOf('/', 1);
  if (slash === -1) return { bucket: decodePath(rawPath.slice(1)), key: '', style: 'path' };
  return { bucket: decodePath(rawPath.slice(1, slash)), key: decodeKey(rawPath.slice(slash + 1)), style: 'path' };
}

function decodeKey(raw: string): string {
  const key = decodePath(raw);
  if (key !== '') checkObjectKey(key);
  return key;
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
    throw new S3Error(
      'InvalidURI',
      "Couldn't parse the specified URI: its percent-encoding is broken or is not UTF-8.",
      {
        cause,
      },
    );
  }
}

const needsDecoding = /[%\u0080-\uffff]/;
const highBytes = /[\u0080-\uffff]/;
const eachHighByte = /[\u0080-\u00ff]/g;

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}
