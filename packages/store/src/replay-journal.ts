// Applies to an index what the journal has and the index does not have yet; to an empty one, everything. Used by the opening
// of a store (recover-store.ts), and by rebuilding and checking (checking/).

import { join } from 'node:path';
import {
  appliedKey,
  encodeEpoch,
  encodeMark,
  readMark,
  readSweptEpoch,
  rebuildingKey,
  sweptKey,
} from './applied-mark.ts';
import { applyFact } from './catalog/facts.ts';
import { countReferences, settledLater } from './catalog/references.ts';
import { type SettledRows, settleReferences } from './catalog/settle-references.ts';
import type { Disk } from './disk/disk.ts';
import type { BatchMark } from './journal/journal.ts';
import type { KnownEnd } from './journal/lost-end.ts';
import { type ReadSegment, type Recovered, recoverJournal } from './journal/recovery.ts';
import type { StoreDamage } from './object-store.ts';
import type { OrderedIndex } from './ordered-index/ordered-index.ts';
import { PendingView } from './ordered-index/pending-view.ts';

interface ReplayOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly storeId: Buffer;
  readonly index: OrderedIndex;
  /** Takes what is damaged, with its bytes where there are some. */
  readonly onDamage: (damage: StoreDamage, bytes: Buffer | undefined) => Promise<void>;
  /** Told of each segment, once it is read. Default: nobody. */
  readonly onSegment?: (segment: ReadSegment) => void;
  /** Leaves the journal as it is, also what lies behind its end. Default: false. */
  readonly readOnly?: boolean;
  /** What others say the journal held: when it ends before that, its end is lost. Default: nobody says anything. */
  readonly known?: KnownEnd;
  /**
   * The latest opening that has left blobs. When records are missing, and when the index is made anew, no blob of it or of an
   * earlier one is ever taken for an orphan: the index says so from the moment on that it passes over what is missing.
   */
  readonly highestEpoch: number;
}

export interface Replayed extends Recovered {
  /** Whether the index was made from the whole journal, and not from a state that it had before. */
  readonly rebuilt: boolean;
  readonly damaged: boolean;
  /** What the index holds; known when it was rebuilt. */
  readonly rows: SettledRows | undefined;
}

/** Facts are applied in transactions of about so many rows. */
const rowsPerTransaction = 10_000;
/** The index is made durable behind a segment, after so many of them, so that a replay that is broken off goes on from there. */
const transactionsPerCheckpoint = 50;

/** @throws IndexAheadError when the index has what the journal does not. */
export async function replayJournal(options: ReplayOptions): Promise<Replayed> {
  const { disk, directory, storeId, index, onDamage, onSegment, readOnly = false } = options;
  const from = readMark(index);
  // A rebuild that was broken off goes on as one: what it has counts nothing yet.
  const rebuilt = from === undefined || index.get(rebuildingKey) !== undefined;
  let view = new PendingView(index);
  let counted = countReferences(view);
  let transactions = 0;
  let flushedTransactions = 0;
  let segmentAtHand = from?.segment;
  let damaged = false;
  let rows: SettledRows | undefined;
  const keepsBlobs = (): boolean => (rebuilt || damaged) && readSweptEpoch(view) < options.highestEpoch;
  const apply = (mark: BatchMark): void => {
    if (keepsBlobs()) view.put(sweptKey, encodeEpoch(options.highestEpoch));
    if (rebuilt) view.put(rebuildingKey, Buffer.alloc(0));
    else counted.settle();
    view.put(appliedKey, encodeMark(mark));
    index.apply(view.changes);
    view = new PendingView(index);
    counted = countReferences(view);
    transactions += 1;
  };
  const recovered = await recoverJournal({
    disk,
    folder: join(directory, 'journal'),
    storeId,
    from,
    readOnly,
    ...(options.known === undefined ? undefined : { known: options.known }),
    onBatch: async (facts, mark) => {
      // What lies in earlier segments is durable. Of the last one, all may be in the system's cache alone, until recovery has
      // written it again. A new index is made in one go: what a checkpoint holds on to would make it grow many times over.
      const isBehindSegment = mark.segment !== segmentAtHand;
      segmentAtHand = mark.segment;
      if (isBehindSegment && from !== undefined && transactions - flushedTransactions >= transactionsPerCheckpoint) {
        await index.flush(async () => undefined);
        flushedTransactions = transactions;
      }
      for (const fact of facts) applyFact(fact, view, rebuilt ? settledLater : counted);
      if (view.changes.size >= rowsPerTransaction) apply(mark);
    },
    onDamage: async (found, bytes) => {
      damaged = true;
      await onDamage(found, bytes);
    },
    ...(onSegment === undefined ? undefined : { onSegment }),
  });
  const { lastMark } = recovered;
  if (lastMark !== undefined && recovered.batchCount > 0) apply(lastMark);
  if (rebuilt && lastMark !== undefined) {
    rows = await settleReferences(index, { complete: !damaged });
    index.apply(new Map([[rebuildingKey.toString('latin1'), { key: rebuildingKey, value: undefined }]]));
    transactions += 1;
  }
  if (keepsBlobs()) {
    const row = { key: sweptKey, value: encodeEpoch(options.highestEpoch) };
    index.apply(new Map([[sweptKey.toString('latin1'), row]]));
    transactions += 1;
  }
  // Recovery has made durable what it came to last.
  if (transactions > 0) await index.flush(async () => undefined);
  return { ...recovered, rebuilt, damaged, rows };
}
