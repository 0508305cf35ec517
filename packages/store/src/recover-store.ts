// Brings index and journal together at opening: replays what the index does not have yet, and rebuilds the index from the
// whole journal when it is missing, unreadable, or ahead of the journal.

import { join } from 'node:path';
import { appliedKey, encodeMark, readMark } from './applied-mark.ts';
import { applyFact } from './catalog/facts.ts';
import type { DamageLog } from './damage-log.ts';
import type { Disk } from './disk/disk.ts';
import type { BatchMark, JournalEnd } from './journal/journal.ts';
import { IndexAheadError, type Recovered, recoverJournal } from './journal/recovery.ts';
import { openLmdbIndex, removeLmdbIndex } from './ordered-index/lmdb-index.ts';
import type { OrderedIndex } from './ordered-index/ordered-index.ts';
import { PendingView } from './ordered-index/pending-view.ts';
import type { StoreLog } from './store-log.ts';

interface RecoverStoreOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly storeId: Buffer;
  readonly damage: DamageLog;
  readonly log: StoreLog;
}

interface RecoveredStore {
  readonly index: OrderedIndex;
  readonly end: JournalEnd;
  /**
   * Whether the index is known to have every commit. After damage, and after a rebuild (a journal whose end is gone looks
   * like one that ended there), a blob without a row may well have been acknowledged, and must not be taken for an orphan.
   */
  readonly complete: boolean;
}

/** Facts are applied in transactions of about so many rows. */
const rowsPerTransaction = 10_000;
/** The index is made durable after so many of them, so that a rebuild that is broken off goes on from there. */
const transactionsPerCheckpoint = 50;

export async function recoverStore(options: RecoverStoreOptions): Promise<RecoveredStore> {
  const index = await openIndex(options);
  try {
    return await replay(options, index);
  } catch (cause) {
    await index.close();
    if (!(cause instanceof IndexAheadError)) throw cause;
    // The journal is made durable before the index that says so: what the index has and the journal has not is lost.
    options.damage.note({ file: 'journal', offset: 0, sizeBytes: 0, description: `${cause.message} It is rebuilt.` });
    await removeLmdbIndex(lmdbOptions(options));
    return rebuild(options);
  }
}

async function rebuild(options: RecoverStoreOptions): Promise<RecoveredStore> {
  const index = await openLmdbIndex(lmdbOptions(options));
  try {
    return await replay(options, index);
  } catch (cause) {
    await index.close();
    throw cause;
  }
}

async function openIndex(options: RecoverStoreOptions): Promise<OrderedIndex> {
  try {
    return await openLmdbIndex(lmdbOptions(options));
  } catch (cause) {
    options.log('warn', 'The index cannot be opened and is rebuilt', { cause: String(cause) });
    await removeLmdbIndex(lmdbOptions(options));
    return openLmdbIndex(lmdbOptions(options));
  }
}

async function replay(options: RecoverStoreOptions, index: OrderedIndex): Promise<RecoveredStore> {
  const { disk, directory, storeId, damage, log } = options;
  const from = readMark(index);
  let view = new PendingView(index);
  let transactions = 0;
  const apply = (mark: BatchMark): void => {
    view.put(appliedKey, encodeMark(mark));
    index.apply(view.changes);
    view = new PendingView(index);
    transactions += 1;
  };
  const recovered = await recoverJournal({
    disk,
    folder: join(directory, 'journal'),
    storeId,
    from,
    onBatch: async (facts, mark) => {
      for (const fact of facts) applyFact(fact, view);
      if (view.changes.size < rowsPerTransaction) return;
      apply(mark);
      if (transactions % transactionsPerCheckpoint === 0) await index.flush(journalIsDurable);
    },
    onDamage: async (found, bytes) => {
      if (bytes === undefined) damage.note(found);
      else await damage.setAside(found, bytes);
    },
  });
  const { lastMark } = recovered;
  if (lastMark !== undefined && recovered.batchCount > 0) apply(lastMark);
  if (transactions > 0) await index.flush(journalIsDurable);
  tell(log, recovered, from);
  return { index, end: recovered.end, complete: from !== undefined && damage.all.length === 0 };
}

/** What recovery reads stands on the disk; what a crash of the process left in the cache alone is read again if it goes. */
async function journalIsDurable(): Promise<void> {
  return undefined;
}

function tell(log: StoreLog, { batchCount, cutBytes }: Recovered, from: BatchMark | undefined): void {
  if (batchCount > 0)
    log('info', from === undefined ? 'The index was rebuilt' : 'The journal was replayed', { batchCount });
  if (cutBytes > 0) log('info', 'The end of the journal that was never committed was cut', { cutBytes });
}

function lmdbOptions({ disk, directory }: RecoverStoreOptions): { disk: Disk; folder: string } {
  return { disk, folder: join(directory, 'index') };
}
