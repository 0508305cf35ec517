// A manifest: the blobs that make up an object that was uploaded in parts, in order. Entries have one width, so that the
// part at an offset is found without reading the others. Copies share it; `references` counts them.
// docs/format.md, "Manifest row".

import { blobIdSizeBytes } from './version-row.ts';

export interface ManifestPart {
  readonly partNumber: number;
  /** Where the part begins in the object. */
  readonly start: number;
  readonly sizeBytes: number;
  readonly blobId: Buffer;
  /** Raw bytes of the object's algorithm; empty when there is none. */
  readonly checksum: Buffer;
}

/** MD5 over what the client named when it completed: tells a repeated completion from another one. */
const completionHashSizeBytes = 16;

const referencesStart = 0;
const completionStart = 4;
const checksumWidthStart = completionStart + completionHashSizeBytes;
const countStart = checksumWidthStart + 1;
const entriesStart = countStart + 4;
const entryHeadSizeBytes = 2 + 6 + blobIdSizeBytes;

interface NewManifest {
  readonly completionHash: Uint8Array;
  readonly checksumSizeBytes: number;
  readonly parts: readonly ManifestPart[];
}

/** A manifest with one reference. */
export function encodeManifest({ completionHash, checksumSizeBytes, parts }: NewManifest): Buffer {
  const width = entryHeadSizeBytes + checksumSizeBytes;
  const row = Buffer.alloc(entriesStart + parts.length * width);
  row.writeUInt32BE(1, referencesStart);
  row.set(completionHash, completionStart);
  row[checksumWidthStart] = checksumSizeBytes;
  row.writeUInt32BE(parts.length, countStart);
  let at = entriesStart;
  for (const part of parts) {
    row.writeUInt16BE(part.partNumber, at);
    row.writeUIntBE(part.start + part.sizeBytes, at + 2, 6);
    part.blobId.copy(row, at + 8);
    part.checksum.copy(row, at + entryHeadSizeBytes);
    at += width;
  }
  return row;
}

export function manifestPartCount(row: Buffer): number {
  return row.readUInt32BE(countStart);
}

export function manifestPart(row: Buffer, index: number): ManifestPart {
  const checksumSizeBytes = row[checksumWidthStart] ?? 0;
  const width = entryHeadSizeBytes + checksumSizeBytes;
  const at = entriesStart + index * width;
  const start = index === 0 ? 0 : row.readUIntBE(at - width + 2, 6);
  return {
    partNumber: row.readUInt16BE(at),
    start,
    sizeBytes: row.readUIntBE(at + 2, 6) - start,
    blobId: row.subarray(at + 8, at + 8 + blobIdSizeBytes),
    checksum: row.subarray(at + entryHeadSizeBytes, at + width),
  };
}

/** The index of the part that holds the byte at `offset`, which lies within the object. */
export function partIndexAt(row: Buffer, offset: number): number {
  let low = 0;
  let high = manifestPartCount(row) - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { start, sizeBytes } = manifestPart(row, middle);
    if (offset < start + sizeBytes) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function completionHashOf(row: Buffer): Buffer {
  return row.subarray(completionStart, completionStart + completionHashSizeBytes);
}

export function referencesOf(row: Buffer): number {
  return row.readUInt32BE(referencesStart);
}

/** The same manifest with another count of references. */
export function withReferences(row: Buffer, references: number): Buffer {
  const copy = Buffer.from(row);
  copy.writeUInt32BE(references, referencesStart);
  return copy;
}
