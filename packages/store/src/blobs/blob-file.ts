// A blob file: the bytes of one large body or part from the first byte on, and behind them the checksums of its blocks and
// a trailer. Its id is the number of the opening that wrote it and a count, so ids are never used twice, and files that are
// written together lie together: the folder that they share is made durable once for all of them.
// docs/format.md, "Blob".

import { join } from 'node:path';
import { crc32c } from '@stowage/s3';
import { blobIdSizeBytes } from '../catalog/version-row.ts';
import { blockSizeBytes } from './block-checksums.ts';

/** Blobs in one folder. */
export const blobsPerGroup = 1024;

const trailerMagic = Buffer.from('STOWBLB1');
export const blobTrailerSizeBytes = 40;

/** Set in the count of a blob that was not made durable when it was written: at durability `memory`. */
const looseFlag = 0x80_00_00_00;

/** @param count from 1, within the opening. */
export function formBlobId(epoch: number, count: number, durable: boolean): Buffer {
  if (count >= looseFlag) throw new RangeError(`An opening can make ${looseFlag - 1} blobs; this is number ${count}.`);
  const blobId = Buffer.allocUnsafe(blobIdSizeBytes);
  blobId.writeUIntBE(epoch, 0, 6);
  blobId.writeUInt32BE(durable ? count : count + looseFlag, 6);
  return blobId;
}

/** Whether a blob was made durable before it was named anywhere. */
export function isDurableBlob(blobId: Buffer): boolean {
  return blobId.readUInt32BE(6) < looseFlag;
}

/** Number of the opening that wrote a blob. */
export function epochOf(blobId: Buffer): number {
  return blobId.readUIntBE(0, 6);
}

/** In the folder of all blobs: one that is being written again. Whoever is the next to do so removes what is left of it. */
export const keptName = 'kept.next';

/** Names of the two folders, outermost first, and of the file. */
export function blobPath(blobId: Buffer): readonly [epoch: string, group: string, file: string] {
  const epoch = blobId.toString('hex', 0, 6);
  const group = Math.floor(blobId.readUInt32BE(6) / blobsPerGroup);
  return [epoch, group.toString(16).padStart(6, '0'), blobId.toString('hex')];
}

export function blobFile(folder: string, blobId: Buffer): string {
  return join(folder, ...blobPath(blobId));
}

/** The id in a blob's file name, or `undefined` when it is no blob's. */
export function blobIdOfName(name: string): Buffer | undefined {
  return /^[0-9a-f]{20}$/.test(name) ? Buffer.from(name, 'hex') : undefined;
}

/** What stands behind the bytes and the checksums of a blob. */
interface BlobTrailer {
  /** Of the bytes. */
  readonly sizeBytes: number;
  readonly blobId: Buffer;
}

/** The trailer at the end of some bytes, or `undefined` when it cannot be one. Its CRC is checked by `blobFooterHolds`. */
export function decodeBlobTrailer(bytes: Buffer): BlobTrailer | undefined {
  const start = bytes.length - blobTrailerSizeBytes;
  if (start < 0 || !bytes.subarray(bytes.length - trailerMagic.length).equals(trailerMagic)) return undefined;
  if (bytes.readUInt32BE(start) !== blockSizeBytes) return undefined;
  const idStart = start + 10;
  return {
    sizeBytes: bytes.readUIntBE(start + 4, 6),
    blobId: Buffer.from(bytes.subarray(idStart, idStart + blobIdSizeBytes)),
  };
}

/** Whether checksums and trailer, all that stands behind the bytes of a blob, are as they were written. */
export function blobFooterHolds(footer: Buffer): boolean {
  const crcStart = footer.length - trailerMagic.length - 4;
  return crcStart >= 0 && crc32c(footer.subarray(0, crcStart)) === footer.readUInt32BE(crcStart);
}

/** What stands behind the bytes of a blob. */
export function encodeBlobFooter(blob: {
  readonly blobId: Buffer;
  readonly sizeBytes: number;
  readonly checksums: Uint8Array;
}): Buffer {
  const footer = Buffer.alloc(blob.checksums.length + blobTrailerSizeBytes);
  footer.set(blob.checksums);
  let at = blob.checksums.length;
  at = footer.writeUInt32BE(blockSizeBytes, at);
  at = footer.writeUIntBE(blob.sizeBytes, at, 6);
  at += blob.blobId.copy(footer, at);
  at = footer.length - trailerMagic.length - 4;
  at = footer.writeUInt32BE(crc32c(footer.subarray(0, at)), at);
  trailerMagic.copy(footer, at);
  return footer;
}
