// Brings index and journal together at opening: replays what the index does not have yet, and makes the index anew from the
// whole journal when it is missing or damaged. A folder that has lost its journal, or the journal's end, is not opened when the
// index or the blobs still know more: an index made from what is left would no longer know of it, and nothing else does.

import { join } from 'node:path';
import { highestBlobEpoch } from './blobs/blob-epochs.ts';
import { bucketNames, nameObjects, withObjects } from './checking/damaged-objects.ts';
import { salvageNames } from './checking/salvaged-names.ts';
import type { DamageLog } from './damage-log.ts';
import { type Disk, isDiskFull, lacksDescriptors } from './disk/disk.ts';
import type { JournalEnd } from './journal/journal.ts';
import type { KnownEnd } from './journal/lost-end.ts';
import { IndexAheadError } from './journal/recovery.ts';
import { segmentNumber } from './journal/segment.ts';
import type { StoreDamage } from './object-store.ts';
import { CountedIndex } from './ordered-index/counted-index.ts';
import { checkpointName, damagedName } from './ordered-index/lmdb-index.ts';
import type { OpenIndex } from './ordered-index/ordered-index.ts';
import { readRememberedDamage, rememberDamage } from './remembered-damage.ts';
import { type Replayed, replayJournal } from './replay-journal.ts';
import { StoreError } from './store-error.ts';
import type { StoreLog } from './store-log.ts';

interface RecoverStoreOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly storeId: Buffer;
  readonly damage: DamageLog;
  readonly log: StoreLog;
  readonly openIndex: OpenIndex;
  /** For a repair: the journal has lost its end, which is known to have come so far, and is to go on behind it. */
  readonly lostEnd?: KnownEnd;
}

interface RecoveredStore {
  readonly index: CountedIndex;
  readonly end: JournalEnd;
  /**
   * Whether the index is known to have every commit. After damage, and after a rebuild (a journal whose end is gone looks
   * like one that ended there), a blob without a row may well have been acknowledged, and must not be taken for an orphan.
   */
  readonly complete: boolean;
}

/** @throws StoreError `Corrupt` when the journal, or its end, is gone, and something else still knows what it held. */
export async function recoverStore(options: RecoverStoreOptions): Promise<RecoveredStore> {
  const { disk, directory, lostEnd } = options;
  const highestEpoch = await highestBlobEpoch(disk, join(directory, 'blobs'));
  if (lostEnd === undefined) await requireJournal(options, highestEpoch);
  const { index, setAside } = await openIndex(options);
  try {
    const recovered = await replay(options, index, highestEpoch);
    if (setAside && recovered.wholeJournal) await removeSetAside(options);
    return recovered;
  } catch (cause) {
    await index.close();
    if (!(cause instanceof IndexAheadError)) throw cause;
    throw lostJournal(
      `${cause.message} The journal has lost its end, and the index still knows what was in it.`,
      cause,
    );
  }
}

/** @throws StoreError `Corrupt` when there is no journal beside what can only have come after one. */
async function requireJournal({ disk, directory }: RecoverStoreOptions, highestEpoch: number): Promise<void> {
  const segments = (await disk.list(join(directory, 'journal'))).filter((name) => segmentNumber(name) !== undefined);
  if (segments.length > 0) return;
  if (highestEpoch > 0) throw lostJournal('There are blobs in blobs/, and no segment in journal/.');
  if (!(await disk.list(join(directory, 'index'))).includes(checkpointName)) return;
  throw lostJournal('There is an index, and no segment in journal/ that it could have been made from.');
}

function lostJournal(what: string, cause?: unknown): StoreError {
  const message = `${what} Nothing was changed. Put the missing files of journal/ back (is everything mounted?), or run \`stowage fsck --repair\`, which keeps all that the index and the blobs still have.`;
  return new StoreError('Corrupt', { message, details: { file: 'journal' }, cause });
}

/** The index, and whether one that could not be used was moved to the quarantine folder. */
async function openIndex(options: RecoverStoreOptions): Promise<{ index: CountedIndex; setAside: boolean }> {
  const { disk, directory, log } = options;
  const place = { disk, folder: join(directory, 'index') };
  const names = await disk.list(place.folder);
  try {
    if (names.includes(damagedName)) throw new Error('an earlier run has found rows of it damaged');
    return { index: await openCounted(options.openIndex, place), setAside: false };
  } catch (cause) {
    if (isDiskFull(cause) || lacksDescriptors(cause)) throw cause;
    log('warn', 'The index cannot be opened and is rebuilt', { cause: String(cause) });
    const setAside = await setIndexAside(options);
    return { index: await openCounted(options.openIndex, { ...place, fresh: true }), setAside };
  }
}

async function openCounted(open: OpenIndex, place: Parameters<OpenIndex>[0]): Promise<CountedIndex> {
  const index = await open(place);
  try {
    return CountedIndex.over(index);
  } catch (cause) {
    await index.close();
    throw cause;
  }
}

/** In the quarantine folder: an index that could not be used, while one is made from the journal. A later one replaces it. */
const setAsidePrefix = 'index-unusable-';

/** It may know what the journal has lost: that is found out only when a new one was made. */
async function setIndexAside({ disk, directory }: RecoverStoreOptions): Promise<boolean> {
  const folder = join(directory, 'index');
  const names = (await disk.list(folder)).filter((name) => name === checkpointName || name.endsWith('.mdb'));
  for (const name of names) await disk.rename(join(folder, name), join(directory, 'quarantine', setAsidePrefix + name));
  if (names.length > 0) {
    await disk.syncFolder(join(directory, 'quarantine'));
    await disk.syncFolder(folder);
  }
  await disk.remove(join(folder, damagedName));
  return names.length > 0;
}

async function removeSetAside({ disk, directory }: RecoverStoreOptions): Promise<void> {
  const folder = join(directory, 'quarantine');
  for (const name of await disk.list(folder))
    if (name.startsWith(setAsidePrefix)) await disk.remove(join(folder, name));
}

async function replay(
  options: RecoverStoreOptions,
  index: CountedIndex,
  highestEpoch: number,
): Promise<RecoveredStore & { readonly wholeJournal: boolean }> {
  const { disk, directory, storeId, damage, log, lostEnd } = options;
  const unread: { readonly found: StoreDamage; readonly bytes: Buffer }[] = [];
  const remembered = readRememberedDamage(index);
  for (const found of remembered) damage.note(found);
  const found: StoreDamage[] = [];
  const replayed = await replayJournal({
    disk,
    directory,
    storeId,
    index,
    highestEpoch,
    known: lostEnd ?? { lsn: highestEpoch, segment: 0 },
    onDamage: async (one, bytes) => {
      found.push(one);
      if (bytes === undefined) damage.note(one);
      else await damage.setAside(one, bytes);
      if (bytes === undefined || one.bodyOnly === true || unread.length >= maxSalvaged) return;
      unread.push({ found: one, bytes: bytes.subarray(0, maxSalvagedBytes) });
    },
  });
  for (const named of await nameObjects(index, damage.all)) damage.note(named);
  if (replayed.rebuilt) {
    const buckets = bucketNames(index);
    for (const { found, bytes } of unread) damage.note(withObjects(found, salvageNames(bytes, buckets)));
  }
  // A repair deals with it. Otherwise the next opening, which goes on from here, would not come across it again.
  if (lostEnd === undefined && found.length > 0) await rememberDamage(index, [...remembered, ...found]);
  tell(log, replayed);
  const wholeJournal = !replayed.damaged;
  const complete = !replayed.rebuilt && damage.all.length === 0;
  return { index, end: replayed.end, complete, wholeJournal };
}

/** Stretches of the journal that cannot be read whose bytes are kept for a moment, to guess at names. */
const maxSalvaged = 100;
const maxSalvagedBytes = 1024 * 1024;

function tell(log: StoreLog, { rebuilt, batchCount, cutBytes }: Replayed): void {
  if (batchCount > 0) log('info', rebuilt ? 'The index was rebuilt' : 'The journal was replayed', { batchCount });
  if (cutBytes > 0) log('info', 'The end of the journal that was never committed was cut', { cutBytes });
}
