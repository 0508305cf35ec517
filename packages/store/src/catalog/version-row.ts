// The row of an object version: one compact byte string, the same in the journal and in the index. What a listing and a
// read need stands first. The location has a fixed place, because a body in the journal learns its offset only when its
// record is laid into a segment. docs/format.md, "Version row".

import type { ChecksumAlgorithm } from '@stowage/s3';
import { blockCount, checksumSizeBytes } from '../blobs/block-checksums.ts';
import type { ObjectAttributes, ObjectChecksum, ObjectSummary } from '../object-store.ts';
import { ByteReader, ByteWriter } from './byte-codec.ts';
import { readEtag, writeEtag } from './etag-codec.ts';

/** Where the bytes of a version lie. */
export type BodyLocation =
  /** An empty body lies nowhere. */
  | { readonly kind: 'empty' }
  /** In a journal record; `checksums` are those of its blocks. */
  | { readonly kind: 'journal'; readonly segment: number; readonly offset: number; readonly checksums: Buffer }
  /** In a file of its own. */
  | { readonly kind: 'blob'; readonly blobId: Buffer }
  /** In the blobs that a manifest names. */
  | { readonly kind: 'manifest'; readonly manifestId: number };

export interface VersionRow {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
  readonly attributes: ObjectAttributes;
  readonly location: BodyLocation;
}

/** Ids of blobs: the number of the opening that wrote it, and a count within it. */
export const blobIdSizeBytes = 10;

const locationKinds = ['empty', 'journal', 'blob', 'manifest'] as const;
const journalKind = 1;
const locationStart = 1;
const sequenceStart = locationStart + blobIdSizeBytes;
const headSizeBytes = sequenceStart + 18;

const storageClassCodes = [
  '',
  'STANDARD',
  'INTELLIGENT_TIERING',
  'STANDARD_IA',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
  'EXPRESS_ONEZONE',
];
const algorithmCodes: readonly (ChecksumAlgorithm | undefined)[] = [
  undefined,
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
  'SHA512',
  'MD5',
  'XXHASH64',
  'XXHASH3',
  'XXHASH128',
];
const compositeFlag = 0x80;
const writer = new ByteWriter();

export function encodeVersionRow(row: VersionRow): Buffer {
  writer.start();
  writeLocation(row.location);
  writer.u48(row.sequence);
  writer.u48(row.sizeBytes);
  writer.u48(row.lastModifiedMs);
  if (row.location.kind === 'journal') writer.bytes(row.location.checksums);
  writeEtag(writer, row.etag);
  writeChecksum(row.checksum);
  writeAttributes(writer, row.attributes);
  return writer.take();
}

/** What a listing shows, without the metadata. */
export function decodeSummary(row: Buffer, bucket: string, key: string): ObjectSummary {
  const reader = new ByteReader(row, sequenceStart);
  const sequence = reader.u48();
  const sizeBytes = reader.u48();
  const lastModifiedMs = reader.u48();
  reader.skip(checksumsSize(row, sizeBytes));
  const etag = readEtag(reader);
  const checksum = readChecksum(reader);
  const storageClass = readStorageClass(reader);
  const owner = reader.text();
  const summary = { bucket, key, versionId: 'null', sequence, sizeBytes, etag, lastModifiedMs, storageClass, owner };
  return checksum === undefined ? summary : { ...summary, checksum };
}

export function decodeVersionRow(row: Buffer): VersionRow {
  const reader = new ByteReader(row, sequenceStart);
  const sequence = reader.u48();
  const sizeBytes = reader.u48();
  const lastModifiedMs = reader.u48();
  reader.skip(checksumsSize(row, sizeBytes));
  const etag = readEtag(reader);
  const checksum = readChecksum(reader);
  const attributes = readAttributes(reader);
  return { sequence, sizeBytes, lastModifiedMs, etag, checksum, attributes, location: locationOf(row) };
}

export function locationOf(row: Buffer): BodyLocation {
  switch (locationKinds[row[0] ?? 0]) {
    case 'journal': {
      const end = headSizeBytes + checksumsSize(row, bodySizeOf(row));
      return {
        kind: 'journal',
        segment: row.readUInt32BE(locationStart),
        offset: row.readUInt32BE(locationStart + 4),
        checksums: row.subarray(headSizeBytes, end),
      };
    }
    case 'blob':
      return { kind: 'blob', blobId: row.subarray(locationStart, locationStart + blobIdSizeBytes) };
    case 'manifest':
      return { kind: 'manifest', manifestId: row.readUIntBE(locationStart, 6) };
    default:
      return { kind: 'empty' };
  }
}

/** Whether the bytes of a version lie in the journal. */
export function isInJournal(row: Buffer): boolean {
  return row[0] === journalKind;
}

/** The segment that holds the body of a version which lies in the journal. */
export function segmentOf(row: Buffer): number {
  return row.readUInt32BE(locationStart);
}

/** As in the row, without the rest of it. */
export function sequenceOf(row: Buffer): number {
  return row.readUIntBE(sequenceStart, 6);
}

/** As in the row, without the rest of it. */
export function bodySizeOf(row: Buffer): number {
  return row.readUIntBE(sequenceStart + 6, 6);
}

/** Says where the journal put the body, once that is known. Changes `row`. */
export function placeInJournal(row: Buffer, segment: number, offset: number): void {
  row.writeUInt32BE(segment, locationStart);
  row.writeUInt32BE(offset, locationStart + 4);
}

export function writeAttributes(target: ByteWriter, attributes: ObjectAttributes): void {
  const code = storageClassCodes.indexOf(attributes.storageClass, 1);
  target.u8(Math.max(code, 0));
  if (code < 0) target.shortText(attributes.storageClass);
  target.text(attributes.owner);
  writeRecord(target, attributes.systemMetadata);
  writeRecord(target, attributes.userMetadata);
}

export function readAttributes(reader: ByteReader): ObjectAttributes {
  const storageClass = readStorageClass(reader);
  const owner = reader.text();
  return { storageClass, owner, systemMetadata: readRecord(reader), userMetadata: readRecord(reader) };
}

export function algorithmCode(algorithm: ChecksumAlgorithm): number {
  return algorithmCodes.indexOf(algorithm);
}

export function algorithmOfCode(code: number): ChecksumAlgorithm {
  const algorithm = algorithmCodes[code];
  if (algorithm === undefined) throw new RangeError(`A row names checksum algorithm ${code}, which is not known.`);
  return algorithm;
}

function writeLocation(location: BodyLocation): void {
  writer.u8(locationKinds.indexOf(location.kind));
  switch (location.kind) {
    case 'empty':
      writer.bytes(noLocation);
      break;
    case 'journal':
      writer.u32(location.segment);
      writer.u32(location.offset);
      writer.u16(0);
      break;
    case 'blob':
      writer.bytes(location.blobId);
      break;
    case 'manifest':
      writer.u48(location.manifestId);
      writer.u32(0);
      break;
  }
}

const noLocation = Buffer.alloc(blobIdSizeBytes);

function checksumsSize(row: Buffer, sizeBytes: number): number {
  return row[0] === journalKind ? blockCount(sizeBytes) * checksumSizeBytes : 0;
}

function writeChecksum(checksum: ObjectChecksum | undefined): void {
  if (checksum === undefined) {
    writer.u8(0);
    return;
  }
  writer.u8(algorithmCode(checksum.algorithm) | (checksum.type === 'COMPOSITE' ? compositeFlag : 0));
  writer.shortText(checksum.value);
}

function readChecksum(reader: ByteReader): ObjectChecksum | undefined {
  const code = reader.u8();
  if (code === 0) return undefined;
  const type = (code & compositeFlag) === 0 ? 'FULL_OBJECT' : 'COMPOSITE';
  return { algorithm: algorithmOfCode(code & ~compositeFlag), type, value: reader.shortText() };
}

function readStorageClass(reader: ByteReader): string {
  const code = reader.u8();
  return code === 0 ? reader.shortText() : (storageClassCodes[code] ?? '');
}

function writeRecord(target: ByteWriter, record: Readonly<Record<string, string>>): void {
  const names = Object.keys(record);
  target.u16(names.length);
  for (const name of names) {
    target.text(name);
    target.text(record[name] ?? '');
  }
}

function readRecord(reader: ByteReader): Readonly<Record<string, string>> {
  const record: Record<string, string> = {};
  for (let left = reader.u16(); left > 0; left -= 1) {
    const name = reader.text();
    const value = reader.text();
    // It is a header name like any other, but assigning it would set the prototype.
    if (name !== '__proto__') record[name] = value;
    else Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return record;
}
