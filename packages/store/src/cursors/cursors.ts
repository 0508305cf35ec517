// All cursors of a store: which are open, how far each is behind, and which segments of the journal they still need.

import type { ChangePosition } from '../catalog/cursor-row.ts';
import { requireCursorName } from '../catalog/cursor-row.ts';
import { findCursor, listCursorRows } from '../catalog/cursors.ts';
import type { Committer } from '../catalog/operations.ts';
import type { SegmentPins } from '../journal/segment-pins.ts';
import type { CursorStatus } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import type { ChangeCursor, OpenCursor } from './change-cursor.ts';
import type { ChangeSource } from './change-source.ts';
import { lagBehind, OpenedCursor } from './open-cursor.ts';

interface CursorsOptions {
  readonly index: IndexReader;
  readonly committer: Committer;
  readonly source: ChangeSource & { close(): void };
  readonly pins: SegmentPins;
}

/** What the cursors of a store still need of its journal: as far as is written down, so that a crash finds no less. */
export function cursorPins(index: IndexReader): SegmentPins {
  let held: Promise<unknown> = Promise.resolve();
  return {
    hold: (work) => {
      const result = held.then(work);
      held = result.catch(() => undefined); // whoever asked for it is told
      return result;
    },
    oldestNeededSegment: () => {
      const segments = listCursorRows(index).map(({ position }) => position.segment);
      return segments.length === 0 ? undefined : Math.min(...segments);
    },
  };
}

export class Cursors {
  readonly #options: CursorsOptions;
  /** A name without a cursor is one that is being opened. */
  readonly #open = new Map<string, OpenedCursor | undefined>();
  #closed = false;

  constructor(options: CursorsOptions) {
    this.#options = options;
  }

  /** @throws StoreError `CursorInUse`, `TooManyCursors`, `Closed`; RangeError for a wrong name. */
  async open(name: string, { start }: OpenCursor): Promise<ChangeCursor> {
    requireCursorName(name);
    if (this.#closed) throw new StoreError('Closed');
    if (this.#open.has(name)) throw new StoreError('CursorInUse', { details: { cursor: name } });
    this.#open.set(name, undefined);
    try {
      const { index, source, committer } = this.#options;
      const position = findCursor(index, name) ?? (await this.#create(name, start));
      if (this.#closed) throw new StoreError('Closed');
      const cursor = new OpenedCursor({
        name,
        source,
        position,
        move: (to) => committer.commit({ name: 'moveCursor', argument: { name, position: to } }),
        remove: () => committer.commit({ name: 'removeCursor', argument: name }),
        onClosed: () => this.#open.delete(name),
      });
      this.#open.set(name, cursor);
      return cursor;
    } catch (cause) {
      this.#open.delete(name);
      throw cause;
    }
  }

  /** By name. @throws StoreError `Closed`. */
  list(): readonly CursorStatus[] {
    if (this.#closed) throw new StoreError('Closed');
    return this.status;
  }

  /** As `list`; nothing once it is closed. */
  get status(): readonly CursorStatus[] {
    const { index, source } = this.#options;
    if (this.#closed) return [];
    return listCursorRows(index).map(({ name, position }) => {
      const open = this.#open.get(name);
      const lag = open?.lag() ?? lagBehind(source, position);
      return { name, open: open !== undefined, acknowledged: position.sequence, ...lag };
    });
  }

  /** Ends all reading. Places stay. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.source.close();
    await Promise.all([...this.#open.values()].map((cursor) => cursor?.close()));
  }

  #create(name: string, start: OpenCursor['start']): Promise<ChangePosition> {
    const { committer, source, pins } = this.#options;
    const now = start === 'now';
    return pins.hold(async () => {
      const position = now ? source.end : await source.oldest();
      return committer.commit({ name: 'createCursor', argument: { name, position, now } });
    });
  }
}
