// Reads the changes in the journal's segments, behind a position and up to the end of what is durable and visible. It opens
// the files for itself and writes nothing, so it never meets a commit. Every record is held against its checksum and its
// number: what does not hold is looked for behind, and the stretch between is delivered as `changesLost`.
// Bodies are not read. Of a batch the commit record comes last, and has the time: it is looked up before the first change.

import { join } from 'node:path';
import { isChange } from '../catalog/change-facts.ts';
import type { ChangePosition } from '../catalog/cursor-row.ts';
import { type Disk, type DiskFile, isMissing } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { findDamagedStretch } from '../journal/damaged-stretch.ts';
import type { BatchEnd } from '../journal/journal.ts';
import { type CommitMark, factTypeOf, markCodes, readFactHeader, recordMagic } from '../journal/record.ts';
import { commitOf, type ScannedRecord, SegmentScanner } from '../journal/scanner.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentName } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import type { Change } from './change-cursor.ts';
import type { ChangeReader, PlacedChange } from './change-source.ts';
import { describeChange } from './describe-change.ts';

/** Headers of records in one page: a page ends early rather than hold more, after at least one change. */
const maxPageBytes = 16 * 1024 * 1024;

export interface JournalReaderOptions {
  readonly disk: Disk;
  /** The journal's. */
  readonly folder: string;
  readonly storeId: Buffer;
  /** For names of buckets, and parts of copied objects. */
  readonly index: IndexReader;
  /** Where reading ends, now. */
  readonly end: () => Pick<BatchEnd, 'lsn' | 'segment' | 'offset'>;
  readonly onDamage: (damage: StoreDamage) => void;
}

type RecordHeader = Omit<ScannedRecord, 'body'>;

interface SegmentAtHand {
  readonly number: number;
  readonly salt: number;
  readonly firstLsn: number;
  readonly file: DiskFile;
  /** Nothing behind it may be read yet. */
  readonly endOffset: number;
  readonly scanner: SegmentScanner;
}

type Found =
  | { readonly kind: 'record'; readonly record: RecordHeader; readonly segment: SegmentAtHand }
  | { readonly kind: 'lost'; readonly first: number; readonly last: number };

export class JournalReader implements ChangeReader {
  readonly #options: JournalReaderOptions;
  #position: ChangePosition;
  #segment: SegmentAtHand | undefined;
  /** The commit record of the batch that is being read. */
  #commit: (CommitMark & { readonly lsn: number }) | undefined;

  constructor(options: JournalReaderOptions, from: ChangePosition) {
    this.#options = options;
    this.#position = from;
  }

  get position(): ChangePosition {
    return this.#position;
  }

  async read(limit: number): Promise<readonly PlacedChange[]> {
    const start = this.#position;
    const changes: PlacedChange[] = [];
    let bytes = 0;
    try {
      while (changes.length < limit && bytes < maxPageBytes) {
        const found = await this.#next();
        if (found === undefined) break;
        const change = found.kind === 'lost' ? this.#lost(found) : await this.#take(found.record, found.segment);
        if (change === undefined) continue;
        changes.push({ change, behind: this.#position });
        bytes += found.kind === 'record' ? found.record.head.headerSizeBytes : 0;
      }
      return changes;
    } catch (cause) {
      this.#position = start;
      throw cause;
    }
  }

  /** Before the first record that can be read, with what is known there: the changes up to it, and the time of its batch. */
  async begin(): Promise<ChangePosition> {
    let found = await this.#next();
    while (found?.kind === 'lost') found = await this.#next();
    if (found === undefined) return this.#position;
    const { record, segment } = found;
    this.#position = { ...this.#position, sequence: record.head.lsn - 1, offset: record.offset };
    let changes = 0;
    for (let next: RecordHeader | undefined = record; next !== undefined; next = await after(segment, next)) {
      const commit = commitOf(next);
      if (commit !== undefined) {
        const { changeCount, committedAtMs: atMs } = commit;
        this.#position = { ...this.#position, changeCount: changeCount - changes, atMs };
        break;
      }
      if (isChangeRecord(next)) changes += 1;
    }
    return this.#position;
  }

  async close(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    await segment?.file.close();
  }

  /** Steps over the next record, or over a stretch of lost ones; `undefined` at the end. */
  async #next(): Promise<Found | undefined> {
    for (;;) {
      const end = this.#options.end();
      const { sequence } = this.#position;
      if (sequence >= end.lsn) return undefined;
      const segment = await this.#atHand(end);
      if (segment === undefined) return this.#skipTo(end.lsn); // what is missing at the end is missing for good
      const { offset } = this.#position;
      const record = (await segment.scanner.readHeader(offset)) ?? (await this.#behindDamage(segment, offset));
      if (record === undefined) {
        this.#position = { ...this.#position, offset: segment.endOffset };
        continue;
      }
      const { lsn } = record.head;
      if (lsn > sequence + 1) {
        this.#position = { ...this.#position, offset: record.offset };
        return this.#skipTo(lsn - 1);
      }
      this.#position = { ...this.#position, sequence: Math.max(lsn, sequence), offset: record.endOffset };
      if (lsn <= sequence) continue;
      return record.head.code === markCodes.lost
        ? this.#stepOverLost(segment, lsn)
        : { kind: 'record', record, segment };
    }
  }

  /** What a repair has written off, up to the last record in a row that stands for a lost one. */
  async #stepOverLost(segment: SegmentAtHand, first: number): Promise<Found> {
    let last = first;
    for (;;) {
      const record = await segment.scanner.readHeader(this.#position.offset);
      if (record?.head.code !== markCodes.lost || record.head.lsn !== last + 1) return { kind: 'lost', first, last };
      last = record.head.lsn;
      this.#position = { ...this.#position, sequence: last, offset: record.endOffset };
    }
  }

  #skipTo(last: number): Found {
    const first = this.#position.sequence + 1;
    this.#position = { ...this.#position, sequence: last };
    return { kind: 'lost', first, last };
  }

  /** The change of a record that was stepped over, if it is one. */
  async #take(record: RecordHeader, segment: SegmentAtHand): Promise<Change | undefined> {
    const commit = commitOf(record);
    if (commit !== undefined) {
      this.#position = { ...this.#position, changeCount: commit.changeCount, atMs: commit.committedAtMs };
      return undefined;
    }
    if (!isChangeRecord(record)) return undefined;
    const fact = readFactHeader(record.head.code, record.header); // a copy: finding the commit moves the scanner on
    const { lsn } = record.head;
    const { committedAtMs: atMs } = await this.#commitOfBatch(record, segment);
    this.#position = { ...this.#position, changeCount: this.#position.changeCount + 1, atMs };
    return describeChange(fact, { sequence: lsn, atMs }, this.#options.index);
  }

  /** The commit record behind a record. Without one, because it is damaged, the time before is the best there is. */
  async #commitOfBatch(record: RecordHeader, segment: SegmentAtHand): Promise<CommitMark> {
    if (this.#commit !== undefined && this.#commit.lsn >= record.head.lsn) return this.#commit;
    for (let next = await after(segment, record); next !== undefined; next = await after(segment, next)) {
      const commit = commitOf(next);
      if (commit === undefined) continue;
      this.#commit = { ...commit, lsn: next.head.lsn };
      return this.#commit;
    }
    return { committedAtMs: this.#position.atMs, durableLsn: 0, changeCount: 0 };
  }

  /** The next record behind what does not hold. */
  async #behindDamage(segment: SegmentAtHand, offset: number): Promise<RecordHeader | undefined> {
    const { next, ...stretch } = await findDamagedStretch(segment.scanner, offset, this.#position.sequence + 1);
    if (next === undefined) return undefined;
    const { endOffset, records } = stretch;
    this.#options.onDamage({
      file: `journal/${segmentName(segment.number)}`,
      offset,
      sizeBytes: endOffset - offset,
      description: `${stretch.description}; a cursor came upon it`,
      ...(records === undefined ? undefined : { records }),
    });
    return next;
  }

  #lost({ first, last }: Found & { readonly kind: 'lost' }): Change {
    const description = `Records ${first} to ${last} of the journal are missing or damaged.`;
    return { type: 'changesLost', sequence: last, firstSequence: first, atMs: this.#position.atMs, description };
  }

  /** The segment that the position lies in, with more to read behind it; the position moves on to it. */
  async #atHand(end: Pick<BatchEnd, 'segment' | 'offset'>): Promise<SegmentAtHand | undefined> {
    while (this.#position.segment <= end.segment) {
      const { segment: number, offset } = this.#position;
      if (this.#segment !== undefined && this.#segment.number !== number) await this.close();
      const known = this.#segment;
      if (known === undefined) this.#segment = await this.#open(number, end);
      else if (offset >= known.endOffset) this.#segment = await longer(known, end);
      if (this.#segment !== undefined) {
        if (offset === 0) {
          const { firstLsn } = this.#segment;
          this.#position = { ...this.#position, sequence: firstLsn - 1, offset: segmentHeaderSizeBytes };
        }
        if (this.#position.offset < this.#segment.endOffset) return this.#segment;
      }
      if (number === end.segment) return undefined;
      // A place at the beginning of a journal stays one until there is a segment.
      const beginning = offset === 0 && this.#segment === undefined;
      this.#position = { ...this.#position, segment: number + 1, offset: beginning ? 0 : segmentHeaderSizeBytes };
    }
    return undefined;
  }

  /** A segment, or `undefined` when it is gone or belongs to nobody. */
  async #open(number: number, end: Pick<BatchEnd, 'segment' | 'offset'>): Promise<SegmentAtHand | undefined> {
    const { disk, folder, storeId } = this.#options;
    let file: DiskFile;
    try {
      file = await disk.open(join(folder, segmentName(number)), 'read');
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cause;
    }
    try {
      const bytes = Buffer.alloc(segmentHeaderSizeBytes + 8);
      const { count: read } = await readAround(file, bytes, 0);
      const header = decodeSegmentHeader(bytes.subarray(0, read));
      // With a damaged header, the salt is taken from the first record; recovery has told of it.
      const guessed = bytes.readUInt32BE(segmentHeaderSizeBytes) === recordMagic;
      if (header === undefined ? !guessed : !header.storeId.equals(storeId)) {
        await file.close();
        return undefined;
      }
      const salt = header?.salt ?? bytes.readUInt32BE(segmentHeaderSizeBytes + 4);
      const endOffset = number === end.segment ? end.offset : await file.sizeBytes();
      const scanner = new SegmentScanner(file, { salt, fileSizeBytes: endOffset });
      const firstLsn = header?.firstLsn ?? (await scanner.readHeader(segmentHeaderSizeBytes))?.head.lsn ?? 1;
      return { number, salt, firstLsn, file, endOffset, scanner };
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }
}

/** A segment as far as it may be read by now. */
async function longer(segment: SegmentAtHand, end: Pick<BatchEnd, 'segment' | 'offset'>): Promise<SegmentAtHand> {
  const { number, salt, file } = segment;
  const endOffset = number === end.segment ? end.offset : await file.sizeBytes();
  if (endOffset <= segment.endOffset) return segment;
  return { ...segment, endOffset, scanner: new SegmentScanner(file, { salt, fileSizeBytes: endOffset }) };
}

/** The record behind a record, in the same segment. */
async function after({ scanner }: SegmentAtHand, { endOffset }: RecordHeader): Promise<RecordHeader | undefined> {
  return (await scanner.readHeader(endOffset)) ?? (await scanner.findNext(endOffset));
}

function isChangeRecord({ head }: RecordHeader): boolean {
  const type = factTypeOf(head.code);
  return type !== undefined && isChange(type);
}
