// Reads the journal at opening, from where the index stands, and hands every committed fact on. What does not hold is
// either a torn tail, which was never acknowledged and is cut, or damage, which is set aside and reported; each commit
// record says up to where the journal was durable when it was written, and that tells the two apart.
// Bodies are checked too. A record whose body alone is damaged is kept: reading its object answers `Corrupt`.

import { join } from 'node:path';
import { findBadBlock } from '../blobs/block-checksums.ts';
import { isChange } from '../catalog/change-facts.ts';
import type { Fact } from '../catalog/facts.ts';
import { locationOf } from '../catalog/version-row.ts';
import { type Disk, isDiskFull } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { StoreError } from '../store-error.ts';
import { findDamagedStretch, recordsInWords } from './damaged-stretch.ts';
import type { BatchMark, JournalEnd } from './journal.ts';
import { lookAround } from './lost-commit.ts';
import { findLostEnd, type KnownEnd } from './lost-end.ts';
import { commitHeaderSizeBytes, markCodes, readFactHeader, recordMagic } from './record.ts';
import { align, recordOverheadBytes } from './record-layout.ts';
import { RemovedSegments, removedName } from './removed-segments.ts';
import { reportDamage, type TakesDamage } from './report-damage.ts';
import { commitOf, type ScannedRecord, SegmentScanner } from './scanner.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentName, segmentNumber } from './segment.ts';
import { isBegun, type SegmentAtHand } from './segment-at-hand.ts';
import { writeAgain } from './write-again.ts';

interface RecoveryOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly storeId: Buffer;
  /** The last batch that the index has; absent: the index is empty. */
  readonly from: BatchMark | undefined;
  /** Takes the facts of one batch, in order. */
  readonly onBatch: (facts: readonly Fact[], mark: BatchMark) => Promise<void>;
  /** Takes damaged bytes; they are not served. */
  readonly onDamage: TakesDamage;
  /** Told of each segment, once it is read. Default: nobody. */
  readonly onSegment?: (segment: ReadSegment) => void;
  /** What others say the journal held: when it ends before that, its end is lost. Default: nobody says anything. */
  readonly known?: KnownEnd;
  /** Reads only: segments behind the end of the journal stay where they are. Default: false. */
  readonly readOnly?: boolean;
}

export interface ReadSegment {
  readonly file: string;
  readonly sizeBytes: number;
}

export interface Recovered {
  readonly end: JournalEnd;
  readonly lastMark: BatchMark | undefined;
  readonly batchCount: number;
  /** Bytes of a torn tail, zeros included, that were never acknowledged. */
  readonly cutBytes: number;
}

/** Thrown when the index says that it has a batch which the journal does not have: the journal has lost its end. */
export class IndexAheadError extends Error {
  override readonly name = 'IndexAheadError';
}

export async function recoverJournal(options: RecoveryOptions): Promise<Recovered> {
  return new Recovery(options).run();
}

/** A commit record, which has no body. */
const commitRecordSizeBytes = align(recordOverheadBytes + commitHeaderSizeBytes);

class Recovery {
  readonly #options: RecoveryOptions;
  #numbers: number[] = [];
  #removed: RemovedSegments | undefined;
  /** The number that the next record must have. */
  #expectedLsn = 1;
  #facts: Fact[] = [];
  /** Where the batch that is being read began. */
  #batchStart: { segment: number; salt: number; offset: number; lsn: number } | undefined;
  #lastMark: BatchMark | undefined;
  /** Batches, in order, of which no later commit says that they are durable. */
  #unvouched: { readonly lsn: number; readonly segment: number; readonly offset: number }[] = [];
  #batchCount = 0;
  #changeCount = 0;
  #cutBytes = 0;
  /** Whether anything in a segment is ours, as far as it was asked. */
  readonly #begun = new Map<number, boolean>();
  /** Segments that could not be read at all, with their sizes: they stay where they are. */
  readonly #unreadable = new Map<number, number>();
  /** The segment whose end is damaged, so that nothing is cut off, or written there; and how much the disk could not read. */
  #damagedTail: { readonly segment: number; readonly sizeBytes: number } | undefined;
  /** The last record that was taken. */
  #lastTaken:
    | { readonly lsn: number; readonly offset: number; readonly endOffset: number; readonly in: SegmentAtHand }
    | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#lastMark = options.from;
    if (options.from !== undefined) this.#expectedLsn = options.from.lsn + 1;
  }

  async run(): Promise<Recovered> {
    const { disk, folder, from } = this.#options;
    const numbers = (await disk.list(folder)).map(segmentNumber).filter((number) => number !== undefined);
    await this.#readLedger(numbers);
    this.#numbers = numbers.filter((number) => !this.#removed?.has(number)).sort((a, b) => a - b);
    const first = from === undefined ? 0 : this.#numbers.indexOf(from.segment);
    if (first < 0) {
      const there = this.#numbers.length === 0 ? 'it has no segments' : `its last segment is ${this.#numbers.at(-1)}`;
      throw new IndexAheadError(
        `The index has the journal up to record ${from?.lsn} in segment ${from?.segment}, which is not there: ${there}.`,
      );
    }
    let ended = false;
    for (let index = first; index < this.#numbers.length && !ended; index += 1) {
      ended = await this.#readSegment(this.#numbers[index] ?? 0, index === first ? from : undefined);
    }
    return this.#finish();
  }

  /** Reads what compaction has removed. A segment of it that is there again has come back with a loss of power. */
  async #readLedger(numbers: readonly number[]): Promise<void> {
    const { disk, folder, readOnly = false } = this.#options;
    const removed = await RemovedSegments.read({ disk, folder });
    this.#removed = removed;
    if (removed.damaged) {
      const what = 'the list of removed segments cannot be read: segments that are missing look like damage';
      await reportDamage(this.#options, { name: removedName, offset: 0, sizeBytes: removed.sizeBytes, what });
    }
    const returned = numbers.filter((number) => removed.has(number));
    if (returned.length === 0 || readOnly) return;
    try {
      // Once they are gone, what says that they may be must not be.
      await removed.writeAgain();
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      return; // they stay, unread, and the next opening tries again
    }
    for (const number of returned) await disk.remove(join(folder, segmentName(number)));
  }

  /** Reads one segment; answers true when the journal ends in it. */
  async #readSegment(number: number, from: BatchMark | undefined): Promise<boolean> {
    const segment = await this.#openSegment(number);
    if (segment === undefined) return false;
    try {
      let offset = segmentHeaderSizeBytes;
      if (from !== undefined) offset = await this.#findMark(segment, from);
      while (offset < segment.fileSizeBytes) {
        const record = await segment.scanner.read(offset);
        const holds = record !== undefined && record.head.lsn === this.#expectedLsn;
        if (holds && (await this.#bodyHolds(segment, record))) {
          await this.#take(segment, record);
          offset = record.endOffset;
          continue;
        }
        if ((await this.#highestDurable(segment, offset)) < this.#expectedLsn) {
          if (segment.scanner.unreadableEnd <= offset) {
            this.#cutBytes += segment.fileSizeBytes - offset;
            return true;
          }
          // No loss of power leaves a sector that cannot be read: what was there may have been acknowledged.
          this.#damagedTail = { segment: number, sizeBytes: segment.fileSizeBytes - offset };
        }
        offset = holds ? await this.#takeDamagedBody(segment, record) : await this.#skipDamage(segment, offset);
      }
      return false;
    } finally {
      await segment.file.close();
      this.#options.onSegment?.({ file: `journal/${segment.name}`, sizeBytes: segment.fileSizeBytes });
    }
  }

  async #openSegment(number: number): Promise<SegmentAtHand | undefined> {
    const { disk, folder, storeId } = this.#options;
    const name = segmentName(number);
    const file = await disk.open(join(folder, name), 'read');
    const fileSizeBytes = await file.sizeBytes();
    const { from } = this.#options;
    if (from?.segment === number && fileSizeBytes < from.offset + commitRecordSizeBytes) {
      await file.close();
      throw new IndexAheadError(
        `The index has the journal up to record ${from.lsn} at ${name}:${from.offset}, and that file has ${fileSizeBytes} bytes.`,
      );
    }
    const bytes = Buffer.alloc(segmentHeaderSizeBytes + 8);
    const { count } = await readAround(file, bytes, 0);
    const header = decodeSegmentHeader(bytes.subarray(0, count));
    if (header !== undefined && !header.storeId.equals(storeId)) {
      await file.close();
      throw new StoreError('Corrupt', {
        message: `journal/${name} belongs to another store than FORMAT names. Put this data folder's own segments back, or move this one out; if all segments are of one store, and FORMAT has changed by a digit, \`stowage fsck --repair\` mends it.`,
      });
    }
    // With a damaged header, the salt is taken from the first record.
    const guessed = bytes.readUInt32BE(segmentHeaderSizeBytes) === recordMagic;
    if (header === undefined && !guessed) {
      await file.close();
      // A rotation that was interrupted leaves a last segment that ends before its first record.
      if (number === this.#numbers.at(-1) && fileSizeBytes <= segmentHeaderSizeBytes) return undefined;
      this.#unreadable.set(number, fileSizeBytes);
      await reportDamage(this.#options, {
        name,
        offset: 0,
        sizeBytes: fileSizeBytes,
        what: 'neither its header nor its first record can be read',
      });
      return undefined;
    }
    const salt = header?.salt ?? bytes.readUInt32BE(segmentHeaderSizeBytes + 4);
    this.#expectedLsn = this.#removed?.skip(this.#expectedLsn) ?? this.#expectedLsn;
    if (header === undefined) {
      await reportDamage(this.#options, {
        name,
        offset: 0,
        sizeBytes: segmentHeaderSizeBytes,
        what: 'its header is damaged',
      });
    } else if (header.firstLsn > this.#expectedLsn && this.#options.from?.segment !== number) {
      const missing = `records ${this.#expectedLsn} to ${header.firstLsn - 1} are missing before it`;
      const records = { first: this.#expectedLsn, last: header.firstLsn - 1 };
      await reportDamage(this.#options, { name, offset: 0, sizeBytes: 0, what: missing, records });
      this.#expectedLsn = header.firstLsn;
    }
    const scanner = new SegmentScanner(file, { salt, fileSizeBytes });
    return { number, name, salt, firstLsn: header?.firstLsn, file, fileSizeBytes, scanner };
  }

  /**
   * The offset behind the batch that the index has last. When nothing can be read where its commit record stood, the index
   * vouches for it, as long as the file goes so far and what stands around it is of that time.
   */
  async #findMark(segment: SegmentAtHand, from: BatchMark): Promise<number> {
    const { scanner, fileSizeBytes, number, salt, name } = segment;
    const record = await scanner.read(from.offset);
    const found = record?.head.lsn === from.lsn ? { endOffset: record.endOffset, commit: commitOf(record) } : undefined;
    const behindMark = found?.endOffset ?? from.offset + commitRecordSizeBytes;
    const around = found?.commit === undefined ? await lookAround(segment, from, behindMark) : undefined;
    // In place of a lost commit, the index names the last record of its batch (`#takeLostCommit`).
    this.#changeCount = found?.commit?.changeCount ?? (around?.changeCount ?? 0) + (found === undefined ? 0 : 1);
    this.#batchStart = { segment: number, salt, offset: behindMark, lsn: this.#expectedLsn };
    if (found !== undefined) return behindMark;
    if (record !== undefined || around === undefined) {
      throw new IndexAheadError(
        `The index has the journal up to record ${from.lsn} at ${name}:${from.offset}, and it is not there.`,
      );
    }
    const { lastLsn, lastEnd, goesOnBehind } = around;
    if (goesOnBehind || (lastEnd === from.offset && lastLsn === from.lsn - 1)) {
      const what = `record ${from.lsn}, the commit of the last batch that the index has, cannot be read`;
      const records = { first: from.lsn, last: from.lsn };
      await reportDamage(
        this.#options,
        { name, offset: from.offset, sizeBytes: commitRecordSizeBytes, what, records },
        segment,
      );
      return behindMark;
    }
    const records = { first: lastLsn + 1, last: from.lsn };
    const what = `${recordsInWords(records.first, records.last)}, the last that the index has, cannot be read`;
    const place = { offset: lastEnd, sizeBytes: fileSizeBytes - lastEnd, records };
    await reportDamage(this.#options, { name, ...place, what }, segment);
    const unreadBytes = scanner.unreadableEnd > behindMark ? fileSizeBytes - behindMark : 0;
    this.#damagedTail = { segment: number, sizeBytes: unreadBytes };
    this.#batchStart = { segment: number, salt, offset: lastEnd, lsn: this.#expectedLsn };
    return fileSizeBytes;
  }

  async #bodyHolds(segment: SegmentAtHand, record: ScannedRecord): Promise<boolean> {
    if (record.head.bodySizeBytes === 0) return true;
    if (record.body.length < record.head.bodySizeBytes) return false;
    const location = locationOf(this.#factOf(segment, record).row);
    return location.kind === 'journal' && findBadBlock(record.body, location.checksums, 0) === undefined;
  }

  async #take(segment: SegmentAtHand, record: ScannedRecord): Promise<void> {
    const { lsn, code } = record.head;
    this.#batchStart ??= { segment: segment.number, salt: segment.salt, offset: record.offset, lsn };
    this.#expectedLsn = lsn + 1;
    this.#lastTaken = { lsn, offset: record.offset, endOffset: record.endOffset, in: segment };
    if (code === markCodes.opened || code === markCodes.closed || code === markCodes.lost) return;
    const commit = commitOf(record);
    if (commit === undefined) {
      this.#facts.push(this.#factOf(segment, record));
      return;
    }
    while ((this.#unvouched[0]?.lsn ?? Number.POSITIVE_INFINITY) <= commit.durableLsn) this.#unvouched.shift();
    // The first batch of a segment is expected behind the end of the one before.
    const begins = this.#batchStart.segment === segment.number ? this.#batchStart.offset : segmentHeaderSizeBytes;
    this.#unvouched.push({ lsn, segment: segment.number, offset: begins });
    const mark = { lsn, segment: segment.number, offset: record.offset };
    await this.#options.onBatch(this.#facts, mark);
    this.#facts = [];
    this.#batchStart = { segment: segment.number, salt: segment.salt, offset: record.endOffset, lsn: lsn + 1 };
    this.#lastMark = mark;
    this.#changeCount = commit.changeCount;
    this.#batchCount += 1;
  }

  async #takeDamagedBody(segment: SegmentAtHand, record: ScannedRecord): Promise<number> {
    const { offset } = record;
    const sizeBytes = Math.min(record.endOffset, segment.fileSizeBytes) - offset;
    const what = `the body of record ${record.head.lsn} fails its checksum`;
    await reportDamage(this.#options, { name: segment.name, offset, sizeBytes, what, bodyOnly: true }, segment);
    await this.#take(segment, record);
    return record.endOffset;
  }

  async #skipDamage(segment: SegmentAtHand, offset: number): Promise<number> {
    const { next, endOffset, ...stretch } = await findDamagedStretch(segment.scanner, offset, this.#expectedLsn);
    const nextLsn = next?.head.lsn;
    const { description: what, records } = stretch;
    const place = { offset, sizeBytes: endOffset - offset, ...(records === undefined ? undefined : { records }) };
    await reportDamage(this.#options, { name: segment.name, ...place, what }, segment);
    if (nextLsn !== undefined) this.#expectedLsn = nextLsn;
    else if (segment.scanner.unreadableEnd > offset) {
      this.#damagedTail = { segment: segment.number, sizeBytes: segment.fileSizeBytes - offset };
    }
    return endOffset;
  }

  /** How far others, commits behind an offset, and all later segments, say that the journal was durable. */
  async #highestDurable(segment: SegmentAtHand, offset: number): Promise<number> {
    const { known = { lsn: 0 } } = this.#options;
    if (known.lsn >= this.#expectedLsn) return known.lsn;
    for (const number of this.#numbers) {
      if (number <= segment.number) continue;
      const begun = this.#begun.get(number) ?? (await isBegun(this.#options, number));
      this.#begun.set(number, begun);
      if (begun) return Number.POSITIVE_INFINITY;
    }
    return segment.scanner.highestDurable(offset);
  }

  async #finish(): Promise<Recovered> {
    const { disk, folder, readOnly = false } = this.#options;
    await this.#takeLostCommit();
    const start = this.#batchStart;
    // Whatever lies behind the last committed batch was never acknowledged.
    const kept = start?.segment ?? this.#lastMark?.segment ?? 0;
    const dropped = readOnly ? [] : this.#numbers.filter((number) => number > kept && !this.#unreadable.has(number));
    for (const number of dropped) await disk.remove(join(folder, segmentName(number)));
    if (dropped.length > 0) await disk.syncFolder(folder);
    const [from] = this.#unvouched;
    if (start !== undefined && from !== undefined && !readOnly) await writeAgain(this.#options, { from, end: start });
    const nextLsn = start?.lsn ?? (this.#lastMark === undefined ? 1 : this.#lastMark.lsn + 1);
    // Numbers that may stand in what cannot be read now are left out, in case that it can be read again one day.
    const behind = [...this.#unreadable].filter(([number]) => number >= kept).map(([, sizeBytes]) => sizeBytes);
    const tail = this.#damagedTail?.segment === kept ? this.#damagedTail : undefined;
    const unreadBytes = behind.reduce((total, sizeBytes) => total + sizeBytes, tail?.sizeBytes ?? 0);
    // Numbers are left out only between two segments: within one they would look like damage for good.
    const goesOn = start !== undefined && tail === undefined && unreadBytes === 0;
    const here = {
      segment: goesOn ? { number: start.segment, salt: start.salt, position: start.offset } : undefined,
      lastSegmentNumber: Math.max(kept, ...this.#unreadable.keys()),
      nextLsn: nextLsn + Math.floor(unreadBytes / recordOverheadBytes),
    };
    const end =
      (await findLostEnd(this.#options, {
        kept,
        nextLsn: here.nextLsn,
        removed: this.#removed?.last,
        unreadable: this.#unreadable,
      })) ?? here;
    return {
      end: { ...end, changeCount: this.#changeCount },
      lastMark: this.#lastMark,
      batchCount: this.#batchCount,
      cutBytes: this.#cutBytes,
    };
  }

  /**
   * When the journal ends within a batch, and had come further than that, the batch was committed: its commit record is lost,
   * and what can be read of it counts. A later reader comes to the same by the next commit record.
   */
  async #takeLostCommit(): Promise<void> {
    const { known = { lsn: 0 } } = this.#options;
    const last = this.#lastTaken;
    if (this.#facts.length === 0 || last === undefined || known.lsn <= last.lsn) return;
    const mark = { lsn: last.lsn, segment: last.in.number, offset: last.offset };
    this.#changeCount += this.#facts.filter(({ type }) => isChange(type)).length;
    await this.#options.onBatch(this.#facts, mark);
    this.#facts = [];
    this.#batchStart = { segment: last.in.number, salt: last.in.salt, offset: last.endOffset, lsn: last.lsn + 1 };
    this.#lastMark = mark;
    this.#batchCount += 1;
  }

  #factOf(segment: SegmentAtHand, record: ScannedRecord): Fact {
    try {
      return readFactHeader(record.head.code, record.header);
    } catch (cause) {
      throw new StoreError('UnsupportedFormat', {
        message: `journal/${segment.name} holds a record at ${record.offset} that this version does not know.`,
        cause,
      });
    }
  }
}
