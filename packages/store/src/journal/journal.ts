// The writing end of the journal: lays batches into the current segment, one at a time, and rotates to a new one when it
// is full. How durable a batch is when `write` resolves is told with it, because buckets differ; a durable batch makes all
// before it durable, too. Nothing is removed here: segments go only by compaction.

import { join } from 'node:path';
import type { Fact } from '../catalog/facts.ts';
import { type Disk, isDiskFull, lacksDescriptors } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';
import type { Durability } from '../object-store.ts';
import type { StoreSizes } from '../store-sizes.ts';
import { BatchBuffer } from './batch.ts';
import { OpenSegment } from './open-segment.ts';
import type { markCodes } from './record.ts';
import { encodeSegmentHeader, segmentHeaderSizeBytes, segmentName } from './segment.ts';

interface JournalOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly storeId: Buffer;
  /** Of batches that come without one of their own. */
  readonly durability: Durability;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly sizes: StoreSizes;
  /** Lost when a write fails for another reason than lack of room, or a sync for any. */
  readonly trust: DiskTrust;
  /** Whether zeros may be written ahead of the end. Default: always. */
  readonly mayWriteAhead?: () => boolean;
  /** More of the journal is durable than before: see `durableEnd`. */
  readonly onDurable?: () => void;
}

/** Where recovery has found the journal's end. */
export interface JournalEnd {
  /** The segment to go on with; absent: a new one is begun. */
  readonly segment: { readonly number: number; readonly salt: number; readonly position: number } | undefined;
  readonly lastSegmentNumber: number;
  readonly nextLsn: number;
  /** What the last commit record counts. */
  readonly changeCount: number;
}

/** Where a batch lies: what the index remembers to know from where to go on. */
export interface BatchMark {
  /** Number of the batch's commit record. */
  readonly lsn: number;
  readonly segment: number;
  readonly offset: number;
}

/** Where a batch ends, and what the journal holds up to there. */
export interface BatchEnd {
  /** Number of the batch's commit record. */
  readonly lsn: number;
  readonly segment: number;
  /** Behind the commit record. */
  readonly offset: number;
  /** Changes from the journal's beginning, those of this batch included (catalog/change-facts.ts). */
  readonly changeCount: number;
  readonly committedAtMs: number;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #zeros: Buffer;
  readonly #batch = new BatchBuffer();
  #segment: OpenSegment | undefined;
  #lastSegmentNumber: number;
  /** A batch that would begin here or further on begins a new segment instead. */
  #segmentEnd: number;
  /** The end of what is written, and of what is durable: batches between the two can be lost. */
  #written: BatchEnd;
  #durable: BatchEnd;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncDueMs = 0;
  #rotating: Promise<void> | undefined;

  private constructor(options: JournalOptions, end: JournalEnd) {
    this.#options = options;
    this.#zeros = Buffer.alloc(options.sizes.zeroAheadBytes / 2);
    this.#lastSegmentNumber = end.lastSegmentNumber;
    this.#segmentEnd = options.sizes.segmentSizeBytes;
    this.#written = {
      lsn: end.nextLsn - 1,
      segment: end.segment?.number ?? end.lastSegmentNumber,
      offset: end.segment?.position ?? segmentHeaderSizeBytes,
      changeCount: end.changeCount,
      committedAtMs: 0,
    };
    this.#durable = this.#written;
  }

  static async open(options: JournalOptions, end: JournalEnd): Promise<Journal> {
    const journal = new Journal(options, end);
    if (end.segment !== undefined) {
      const { number, salt, position } = end.segment;
      const path = join(options.folder, segmentName(number));
      const mode = journal.#openMode();
      const file = await options.disk.open(path, mode);
      await file.truncate(position);
      await file.sync();
      journal.#segment = journal.#opened({ path, number, salt, position, file, mode });
    }
    return journal;
  }

  get nextLsn(): number {
    return this.#batch.nextLsn;
  }

  get batchSizeBytes(): number {
    return this.#batch.sizeBytes;
  }

  get batchIsEmpty(): boolean {
    return this.#batch.isEmpty;
  }

  /** The end of what is written. */
  get writtenEnd(): BatchEnd {
    return this.#written;
  }

  /** The end of what survives power loss. */
  get durableEnd(): BatchEnd {
    return this.#durable;
  }

  /** Whether the next batch begins a new segment, which takes a few trips to the disk. */
  get beginsSegment(): boolean {
    return this.#segment === undefined || this.#segment.position >= this.#segmentEnd;
  }

  /** Begins a batch: afterwards facts can be added, and learn their place. */
  async begin(): Promise<void> {
    if (this.beginsSegment) {
      this.#rotating = this.#rotate();
      try {
        await this.#rotating;
      } finally {
        this.#rotating = undefined;
      }
    }
    this.#restart();
  }

  /** Has the next batch begin a new segment, however small the current one is. */
  endSegment(): void {
    this.#segmentEnd = 0;
  }

  /** Forgets what the batch holds; it goes on as if just begun. */
  restart(): void {
    this.#restart();
  }

  addFact(fact: Fact, body: Buffer | undefined): void {
    this.#batch.addFact(fact, body);
  }

  addMark(code: typeof markCodes.opened | typeof markCodes.closed): void {
    this.#batch.addMark(code);
  }

  /**
   * Writes the batch. At durability `strict` it is durable when this resolves, and all before it with it. When it rejects
   * for lack of room, the batch is cut off again and another may be begun; for any other reason, the journal must not be
   * written to any more.
   */
  async write(committedAtMs: number, durability: Durability = this.#options.durability): Promise<BatchMark> {
    const segment = this.#segment;
    if (segment === undefined) throw new Error('A batch was written before it was begun.');
    const start = segment.position;
    const changeCount = this.#written.changeCount + this.#batch.changeCount;
    const mark = { committedAtMs, durableLsn: this.#durable.lsn, changeCount };
    const { commitOffset, chunks } = this.#batch.finish(mark);
    const sizeBytes = this.#batch.sizeBytes;
    const lsn = this.#batch.nextLsn - 1;
    const strict = durability.level === 'strict';
    // Writing through makes these bytes durable and no others: while some before them are not, the whole file is synced.
    const writesThrough = strict && this.#durable.lsn === this.#written.lsn;
    await segment.append(chunks, sizeBytes, writesThrough ? 'durable' : 'write');
    this.#options.trust.require();
    this.#written = { lsn, segment: segment.number, offset: start + sizeBytes, changeCount, committedAtMs };
    if (writesThrough) this.#advance(this.#written);
    else if (strict) await this.#syncUntil(segment, this.#written);
    else if (durability.level === 'interval') this.syncWithin(durability.intervalMs);
    return { lsn, segment: segment.number, offset: commitOffset };
  }

  /** Makes everything written so far durable, whatever the durability. */
  async sync(): Promise<void> {
    const end = this.#written;
    // While segments change, the full one is on its way to the disk and is nobody's current one.
    await this.#rotating?.catch(() => undefined); // whoever wants the next segment is told; what is written is durable
    if (this.#durable.lsn >= end.lsn) return;
    if (this.#segment === undefined) throw new Error('The journal cannot be made durable: it has lost its segment.');
    await this.#syncUntil(this.#segment, end);
  }

  /** Has what is written so far be durable after this time at the latest. A failure stops all writing. */
  syncWithin(intervalMs: number): void {
    const dueMs = performance.now() + intervalMs;
    if (this.#syncTimer !== undefined && this.#syncDueMs <= dueMs) return;
    clearTimeout(this.#syncTimer);
    this.#syncDueMs = dueMs;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = undefined;
      this.sync().catch((cause: unknown) => this.#options.trust.lose(cause));
    }, intervalMs);
  }

  /** Closes the current segment, without the zeros behind its end when it is intact. */
  async close(intact: boolean): Promise<void> {
    clearTimeout(this.#syncTimer);
    const segment = this.#segment;
    this.#segment = undefined;
    await (intact ? segment?.finish() : segment?.close());
  }

  #restart(): void {
    const segment = this.#segment;
    if (segment === undefined) throw new Error('The journal has no segment.');
    const { number, salt, position } = segment;
    this.#batch.begin({ segment: number, salt, position, firstLsn: this.#written.lsn + 1 });
  }

  #openMode(): 'durable' | 'write' {
    return this.#options.durability.level === 'strict' ? 'durable' : 'write';
  }

  #opened(segment: Pick<ConstructorParameters<typeof OpenSegment>[0], OwnToSegment>): OpenSegment {
    const { disk, trust, mayWriteAhead = () => true } = this.#options;
    return new OpenSegment({ ...segment, disk, zeros: this.#zeros, trust, mayWriteAhead });
  }

  async #rotate(): Promise<void> {
    const { disk, folder, storeId, random, trust } = this.#options;
    const full = this.#segment;
    this.#segment = undefined;
    if (full !== undefined) {
      await trust.sync(() => full.finish());
      this.#advance(this.#written);
    }
    const number = this.#lastSegmentNumber + 1;
    const path = join(folder, segmentName(number));
    const salt = Buffer.from(random(4)).readUInt32BE(0);
    await disk.remove(path); // what a rotation left behind that found no room
    const mode = this.#openMode();
    const file = await disk.create(path, mode);
    try {
      await file.write([encodeSegmentHeader({ number, salt, firstLsn: this.#written.lsn + 1, storeId })], 0);
      await trust.sync(() => file.sync());
      await trust.sync(() => disk.syncFolder(folder));
    } catch (cause) {
      if (!isDiskFull(cause) && !lacksDescriptors(cause)) trust.lose(cause);
      await file.close();
      throw cause;
    }
    this.#lastSegmentNumber = number;
    this.#segmentEnd = this.#options.sizes.segmentSizeBytes;
    this.#segment = this.#opened({ path, number, salt, position: segmentHeaderSizeBytes, file, mode });
  }

  async #syncUntil(segment: OpenSegment, end: BatchEnd): Promise<void> {
    await this.#options.trust.sync(() => segment.sync());
    this.#advance(end);
  }

  #advance(end: BatchEnd): void {
    if (end.lsn <= this.#durable.lsn) return;
    this.#durable = end;
    this.#options.onDurable?.();
  }
}

type OwnToSegment = 'path' | 'number' | 'salt' | 'position' | 'file' | 'mode';
