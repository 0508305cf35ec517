// A segment: one file of the journal. Its header says whose it is, where it stands in the journal, and the salt of its
// records. docs/format.md, "Segment".

import { crc32c } from '@stowage/s3';

interface SegmentHeader {
  readonly number: number;
  /** Random; part of every record in the segment. */
  readonly salt: number;
  /** The number of the first record that may stand in it. */
  readonly firstLsn: number;
  /** 16 random bytes that name the store. */
  readonly storeId: Buffer;
}

export const segmentHeaderSizeBytes = 64;
const magic = Buffer.from('STOWSEG1');
const crcStart = segmentHeaderSizeBytes - 4;

export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.seg`;
}

/** The number in a segment's file name, or `undefined` when it is no segment's. */
export function segmentNumber(name: string): number | undefined {
  const match = /^(\d{6,})\.seg$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderSizeBytes);
  magic.copy(bytes);
  bytes.writeUInt32BE(header.salt, 8);
  bytes.writeUInt32BE(header.number, 12);
  bytes.writeUIntBE(header.firstLsn, 16, 6);
  header.storeId.copy(bytes, 24);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, crcStart)), crcStart);
  return bytes;
}

/** The header, or `undefined` when it is damaged. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderSizeBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (crc32c(bytes.subarray(0, crcStart)) !== bytes.readUInt32BE(crcStart)) return undefined;
  return {
    salt: bytes.readUInt32BE(8),
    number: bytes.readUInt32BE(12),
    firstLsn: bytes.readUIntBE(16, 6),
    storeId: Buffer.from(bytes.subarray(24, 40)),
  };
}
