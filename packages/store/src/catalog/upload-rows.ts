// The rows of a multipart upload and of its parts. docs/format.md, "Upload row" and "Part row".

import type { CreateUpload, Part } from '../object-store.ts';
import { ByteReader, ByteWriter } from './byte-codec.ts';
import { readEtag, writeEtag } from './etag-codec.ts';
import { algorithmCode, algorithmOfCode, blobIdSizeBytes, readAttributes, writeAttributes } from './version-row.ts';

/** An upload's row, without bucket and key, which stand in its index key. */
export interface UploadRow {
  readonly uploadId: string;
  readonly initiatedAtMs: number;
  readonly initiator: string;
  readonly attributes: CreateUpload['attributes'];
  readonly checksum: CreateUpload['checksum'] | undefined;
}

/** A part's row, without its number, which stands in its index key. */
export interface PartRow extends Omit<Part, 'partNumber' | 'checksum'> {
  readonly blobId: Buffer;
  /** base64, or empty. */
  readonly checksum: string;
}

/** The sequence of the upload's creation in hex, so that ids sort by initiation, and random bytes. */
const sequenceDigits = 12;
export const uploadIdRandomBytes = 10;

const compositeFlag = 0x80;
const writer = new ByteWriter();

export function formUploadId(sequence: number, random: Uint8Array): string {
  return sequence.toString(16).padStart(sequenceDigits, '0') + Buffer.from(random).toString('hex');
}

/** The sequence in an upload id, or `undefined` when it is none of ours. */
export function sequenceOfUploadId(uploadId: string): number | undefined {
  if (!/^[0-9a-f]{32}$/.test(uploadId)) return undefined;
  return Number.parseInt(uploadId.slice(0, sequenceDigits), 16);
}

export function encodeUploadRow(row: UploadRow): Buffer {
  writer.start();
  writer.hex(row.uploadId);
  writer.u48(row.initiatedAtMs);
  writer.text(row.initiator);
  const { checksum } = row;
  const composite = checksum?.type === 'COMPOSITE' ? compositeFlag : 0;
  writer.u8(checksum === undefined ? 0 : algorithmCode(checksum.algorithm) | composite);
  writeAttributes(writer, row.attributes);
  return writer.take();
}

export function decodeUploadRow(row: Buffer): UploadRow {
  const reader = new ByteReader(row);
  const uploadId = reader.hex(sequenceDigits / 2 + uploadIdRandomBytes);
  const initiatedAtMs = reader.u48();
  const initiator = reader.text();
  const code = reader.u8();
  const checksum: UploadRow['checksum'] =
    code === 0
      ? undefined
      : {
          algorithm: algorithmOfCode(code & ~compositeFlag),
          type: (code & compositeFlag) === 0 ? 'FULL_OBJECT' : 'COMPOSITE',
        };
  return { uploadId, initiatedAtMs, initiator, checksum, attributes: readAttributes(reader) };
}

export function encodePartRow(row: PartRow): Buffer {
  writer.start();
  writer.bytes(row.blobId);
  writer.u48(row.sizeBytes);
  writer.u48(row.lastModifiedMs);
  writeEtag(writer, row.etag);
  writer.shortText(row.checksum);
  return writer.take();
}

export function decodePartRow(row: Buffer): PartRow {
  const reader = new ByteReader(row);
  const blobId = reader.bytes(blobIdSizeBytes);
  const sizeBytes = reader.u48();
  const lastModifiedMs = reader.u48();
  const etag = readEtag(reader);
  return { blobId, sizeBytes, lastModifiedMs, etag, checksum: reader.shortText() };
}
