// Reads one segment of the journal and holds every record against its checksums, body included, and the numbers of the
// records against one another. What a record means for the index is not looked at: that is recovery's and fsck's.

import { join } from 'node:path';
import { findBadBlock } from '../blobs/block-checksums.ts';
import type { Fact } from '../catalog/facts.ts';
import { locationOf } from '../catalog/version-row.ts';
import { type Disk, type DiskFile, isMissing } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { findDamagedStretch } from '../journal/damaged-stretch.ts';
import { readFactHeader, recordMagic } from '../journal/record.ts';
import { type ScannedRecord, SegmentScanner } from '../journal/scanner.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentName } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';

/** Bytes checked before `onRead` is told. */
const pieceSizeBytes = 512 * 1024;

interface SegmentCheckOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly number: number;
  /** Where to begin: 0, or the offset that an earlier check has told of. */
  readonly from: number;
  /** What the segment before it ends with, when that was checked: the number of the first record here. */
  readonly firstLsn?: number | undefined;
  /** Where the last record begins that is to be checked; absent: the segment is full, and all of it is. */
  readonly lastOffset?: number;
  readonly onDamage: (found: DamagedRecord) => Promise<void>;
  /** Awaited after each piece, with the offset reached: the place to wait, or to throw in order to stop. */
  readonly onRead: (sizeBytes: number, offset: number) => Promise<void>;
}

export interface DamagedRecord {
  readonly damage: StoreDamage;
  /** The fact of a record whose body alone is damaged. */
  readonly fact?: Fact;
}

/**
 * Answers the number of the record that must come next, in the next segment, if it is known. A segment that is not there
 * (compaction has removed it) has no damage.
 */
export async function checkSegment(options: SegmentCheckOptions): Promise<number | undefined> {
  let file: DiskFile;
  try {
    file = await options.disk.open(join(options.directory, segmentFileName(options.number)), 'read');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
  try {
    return await new SegmentCheck(options, file, await file.sizeBytes()).run();
  } finally {
    await file.close();
  }
}

/** The name of a segment's file, relative to the data folder. */
export function segmentFileName(number: number): string {
  return `journal/${segmentName(number)}`;
}

class SegmentCheck {
  readonly #options: SegmentCheckOptions;
  readonly #file: DiskFile;
  readonly #fileSizeBytes: number;
  /** The number that the next record must have; unknown at first when the check begins within the segment. */
  #expectedLsn: number | undefined;
  #unreported = 0;

  constructor(options: SegmentCheckOptions, file: DiskFile, fileSizeBytes: number) {
    this.#options = options;
    this.#file = file;
    this.#fileSizeBytes = fileSizeBytes;
  }

  async run(): Promise<number | undefined> {
    const { from, lastOffset } = this.#options;
    const salt = await this.#readHeader();
    if (salt === undefined) return undefined;
    const scanner = new SegmentScanner(this.#file, { salt, fileSizeBytes: this.#fileSizeBytes });
    const end = lastOffset === undefined ? this.#fileSizeBytes : Math.min(lastOffset + 1, this.#fileSizeBytes);
    let offset = Math.max(from, segmentHeaderSizeBytes);
    while (offset < end) {
      const next = await this.#checkRecord(scanner, offset);
      this.#unreported += next - offset;
      offset = next;
      if (this.#unreported >= pieceSizeBytes || offset >= end) {
        await this.#options.onRead(this.#unreported, offset);
        this.#unreported = 0;
      }
    }
    return this.#expectedLsn;
  }

  /** Answers the salt of the records, or `undefined` when none can be read. */
  async #readHeader(): Promise<number | undefined> {
    const bytes = Buffer.alloc(segmentHeaderSizeBytes + 8);
    await readAround(this.#file, bytes, 0);
    const header = decodeSegmentHeader(bytes);
    if (header !== undefined) {
      if (this.#options.from <= segmentHeaderSizeBytes) await this.#expectFirst(header.firstLsn);
      return header.salt;
    }
    const guessed = bytes.readUInt32BE(segmentHeaderSizeBytes) === recordMagic;
    const description = guessed ? 'its header is damaged' : 'neither its header nor its first record can be read';
    const sizeBytes = guessed ? segmentHeaderSizeBytes : this.#fileSizeBytes;
    await this.#options.onDamage({ damage: this.#damage(0, sizeBytes, description) });
    return guessed ? bytes.readUInt32BE(segmentHeaderSizeBytes + 4) : undefined;
  }

  async #expectFirst(lsn: number): Promise<void> {
    this.#expectedLsn = lsn;
    const { firstLsn = lsn } = this.#options;
    if (lsn === firstLsn) return;
    const records = { first: firstLsn, last: lsn - 1 };
    const description = `records ${firstLsn} to ${lsn - 1} are missing before it`;
    await this.#options.onDamage({ damage: this.#damage(0, 0, description, records) });
  }

  /** Checks the record at an offset; answers where the next one begins. */
  async #checkRecord(scanner: SegmentScanner, offset: number): Promise<number> {
    const record = await scanner.read(offset);
    const expected = this.#expectedLsn;
    if (record === undefined || (expected !== undefined && record.head.lsn !== expected)) {
      return this.#skip(scanner, offset);
    }
    this.#expectedLsn = record.head.lsn + 1;
    const fact = factWithBody(record);
    if (fact !== undefined && !bodyHolds(record, fact)) {
      const { lsn } = record.head;
      const sizeBytes = Math.min(record.endOffset, this.#fileSizeBytes) - offset;
      const description = `the body of record ${lsn} fails its checksum`;
      const damage = { ...this.#damage(offset, sizeBytes, description), bodyOnly: true };
      await this.#options.onDamage({ damage, fact });
    }
    return record.endOffset;
  }

  async #skip(scanner: SegmentScanner, offset: number): Promise<number> {
    const stretch = await findDamagedStretch(scanner, offset, this.#expectedLsn);
    const { next, endOffset, description, records } = stretch;
    this.#expectedLsn = next?.head.lsn;
    await this.#options.onDamage({ damage: this.#damage(offset, endOffset - offset, description, records) });
    return endOffset;
  }

  #damage(offset: number, sizeBytes: number, description: string, records?: StoreDamage['records']): StoreDamage {
    const damage = { file: segmentFileName(this.#options.number), offset, sizeBytes, description };
    return records === undefined ? damage : { ...damage, records };
  }
}

/** The fact of a record that has a body; one of an unknown type is not judged here. */
function factWithBody(record: ScannedRecord): Fact | undefined {
  if (record.head.bodySizeBytes === 0) return undefined;
  try {
    return readFactHeader(record.head.code, record.header);
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

function bodyHolds(record: ScannedRecord, fact: Fact): boolean {
  if (record.body.length < record.head.bodySizeBytes) return false;
  const location = locationOf(fact.row);
  return location.kind === 'journal' && findBadBlock(record.body, location.checksums, 0) === undefined;
}
