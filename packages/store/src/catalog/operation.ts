// What a writing method asks of a committer: to be judged at the commit, against the index and everything committed before.
// The operations themselves, by name, are the table in operations.ts.

import type { StagedContent } from '../blobs/staged-content.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import type { Fact } from './facts.ts';

export interface Operation<Result> {
  /** Whether it gives space back: such operations are still taken when the disk is full. */
  readonly frees: boolean;
  /** Whether compaction asks for it, which has room of its own. Default: false. */
  readonly compacts?: boolean;
  /** The bucket whose durability the commit has; absent: the store's usual one. */
  readonly bucket?: string;
  /** Durable when it is acknowledged, whatever the durability. Default: false. */
  readonly strict?: boolean;
  /** Bytes that the commit takes over; given up when the operation is refused. */
  readonly content?: StagedContent;
  /** Judges without changing anything. @throws StoreError when refused. */
  judge(view: IndexReader, moment: Moment): Verdict<Result>;
}

/** What a commit gives to those it judges. */
export interface Moment {
  /** The number of the record that is to come of it. */
  readonly sequence: number;
  readonly nowMs: number;
  random(sizeBytes: number): Uint8Array;
}

export interface Verdict<Result> {
  /** Absent when nothing changes. */
  readonly fact?: Fact;
  /** Bytes that belong into the fact's record. */
  readonly body?: Buffer;
  readonly result: Result;
}
