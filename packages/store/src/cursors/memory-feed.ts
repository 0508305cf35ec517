// The changes of a store in memory: kept from the first cursor on, in a list with an end. Without cursors it keeps nothing.

import { isChange } from '../catalog/change-facts.ts';
import { type ChangePosition, decodeCursorRow } from '../catalog/cursor-row.ts';
import type { Fact } from '../catalog/facts.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import type { ChangeReader, ChangeSource, PlacedChange } from './change-source.ts';
import { describeChange } from './describe-change.ts';
import { Waiters } from './waiters.ts';

/** Changes kept for cursors that have not acknowledged them; beyond it the oldest go, and cursors are told. */
const maxKeptChanges = 100_000;
/** Bytes of their rows, likewise. */
const maxKeptBytes = 64 * 1024 * 1024;

interface KeptChange {
  readonly fact: Fact;
  readonly sequence: number;
  readonly atMs: number;
  readonly changeCount: number;
  /** Of all changes ever kept, this one included. */
  readonly bytesUntil: number;
}

export class MemoryFeed implements ChangeSource {
  readonly #index: IndexReader;
  readonly #waiters = new Waiters();
  /** What each cursor has acknowledged. */
  readonly #cursors = new Map<string, number>();
  #kept: KeptChange[] = [];
  /** Everything up to here is not kept. */
  #before: ChangePosition & { readonly bytesUntil: number } = { ...beginning, bytesUntil: 0 };
  #end: ChangePosition = beginning;
  #bytes = 0;

  constructor(index: IndexReader) {
    this.#index = index;
  }

  get end(): ChangePosition {
    return this.#end;
  }

  /** Takes note of a commit. */
  add(fact: Fact, commit: { readonly sequence: number; readonly atMs: number }): void {
    if (fact.type === 'cursorPut') this.#noteCursor(fact, decodeCursorRow(fact.row).sequence);
    else if (fact.type === 'cursorGone') this.#noteCursor(fact, undefined);
    if (!isChange(fact.type)) return;
    const { sequence, atMs } = commit;
    const changeCount = this.#end.changeCount + 1;
    this.#end = { ...this.#end, sequence, changeCount, atMs };
    if (this.#cursors.size === 0) {
      this.#before = { ...this.#end, bytesUntil: this.#bytes };
      return;
    }
    this.#bytes += fact.key.length + fact.row.length + (fact.manifest?.length ?? 0);
    this.#kept.push({ fact, sequence, atMs, changeCount, bytesUntil: this.#bytes });
    const tooMany = this.#kept.length > maxKeptChanges || this.#bytes - this.#before.bytesUntil > maxKeptBytes;
    // A tenth at a time, so that the list is not shifted for each change.
    if (tooMany) this.#drop(Math.ceil(this.#kept.length / 10));
    this.#waiters.wake();
  }

  async oldest(): Promise<ChangePosition> {
    return this.#before;
  }

  reader(from: ChangePosition): ChangeReader {
    return new MemoryReader(this, from);
  }

  async waitBeyond(seen: ChangePosition, signals: readonly AbortSignal[]): Promise<void> {
    if (this.#end.sequence <= seen.sequence) await this.#waiters.wait(signals);
  }

  bytesBetween(from: ChangePosition, to: ChangePosition): number {
    return this.#bytesUntil(to) - this.#bytesUntil(from);
  }

  firstAtMs(from: ChangePosition): number | undefined {
    return this.#kept[this.#indexAfter(from.sequence)]?.atMs;
  }

  /** Changes behind a position. */
  changesAfter(from: ChangePosition, limit: number): readonly PlacedChange[] {
    const changes: PlacedChange[] = [];
    let position = from;
    if (from.sequence < this.#before.sequence) {
      const { sequence, atMs } = this.#before;
      const description = `A store in memory keeps ${maxKeptChanges} changes at most; older ones were dropped.`;
      position = this.#before;
      const lost = { type: 'changesLost', sequence, firstSequence: from.sequence + 1, atMs, description } as const;
      changes.push({ change: lost, behind: position });
    }
    for (let at = this.#indexAfter(position.sequence); at < this.#kept.length && changes.length < limit; at += 1) {
      const kept = this.#kept[at];
      const change =
        kept === undefined
          ? undefined
          : describeChange(kept.fact, { sequence: kept.sequence, atMs: kept.atMs }, this.#index);
      if (kept === undefined || change === undefined) continue;
      const { sequence, atMs, changeCount } = kept;
      position = { ...position, sequence, atMs, changeCount };
      changes.push({ change, behind: position });
    }
    return changes;
  }

  close(): void {
    this.#waiters.close();
  }

  /** What every cursor has acknowledged is let go of. */
  #noteCursor({ key }: Fact, acknowledged: number | undefined): void {
    const name = key.toString('latin1');
    if (acknowledged === undefined) this.#cursors.delete(name);
    else this.#cursors.set(name, acknowledged);
    const least = Math.min(...this.#cursors.values()); // Infinity without cursors
    this.#drop(this.#indexAfter(least));
  }

  #drop(count: number): void {
    const last = this.#kept[count - 1];
    if (last === undefined) return;
    const { sequence, changeCount, atMs, bytesUntil } = last;
    this.#before = { ...beginning, sequence, changeCount, atMs, bytesUntil };
    this.#kept.splice(0, count);
  }

  #bytesUntil({ sequence }: ChangePosition): number {
    return this.#kept[this.#indexAfter(sequence) - 1]?.bytesUntil ?? this.#before.bytesUntil;
  }

  /** The place in the list of the first change behind a sequence. */
  #indexAfter(sequence: number): number {
    let low = 0;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle]?.sequence ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

class MemoryReader implements ChangeReader {
  readonly #feed: MemoryFeed;
  #position: ChangePosition;

  constructor(feed: MemoryFeed, from: ChangePosition) {
    this.#feed = feed;
    this.#position = from;
  }

  get position(): ChangePosition {
    return this.#position;
  }

  async read(limit: number): Promise<readonly PlacedChange[]> {
    const changes = this.#feed.changesAfter(this.#position, limit);
    this.#position = changes.at(-1)?.behind ?? this.#position;
    return changes;
  }

  async close(): Promise<void> {
    // It holds nothing open.
  }
}

const beginning: ChangePosition = { sequence: 0, segment: 0, offset: 0, changeCount: 0, atMs: 0 };
