// Brings index and journal together at opening: replays what the index does not have yet, and rebuilds the index from the
// whole journal when it is missing, unreadable, or ahead of the journal.

import { join } from 'node:path';
import { bucketNames, nameObjects, withObjects } from './checking/damaged-objects.ts';
import { salvageNames } from './checking/salvaged-names.ts';
import type { DamageLog } from './damage-log.ts';
import type { Disk } from './disk/disk.ts';
import type { JournalEnd } from './journal/journal.ts';
import { IndexAheadError } from './journal/recovery.ts';
import type { StoreDamage } from './object-store.ts';
import type { OpenIndex, OrderedIndex } from './ordered-index/ordered-index.ts';
import { type Replayed, replayJournal } from './replay-journal.ts';
import type { StoreLog } from './store-log.ts';

interface RecoverStoreOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly storeId: Buffer;
  readonly damage: DamageLog;
  readonly log: StoreLog;
  readonly openIndex: OpenIndex;
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

export async function recoverStore(options: RecoverStoreOptions): Promise<RecoveredStore> {
  const index = await openIndex(options);
  try {
    return await replay(options, index);
  } catch (cause) {
    await index.close();
    if (!(cause instanceof IndexAheadError)) throw cause;
    // The journal is made durable before the index that says so: what the index has and the journal has not is lost.
    options.damage.note({ file: 'journal', offset: 0, sizeBytes: 0, description: `${cause.message} It is rebuilt.` });
    return rebuild(options);
  }
}

async function rebuild(options: RecoverStoreOptions): Promise<RecoveredStore> {
  const index = await options.openIndex({ ...placeOf(options), fresh: true });
  try {
    return await replay(options, index);
  } catch (cause) {
    await index.close();
    throw cause;
  }
}

async function openIndex(options: RecoverStoreOptions): Promise<OrderedIndex> {
  try {
    return await options.openIndex(placeOf(options));
  } catch (cause) {
    options.log('warn', 'The index cannot be opened and is rebuilt', { cause: String(cause) });
    return options.openIndex({ ...placeOf(options), fresh: true });
  }
}

async function replay(options: RecoverStoreOptions, index: OrderedIndex): Promise<RecoveredStore> {
  const { disk, directory, storeId, damage, log } = options;
  const unread: { readonly found: StoreDamage; readonly bytes: Buffer }[] = [];
  const replayed = await replayJournal({
    disk,
    directory,
    storeId,
    index,
    onDamage: async (found, bytes) => {
      if (bytes === undefined) damage.note(found);
      else await damage.setAside(found, bytes);
      if (bytes === undefined || found.bodyOnly === true || unread.length >= maxSalvaged) return;
      unread.push({ found, bytes: bytes.subarray(0, maxSalvagedBytes) });
    },
  });
  for (const named of await nameObjects(index, damage.all)) damage.note(named);
  if (replayed.rebuilt) {
    const buckets = bucketNames(index);
    for (const { found, bytes } of unread) damage.note(withObjects(found, salvageNames(bytes, buckets)));
  }
  tell(log, replayed);
  return { index, end: replayed.end, complete: !replayed.rebuilt && damage.all.length === 0 };
}

/** Stretches of the journal that cannot be read whose bytes are kept for a moment, to guess at names. */
const maxSalvaged = 100;
const maxSalvagedBytes = 1024 * 1024;

function tell(log: StoreLog, { rebuilt, batchCount, cutBytes }: Replayed): void {
  if (batchCount > 0) log('info', rebuilt ? 'The index was rebuilt' : 'The journal was replayed', { batchCount });
  if (cutBytes > 0) log('info', 'The end of the journal that was never committed was cut', { cutBytes });
}

function placeOf({ disk, directory }: RecoverStoreOptions): { disk: Disk; folder: string } {
  return { disk, folder: join(directory, 'index') };
}
