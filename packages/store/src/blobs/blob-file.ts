// A blob file: the bytes of one large body or part from the first byte on, and behind them the checksums of its blocks and
// a trailer. Its id is the number of the opening that wrote it and a count, so ids are never used twice, and files that are
// written together lie together: the folder that they share is made durable once for all of them.
// docs/format.md, "Blob".

import { join } from 'node:path';
import { blobIdSizeBytes } from '../catalog/version-row.ts';
import { blockSizeBytes, crc32c } from './block-checksums.ts';

/** Blobs in one folder. */
const blobsPerFolder = 1024;

const trailerMagic = Buffer.from('STOWBLB1');
const trailerSizeBytes = 40;

export function formBlobId(epoch: number, count: number): Buffer {
  const blobId = Buffer.allocUnsafe(blobIdSizeBytes);
  blobId.writeUIntBE(epoch, 0, 6);
  blobId.writeUInt32BE(count, 6);
  return blobId;
}

/** Names of the two folders, outermost first, and of the file. */
export function blobPath(blobId: Buffer): readonly [epoch: string, group: string, file: string] {
  const epoch = blobId.toString('hex', 0, 6);
  const group = Math.floor(blobId.readUInt32BE(6) / blobsPerFolder);
  return [epoch, group.toString(16).padStart(6, '0'), blobId.toString('hex')];
}

export function blobFile(folder: string, blobId: Buffer): string {
  return join(folder, ...blobPath(blobId));
}

/** The id in a blob's file name, or `undefined` when it is no blob's. */
export function blobIdOfName(name: string): Buffer | undefined {
  return /^[0-9a-f]{20}$/.test(name) ? Buffer.from(name, 'hex') : undefined;
}

/** What stands behind the bytes of a blob. */
export function encodeBlobFooter(blob: {
  readonly blobId: Buffer;
  readonly sizeBytes: number;
  readonly checksums: Buffer;
}): Buffer {
  const footer = Buffer.alloc(blob.checksums.length + trailerSizeBytes);
  let at = blob.checksums.copy(footer);
  at = footer.writeUInt32BE(blockSizeBytes, at);
  at = footer.writeUIntBE(blob.sizeBytes, at, 6);
  at += blob.blobId.copy(footer, at);
  at = footer.length - trailerMagic.length - 4;
  at = footer.writeUInt32BE(crc32c(footer.subarray(0, at)), at);
  trailerMagic.copy(footer, at);
  return footer;
}
