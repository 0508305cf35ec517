// An ordered map from byte strings to byte strings: what the catalog is kept in. Reads are synchronous, and so is a
// scan: it sees one state of the index. Implementations: LMDB (lmdb-index.ts) and memory (memory-index.ts).

import type { Disk } from '../disk/disk.ts';

/** Opens the index in a folder as it was last made durable; with `fresh`, an empty one in place of whatever is there. */
export type OpenIndex = (place: IndexPlace) => Promise<OrderedIndex>;

export interface IndexPlace {
  readonly disk: Disk;
  readonly folder: string;
  /** Default: false. */
  readonly fresh?: boolean;
}

export interface IndexReader {
  /** The value at a key, which may be longer than any that has one. The bytes stay valid and are not to be changed. */
  get(key: Buffer): Buffer | undefined;
  /** Visits rows in byte order from `range.from` up to but without `range.to`, of any length, until `visit` returns false. */
  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void;
}

export interface IndexRange {
  readonly from: Buffer;
  /** Excluded. */
  readonly to: Buffer;
}

/** A reader whose writes are seen by itself at once. */
export interface IndexView extends IndexReader {
  put(key: Buffer, value: Buffer): void;
  delete(key: Buffer): void;
}

/** What one batch changes: by key in latin1, so that a map can hold it. */
export type IndexChanges = ReadonlyMap<string, IndexChange>;

export interface IndexChange {
  readonly key: Buffer;
  /** Absent: the row goes. */
  readonly value: Buffer | undefined;
}

export interface OrderedIndex extends IndexReader {
  /** Makes all changes visible at once. Durable only after `flush`; until then, opening may find an earlier state. */
  apply(changes: IndexChanges): void;
  /**
   * Resolves when all that was applied before this call survives power loss. `first` is awaited before anything of it can:
   * it makes durable what the index is a view of, so that the index is never ahead.
   */
  flush(first: () => Promise<void>): Promise<void>;
  /** Room on the disk that was taken since the last flush: what is replaced keeps its own until the next one. */
  growthBytes(): number;
  close(): Promise<void>;
}
