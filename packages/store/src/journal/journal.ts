// The writing end of the journal: lays batches into the current segment, one at a time, and rotates to a new one when it
// is full. Segments are filled with zeros a little ahead, so that a small durable write need not also make new blocks of the
// file durable. Nothing is removed here: segments go only by compaction, which is not built yet.

import { join } from 'node:path';
import type { Fact } from '../catalog/facts.ts';
import { type Disk, type DiskFile, isDiskFull } from '../disk/disk.ts';
import type { Durability } from '../object-store.ts';
import { BatchBuffer } from './batch.ts';
import type { markCodes } from './record.ts';
import { encodeSegmentHeader, segmentHeaderSizeBytes, segmentName } from './segment.ts';

/** When a segment has reached it, the next batch goes into a new one. */
export const segmentSizeBytes = 56 * 1024 * 1024;

/** Zeros are written this far ahead, in such steps, while batches are small. */
const zeroAheadBytes = 2 * 1024 * 1024;
const zeroStepBytes = 1024 * 1024;
const zeros = Buffer.alloc(zeroStepBytes);
/** Larger batches pay for new blocks by themselves: writing them twice would cost more. */
const maxBatchBytesForZeros = 256 * 1024;

interface JournalOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly storeId: Buffer;
  readonly durability: Durability;
  readonly random: (sizeBytes: number) => Uint8Array;
  /** A write or sync has failed for another reason than lack of room: nothing may be written any more. */
  readonly onFailure: (cause: unknown) => void;
}

/** Where recovery has found the journal's end. */
export interface JournalEnd {
  /** The segment to go on with; absent: a new one is begun. */
  readonly segment: { readonly number: number; readonly salt: number; readonly position: number } | undefined;
  readonly lastSegmentNumber: number;
  readonly nextLsn: number;
}

/** Where a batch lies: what the index remembers to know from where to go on. */
export interface BatchMark {
  /** Number of the batch's commit record. */
  readonly lsn: number;
  readonly segment: number;
  readonly offset: number;
}

interface OpenSegment {
  readonly number: number;
  readonly salt: number;
  readonly file: DiskFile;
  position: number;
  /** Zeros have been written up to here. */
  zeroedUntil: number;
  zeroing: Promise<void> | undefined;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #batch = new BatchBuffer();
  #segment: OpenSegment | undefined;
  #lastSegmentNumber: number;
  #nextLsn: number;
  #durableLsn: number;
  #syncTimer: NodeJS.Timeout | undefined;
  #rotating: Promise<void> | undefined;

  private constructor(options: JournalOptions, end: JournalEnd) {
    this.#options = options;
    this.#lastSegmentNumber = end.lastSegmentNumber;
    this.#nextLsn = end.nextLsn;
    this.#durableLsn = end.nextLsn - 1;
  }

  static async open(options: JournalOptions, end: JournalEnd): Promise<Journal> {
    const journal = new Journal(options, end);
    if (end.segment !== undefined) {
      const { number, salt, position } = end.segment;
      const path = join(options.folder, segmentName(number));
      const file = await options.disk.open(path, journal.#openMode());
      await file.truncate(position);
      await file.sync();
      journal.#segment = { number, salt, file, position, zeroedUntil: position, zeroing: undefined };
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

  /** Begins a batch: afterwards facts can be added, and learn their place. */
  async begin(): Promise<void> {
    if (this.#segment === undefined || this.#segment.position >= segmentSizeBytes) {
      this.#rotating = this.#rotate();
      try {
        await this.#rotating;
      } finally {
        this.#rotating = undefined;
      }
    }
    this.#restart();
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
   * Writes the batch. It is durable when this resolves, at durability `strict`. When it rejects for lack of room, the
   * batch is cut off again and another may be begun; for any other reason, the journal must not be written to any more.
   */
  async write(committedAtMs: number): Promise<BatchMark> {
    const segment = this.#segment;
    if (segment === undefined) throw new Error('A batch was written before it was begun.');
    const start = segment.position;
    const { commitOffset, chunks } = this.#batch.finish({ committedAtMs, durableLsn: this.#durableLsn });
    const end = start + this.#batch.sizeBytes;
    // Zeros that are still on their way must not land on the batch.
    if (end > segment.zeroedUntil && segment.zeroing !== undefined) await segment.zeroing;
    try {
      await segment.file.write(chunks, start);
    } catch (cause) {
      if (isDiskFull(cause)) await this.#cut(segment);
      throw cause;
    }
    segment.position = end;
    segment.zeroedUntil = Math.max(segment.zeroedUntil, end);
    const lsn = this.#batch.nextLsn - 1;
    this.#nextLsn = lsn + 1;
    this.#afterWrite(segment, end - start, lsn);
    return { lsn, segment: segment.number, offset: commitOffset };
  }

  /** Makes everything written so far durable, whatever the durability. */
  async sync(): Promise<void> {
    const lsn = this.#nextLsn - 1;
    // While segments change, the full one is on its way to the disk and is nobody's current one.
    await this.#rotating;
    if (this.#durableLsn >= lsn) return;
    if (this.#segment === undefined) throw new Error('The journal cannot be made durable: it has lost its segment.');
    await this.#segment.file.sync();
    this.#durableLsn = Math.max(this.#durableLsn, lsn);
  }

  /** Closes the current segment, without the zeros behind its end when it is intact. */
  async close(intact: boolean): Promise<void> {
    clearTimeout(this.#syncTimer);
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment === undefined) return;
    await segment.zeroing;
    if (intact) {
      await segment.file.truncate(segment.position);
      await segment.file.sync();
    }
    await segment.file.close();
  }

  #restart(): void {
    const segment = this.#segment;
    if (segment === undefined) throw new Error('The journal has no segment.');
    const { number, salt, position } = segment;
    this.#batch.begin({ segment: number, salt, position, firstLsn: this.#nextLsn });
  }

  #openMode(): 'durable' | 'write' {
    return this.#options.durability.level === 'strict' ? 'durable' : 'write';
  }

  async #rotate(): Promise<void> {
    const { disk, folder, storeId, random } = this.#options;
    const full = this.#segment;
    this.#segment = undefined;
    if (full !== undefined) {
      await full.zeroing;
      await full.file.truncate(full.position);
      await full.file.sync();
      this.#durableLsn = this.#nextLsn - 1;
      await full.file.close();
    }
    const number = this.#lastSegmentNumber + 1;
    const path = join(folder, segmentName(number));
    const salt = Buffer.from(random(4)).readUInt32BE(0);
    await disk.remove(path); // what a rotation left behind that found no room
    const file = await disk.create(path, this.#openMode());
    try {
      await file.write([encodeSegmentHeader({ number, salt, firstLsn: this.#nextLsn, storeId })], 0);
      await file.sync();
      await disk.syncFolder(folder);
    } catch (cause) {
      await file.close();
      throw cause;
    }
    this.#lastSegmentNumber = number;
    const position = segmentHeaderSizeBytes;
    this.#segment = { number, salt, file, position, zeroedUntil: position, zeroing: undefined };
  }

  /** Removes what a failed write may have left: its records must never be taken for later ones. */
  async #cut(segment: OpenSegment): Promise<void> {
    await segment.zeroing;
    await segment.file.truncate(segment.position);
    await segment.file.sync();
    segment.zeroedUntil = segment.position;
  }

  #afterWrite(segment: OpenSegment, batchBytes: number, lsn: number): void {
    const { durability } = this.#options;
    if (durability.level === 'strict') {
      this.#durableLsn = lsn;
      const ahead = segment.zeroedUntil - segment.position;
      const wanted = batchBytes <= maxBatchBytesForZeros && ahead < zeroAheadBytes;
      if (wanted && segment.zeroing === undefined) segment.zeroing = this.#writeZeros(segment);
    }
    if (durability.level === 'interval') {
      this.#syncTimer ??= setTimeout(() => {
        this.#syncTimer = undefined;
        this.sync().catch(this.#options.onFailure);
      }, durability.intervalMs);
    }
  }

  async #writeZeros(segment: OpenSegment): Promise<void> {
    const start = segment.zeroedUntil;
    try {
      await segment.file.write([zeros], start);
      segment.zeroedUntil = Math.max(segment.zeroedUntil, start + zeroStepBytes);
    } catch (cause) {
      // No room for zeros: batches take what is left until they find none themselves.
      if (!isDiskFull(cause)) this.#options.onFailure(cause);
    } finally {
      segment.zeroing = undefined;
    }
  }
}
