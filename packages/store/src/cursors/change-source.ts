// Where cursors get changes from: the journal on disk (journal-feed.ts), or a bounded log in memory (memory-feed.ts).

import type { ChangePosition } from '../catalog/cursor-row.ts';
import type { Change } from './change-cursor.ts';

export interface ChangeSource {
  /** The end of what may be delivered: all before it is durable and visible. */
  readonly end: ChangePosition;
  /** The first place from which on nothing is missing. */
  oldest(): Promise<ChangePosition>;
  /** Opens a reader behind a position. */
  reader(from: ChangePosition): ChangeReader;
  /** Resolves when there is more than at `seen`, at once if there is already. @throws a signal's reason; StoreError `Closed`. */
  waitBeyond(seen: ChangePosition, signals: readonly AbortSignal[]): Promise<void>;
  /** What the journal holds between two positions. */
  bytesBetween(from: ChangePosition, to: ChangePosition): number;
  /** When the first change behind a position was committed, if that is known. */
  firstAtMs(from: ChangePosition): number | undefined;
}

/** A change with the position behind it. */
export interface PlacedChange {
  readonly change: Change;
  readonly behind: ChangePosition;
}

export interface ChangeReader {
  /** Between two reads: everything up to here was delivered, or is no change. */
  readonly position: ChangePosition;
  /** The next changes, none at the end. When it rejects, the position is what it was. */
  read(limit: number): Promise<readonly PlacedChange[]>;
  close(): Promise<void>;
}
