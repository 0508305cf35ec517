// The checksum of a multipart object from those of its parts: composite (hash of the part hashes, `-N`) or full object
// (the CRCs joined). Source: "Checking object integrity", sections on composite and full object checksums.

import { S3Error } from '../errors.ts';
import { type ChecksumAlgorithm, type ChecksumType, checksumAlgorithms } from './checksum-algorithms.ts';
import { combineCrc, isCrcAlgorithm } from './combine-crc.ts';
import { createDigest } from './digest.ts';

/** One part, as far as its object's checksum is concerned. */
export interface PartChecksum {
  /** Raw bytes. */
  readonly checksum: Uint8Array;
  readonly sizeBytes: number;
}

/**
 * The value as S3 shows it: base64, with `-<number of parts>` after a composite one.
 * @throws S3Error `InvalidRequest` when the algorithm knows no checksum of that type.
 */
export function multipartChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): string {
  if (type === 'COMPOSITE') {
    const digest = createDigest(algorithm);
    for (const part of parts) digest.update(part.checksum);
    return `${Buffer.from(digest.digest()).toString('base64')}-${parts.length}`;
  }
  if (!isCrcAlgorithm(algorithm)) {
    throw new S3Error(
      'InvalidRequest',
      `${algorithm} has no FULL_OBJECT checksum for multipart objects; use COMPOSITE.`,
    );
  }
  let joined: Uint8Array = new Uint8Array(checksumAlgorithms[algorithm].lengthBytes); // The CRC of no bytes is zero.
  for (const part of parts) joined = combineCrc(algorithm, joined, part.checksum, part.sizeBytes);
  return Buffer.from(joined).toString('base64');
}
