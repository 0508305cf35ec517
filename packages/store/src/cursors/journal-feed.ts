// The journal as a source of changes: how far it may be read, and who waits for more. What is visible is told by the
// committer, what is durable by the journal; the end of both is where readers stop.

import { join } from 'node:path';
import type { ChangePosition } from '../catalog/cursor-row.ts';
import type { BatchEnd, Journal } from '../journal/journal.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { ChangeReader, ChangeSource } from './change-source.ts';
import { JournalReader, type JournalReaderOptions } from './journal-reader.ts';
import { Timeline } from './timeline.ts';
import { Waiters } from './waiters.ts';

/** What buckets write that need not be durable is made so, after this time at the latest, while somebody waits to read it. */
const syncForReadersMs = 1000;

interface JournalFeedOptions extends Omit<JournalReaderOptions, 'end'> {
  readonly journal: Journal;
}

export class JournalFeed implements ChangeSource {
  readonly #options: JournalFeedOptions;
  readonly #readerOptions: JournalReaderOptions;
  readonly #waiters = new Waiters();
  readonly #timeline: Timeline;
  /** Lengths of segments that are full, by number: those that a cursor may need. */
  readonly #sizes = new Map<number, number>();
  #visible: BatchEnd;
  #end: BatchEnd;

  /** Only once the store is open: everything recovered, and the journal durable. `from`: the first segment that is needed. */
  static async open(options: JournalFeedOptions, from: number | undefined): Promise<JournalFeed> {
    const feed = new JournalFeed(options);
    if (from !== undefined) await feed.#measure(from);
    return feed;
  }

  private constructor(options: JournalFeedOptions) {
    this.#options = options;
    this.#visible = options.journal.writtenEnd;
    this.#end = options.journal.durableEnd;
    this.#timeline = new Timeline(this.#end.changeCount);
    this.#readerOptions = { ...options, end: () => this.#end };
  }

  get end(): ChangePosition {
    const { lsn, segment, offset, changeCount, committedAtMs } = this.#end;
    return { sequence: lsn, segment, offset, changeCount, atMs: committedAtMs };
  }

  /** A batch has become visible. */
  noteVisible(end: BatchEnd): void {
    if (end.changeCount > this.#visible.changeCount) this.#timeline.add(end.changeCount, end.committedAtMs);
    this.#visible = end;
    this.noteDurable();
  }

  /** More of the journal may have become durable. */
  noteDurable(): void {
    const durable = this.#options.journal.durableEnd;
    const end = durable.lsn < this.#visible.lsn ? durable : this.#visible;
    if (end.lsn > this.#end.lsn) {
      if (end.segment > this.#end.segment) this.#noteFull(this.#end, end);
      this.#end = end;
      this.#waiters.wake();
    }
    if (this.#waiters.count > 0) this.#syncForReaders();
  }

  /** The first segment of those that stand in a row up to the end; what lies before a gap is no use to anyone. */
  async oldest(): Promise<ChangePosition> {
    const { disk, folder } = this.#options;
    const standing = new Set((await disk.list(folder)).map(segmentNumber));
    let segment = this.#end.segment;
    while (standing.has(segment - 1)) segment -= 1;
    await this.#measure(segment);
    const reader = new JournalReader(this.#readerOptions, { ...nowhere, segment });
    try {
      return await reader.begin();
    } finally {
      await reader.close();
    }
  }

  reader(from: ChangePosition): ChangeReader {
    return new JournalReader(this.#readerOptions, from);
  }

  async waitBeyond(seen: ChangePosition, signals: readonly AbortSignal[]): Promise<void> {
    if (this.#end.lsn > seen.sequence) return;
    const waiting = this.#waiters.wait(signals);
    this.#syncForReaders();
    await waiting;
  }

  bytesBetween(from: ChangePosition, to: ChangePosition): number {
    let bytes = to.offset - from.offset;
    for (let segment = from.segment; segment < to.segment; segment += 1) bytes += this.#sizes.get(segment) ?? 0;
    return Math.max(0, bytes);
  }

  firstAtMs(from: ChangePosition): number | undefined {
    return this.#timeline.firstAfter(from.changeCount);
  }

  close(): void {
    this.#waiters.close();
  }

  #syncForReaders(): void {
    if (this.#visible.changeCount > this.#end.changeCount) this.#options.journal.syncWithin(syncForReadersMs);
  }

  /** Takes note of how long the segment was that has been left, and of any that came and went unseen: they are as long. */
  #noteFull(left: BatchEnd, reached: BatchEnd): void {
    for (let segment = left.segment; segment < reached.segment; segment += 1) this.#sizes.set(segment, left.offset);
  }

  async #measure(from: number): Promise<void> {
    const { disk, folder } = this.#options;
    for (const name of await disk.list(folder)) {
      const number = segmentNumber(name);
      if (number === undefined || number < from || number >= this.#end.segment || this.#sizes.has(number)) continue;
      const file = await disk.open(join(folder, name), 'read');
      this.#sizes.set(number, await file.sizeBytes().finally(() => file.close()));
    }
  }
}

const nowhere: ChangePosition = { sequence: 0, segment: 0, offset: 0, changeCount: 0, atMs: 0 };
