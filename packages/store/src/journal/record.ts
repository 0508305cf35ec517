// Records of the journal: their bytes. A record is a fixed head, a header, the CRC32C of both, and a body, padded to eight
// bytes. The body's own checksums are within the header (version-row.ts), so that a damaged body does not make its record
// unknown. The salt of the segment is part of each record: bytes that a client stores can never pass for records.
// docs/format.md, "Journal".

import { crc32c } from '@stowage/s3';
import { type Fact, type FactType, factCodes } from '../catalog/facts.ts';
import { align, factLengthsSizeBytes, recordHeadSizeBytes, recordOverheadBytes } from './record-layout.ts';

/** Records that carry no fact. */
export const markCodes = {
  /** A store was opened: all before it had been recovered. */
  opened: 100,
  /** A store was closed in good order. */
  closed: 101,
  /** Stands where a record was that could not be read any more; its header is filler. */
  lost: 102,
  /** Ends a batch: what comes before it is committed. */
  commit: 127,
} as const satisfies Readonly<Record<string, number>>;

export const recordMagic = 0x53_57_52_31; // SWR1

/** No header may be longer: a manifest of 10,000 parts has less than 1 MiB. */
const maxHeaderSizeBytes = 16 * 1024 * 1024;
/** No body may be longer. */
const maxBodySizeBytes = 16 * 1024 * 1024;

export interface RecordHead {
  readonly code: number;
  /** Number of the record in the journal, without gaps. */
  readonly lsn: number;
  readonly headerSizeBytes: number;
  readonly bodySizeBytes: number;
}

/** Where the parts of a record lie, counted from its first byte. */
export function recordLayout(head: RecordHead): { readonly bodyStart: number; readonly sizeBytes: number } {
  const bodyStart = recordOverheadBytes + head.headerSizeBytes;
  return { bodyStart, sizeBytes: align(bodyStart + head.bodySizeBytes) };
}

/** Writes everything but the body at `at`; answers where the body begins. */
export function writeRecord(
  target: Buffer,
  at: number,
  record: { readonly salt: number; readonly code: number; readonly lsn: number; readonly bodySizeBytes: number },
  writeHeader: (target: Buffer, at: number) => number,
): number {
  const headerStart = at + recordHeadSizeBytes;
  const headerEnd = writeHeader(target, headerStart);
  target.writeUInt32BE(recordMagic, at);
  target.writeUInt32BE(record.salt, at + 4);
  target.writeUInt32BE(record.code, at + 8);
  target.writeUInt16BE(0, at + 12);
  target.writeUIntBE(record.lsn, at + 14, 6);
  target.writeUInt32BE(headerEnd - headerStart, at + 20);
  target.writeUInt32BE(record.bodySizeBytes, at + 24);
  target.writeUInt32BE(crc32c(target.subarray(at, headerEnd)), headerEnd);
  return headerEnd + 4;
}

/** The head of a record, if there is a plausible one: the CRC is still to be checked by `recordHeader`. */
export function readRecordHead(bytes: Buffer, at: number, salt: number): RecordHead | undefined {
  if (at + recordOverheadBytes > bytes.length) return undefined;
  if (bytes.readUInt32BE(at) !== recordMagic || bytes.readUInt32BE(at + 4) !== salt) return undefined;
  const head = {
    code: bytes.readUInt32BE(at + 8),
    lsn: bytes.readUIntBE(at + 14, 6),
    headerSizeBytes: bytes.readUInt32BE(at + 20),
    bodySizeBytes: bytes.readUInt32BE(at + 24),
  };
  return head.headerSizeBytes <= maxHeaderSizeBytes && head.bodySizeBytes <= maxBodySizeBytes ? head : undefined;
}

/** The header of a record whose bytes begin at `at`, or `undefined` when it fails its CRC or is not all there. */
export function recordHeader(bytes: Buffer, at: number, head: RecordHead): Buffer | undefined {
  const end = at + recordHeadSizeBytes + head.headerSizeBytes;
  if (end + 4 > bytes.length) return undefined;
  if (crc32c(bytes.subarray(at, end)) !== bytes.readUInt32BE(end)) return undefined;
  return bytes.subarray(at + recordHeadSizeBytes, end);
}

export function factHeaderSize(fact: Fact): number {
  return factLengthsSizeBytes + fact.key.length + fact.row.length + (fact.manifest?.length ?? 0);
}

/** @throws RangeError when recovery would not take the fact for one. */
export function requireRecordable(fact: Fact): void {
  const sizeBytes = factHeaderSize(fact);
  if (sizeBytes > maxHeaderSizeBytes) {
    throw new RangeError(
      `A journal record describes its fact in at most ${maxHeaderSizeBytes} bytes; this one takes ${sizeBytes}.`,
    );
  }
}

export function writeFactHeader(fact: Fact, target: Buffer, at: number): number {
  let end = target.writeUInt16BE(fact.key.length, at);
  end += fact.key.copy(target, end);
  end = target.writeUInt32BE(fact.row.length, end);
  end += fact.row.copy(target, end);
  if (fact.manifest !== undefined) end += fact.manifest.copy(target, end);
  return end;
}

/** The type of fact that a record carries, or `undefined` for a mark, and for what this version does not know. */
export function factTypeOf(code: number): FactType | undefined {
  return factTypes.get(code);
}

/** Whether records of this type carry a fact that this version knows. */
export function isFactCode(code: number): boolean {
  return factTypes.has(code);
}

/** The fact in a header, in memory of its own. @throws RangeError when it is no fact that this version knows. */
export function readFactHeader(code: number, header: Buffer): Fact {
  const type = factTypes.get(code);
  if (type === undefined) throw new RangeError(`A journal record has type ${code}, which this version does not know.`);
  const own = Buffer.from(header);
  const rowStart = 2 + own.readUInt16BE(0) + 4;
  const key = own.subarray(2, rowStart - 4);
  const rowEnd = rowStart + own.readUInt32BE(rowStart - 4);
  const fact = { type, key, row: own.subarray(rowStart, rowEnd) };
  return rowEnd === own.length ? fact : { ...fact, manifest: own.subarray(rowEnd) };
}

export interface CommitMark {
  readonly committedAtMs: number;
  /** The last record that was durable when this batch was written: damage up to it is damage, not a torn tail. */
  readonly durableLsn: number;
  /** Changes from the journal's beginning up to here: a cursor knows by it how far it is behind. */
  readonly changeCount: number;
}

export const commitHeaderSizeBytes = 18;

export function writeCommitHeader(mark: CommitMark, target: Buffer, at: number): number {
  target.writeUIntBE(mark.committedAtMs, at, 6);
  target.writeUIntBE(mark.durableLsn, at + 6, 6);
  return target.writeUIntBE(mark.changeCount, at + 12, 6);
}

export function readCommitHeader(header: Buffer): CommitMark {
  return {
    committedAtMs: header.readUIntBE(0, 6),
    durableLsn: header.readUIntBE(6, 6),
    changeCount: header.readUIntBE(12, 6),
  };
}

const factTypes: ReadonlyMap<number, FactType> = new Map(
  // Object.entries of a literal gives its own keys.
  Object.entries(factCodes).map(([type, code]) => [code, type as FactType]),
);
