// CRC32C of each 32 KiB block of a body, so that a range is verified by reading little more than itself. The design says
// 256 KiB; a random range of 64 KiB would then read and hash five times its size, so blocks are smaller here, at four
// bytes for each. docs/format.md, "Blocks".

import { createDigest } from '@stowage/s3';

export const blockSizeBytes = 32 * 1024;

/** Length of one checksum. */
export const checksumSizeBytes = 4;

/** How many blocks a body of this size has. */
export function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockSizeBytes);
}

/** The checksums of all blocks of a body, one after the other. */
export function blockChecksums(body: Uint8Array): Buffer {
  const checksums = Buffer.allocUnsafe(blockCount(body.length) * checksumSizeBytes);
  for (let block = 0; block * checksumSizeBytes < checksums.length; block += 1) {
    const start = block * blockSizeBytes;
    const bytes = body.length <= blockSizeBytes ? body : body.subarray(start, start + blockSizeBytes);
    checksums.writeUInt32BE(crc32c(bytes), block * checksumSizeBytes);
  }
  return checksums;
}

/**
 * The number of the first block that fails its checksum, or `undefined` when all hold. `bytes` begins at the start of
 * block `firstBlock` and ends at the end of a block or of the body.
 */
export function findBadBlock(bytes: Uint8Array, checksums: Buffer, firstBlock: number): number | undefined {
  const count = blockCount(bytes.length);
  for (let block = 0; block < count; block += 1) {
    const start = block * blockSizeBytes;
    const content = bytes.length <= blockSizeBytes ? bytes : bytes.subarray(start, start + blockSizeBytes);
    if (crc32c(content) !== checksums.readUInt32BE((firstBlock + block) * checksumSizeBytes)) return firstBlock + block;
  }
  return undefined;
}

/** CRC32C (Castagnoli) of some bytes. */
export function crc32c(bytes: Uint8Array): number {
  const digest = createDigest('CRC32C');
  digest.update(bytes);
  const value = digest.digest();
  return (((value[0] ?? 0) << 24) | ((value[1] ?? 0) << 16) | ((value[2] ?? 0) << 8) | (value[3] ?? 0)) >>> 0;
}
