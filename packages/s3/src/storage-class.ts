// The storage classes of S3 that a client may name when it writes, and the one it gets when it does not.

import { S3Error } from './errors.ts';
import type { RequestHeaders } from './request-parts.ts';

const storageClasses = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
  'EXPRESS_ONEZONE',
] as const;

export type StorageClass = (typeof storageClasses)[number];

/** The class an upload asks for by `x-amz-storage-class`; STANDARD by default. @throws S3Error `InvalidStorageClass`. */
export function parseStorageClass(headers: RequestHeaders): StorageClass {
  const value = headers['x-amz-storage-class'];
  if (value === undefined || value === '') return 'STANDARD';
  const known = storageClasses.find((name) => name === value);
  if (known === undefined) {
    throw new S3Error('InvalidStorageClass', undefined, { details: { StorageClassRequested: value } });
  }
  return known;
}
