// A store in a folder: opens, recovers and wires journal, index and blobs. The commit order is journal-committer.ts, what a
// commit means is the catalog's, the layout of the folder is docs/format.md.
// Not built yet: compaction (segments are never removed, so bytes of replaced small objects stay in them), scrubbing,
// several workers over one store, durability per bucket.

import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { BlobFolders } from './blobs/blob-folders.ts';
import { BlobPlace } from './blobs/blob-place.ts';
import { BlobReaper } from './blobs/blob-reaper.ts';
import { Sweep } from './blobs/orphan-sweep.ts';
import { CatalogStore } from './catalog-store.ts';
import { DamageLog } from './damage-log.ts';
import { type Disk, isDiskFull } from './disk/disk.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { openFormat } from './format-file.ts';
import { Journal, type JournalEnd } from './journal/journal.ts';
import { markCodes } from './journal/record.ts';
import { JournalCommitter } from './journal-committer.ts';
import type { Durability, ObjectStore, StoreHealth } from './object-store.ts';
import type { OrderedIndex } from './ordered-index/ordered-index.ts';
import { ReaderEpochs } from './reader-epochs.ts';
import { recoverStore } from './recover-store.ts';
import { SpaceReserve } from './space-reserve.ts';
import { type StoreLog, silentLog } from './store-log.ts';
import { VerifiedReads } from './verified-reads.ts';

export interface DiskStoreOptions {
  /** The data folder; made when it is not there. */
  readonly directory: string;
  /** Default: `strict`. */
  readonly durability?: Durability;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly clock?: () => number;
  /** Default: node:crypto. */
  readonly random?: (sizeBytes: number) => Uint8Array;
  /** Default: this machine's. */
  readonly disk?: Disk;
  /** Default: silence. */
  readonly log?: StoreLog;
}

/**
 * Opens the store in a folder, having recovered what a crash left behind.
 * @throws StoreError `Locked`, `UnsupportedFormat`, `Corrupt`.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<ObjectStore> {
  const settings: Settings = {
    directory: resolve(options.directory),
    durability: options.durability ?? { level: 'strict' },
    clock: options.clock ?? Date.now,
    random: options.random ?? randomBytes,
    disk: options.disk ?? nodeDisk,
    log: options.log ?? silentLog,
  };
  await makeFolders(settings.disk, settings.directory);
  const lock = lockFolder(join(settings.directory, 'LOCK'));
  try {
    return await openLocked(settings, lock);
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

type Settings = Required<DiskStoreOptions>;

async function openLocked(settings: Settings, lock: FolderLock): Promise<ObjectStore> {
  const { directory, disk, random, log } = settings;
  const storeId = await openFormat({ disk, directory, random });
  for (const name of ['journal', 'blobs', 'quarantine']) await disk.createFolder(join(directory, name));
  await disk.syncFolder(directory);
  const damage = new DamageLog({ disk, quarantineFolder: join(directory, 'quarantine'), log });
  const { index, end, complete } = await recoverStore({ disk, directory, storeId, damage, log });
  try {
    return await wireStore({ ...settings, storeId, index, end, complete, damage, lock });
  } catch (cause) {
    await index.close();
    throw cause;
  }
}

interface RecoveredSettings extends Settings {
  readonly storeId: Buffer;
  readonly index: OrderedIndex;
  readonly end: JournalEnd;
  readonly complete: boolean;
  readonly damage: DamageLog;
  readonly lock: FolderLock;
}

async function wireStore(settings: RecoveredSettings): Promise<ObjectStore> {
  const { directory, disk, durability, clock, random, log, storeId, index, end, complete, damage, lock } = settings;
  let committer: JournalCommitter | undefined;
  const stopWriting = (cause: unknown): void => {
    log('error', 'The store has stopped writing after a disk error', { cause: String(cause) });
    committer?.fail(cause);
  };
  const folder = join(directory, 'journal');
  const journal = await Journal.open({ disk, folder, storeId, durability, random, onFailure: stopWriting }, end);
  const readers = new ReaderEpochs();
  const folders = new BlobFolders(disk, join(directory, 'blobs'));
  const reads = new VerifiedReads({ disk, directory, onDamage: (found) => damage.note(found) });
  const reserve = new SpaceReserve({ disk, directory, clock, random });
  const checkpoint = (): Promise<void> => makeCheckpoint({ index, journal, reserve, stopWriting });
  const reaper = new BlobReaper({
    disk,
    folder: folders.root,
    index,
    readers,
    checkpoint,
    forgetFile: (blobId) => reads.forgetBlob(blobId),
    onError: (cause) => log('warn', 'Blobs could not be removed; it will be tried again', { cause: String(cause) }),
  });
  const epoch = end.nextLsn; // that of the mark `opened`, which is written below
  const place = new BlobPlace({
    disk,
    folders,
    epoch,
    durable: durability.level !== 'memory',
    refusal: () => committer?.failure,
    onFailure: stopWriting,
  });
  const opened = new JournalCommitter({
    journal,
    index,
    reserve,
    clock,
    random,
    abandon: place.abandon,
    onGarbage: () => reaper.start(),
    onCheckpointDue: () =>
      void checkpoint().catch((cause: unknown) =>
        log('warn', 'The index could not be made durable; the next one that is due tries again', {
          cause: String(cause),
        }),
      ),
  });
  committer = opened;

  await reserve.restore();
  try {
    await opened.writeMark(markCodes.opened);
    // Whatever the durability: the number of this record names the blobs of this opening. A rebuilt or new index is kept at
    // once, so that the next opening can go on from it and knows what it has.
    await (complete ? journal.sync() : checkpoint());
  } catch (cause) {
    await journal.close(false);
    throw cause;
  }
  reaper.start();
  const sweep = new Sweep({ disk, folder: folders.root, index, currentEpoch: epoch, mayRemove: complete }, log);
  return new CatalogStore({
    index,
    committer: opened,
    readers,
    source: reads,
    place,
    health: (): StoreHealth => ({
      status: opened.failure === undefined ? 'ok' : 'read-only',
      ...(opened.failure === undefined ? undefined : { reason: opened.failure.message }),
      durability,
      diskFull: reserve.full,
      damage: damage.all,
    }),
    close: async () => {
      await opened.close();
      await Promise.all([sweep.stop(), reaper.stop()]);
      const intact = opened.failure === undefined;
      try {
        if (intact) await closeInOrder(opened, checkpoint);
      } catch (cause) {
        log('warn', 'The store could not be closed in order; the next opening recovers', { cause: String(cause) });
      } finally {
        await journal.close(intact);
        await index.close();
        await reads.close();
        lock.release();
      }
    },
  });
}

interface CheckpointParts {
  readonly index: OrderedIndex;
  readonly journal: Journal;
  readonly reserve: SpaceReserve;
  readonly stopWriting: (cause: unknown) => void;
}

/**
 * Makes journal and index durable. A failed sync stops all writing (invariant 5): the system tells of it once, and what it
 * says the next time is not to be believed. Lack of room does not: the reserve is given up for it, as for a delete.
 */
async function makeCheckpoint({ index, journal, reserve, stopWriting }: CheckpointParts): Promise<void> {
  const flush = (): Promise<void> => index.flush(() => journal.sync());
  try {
    try {
      await flush();
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      reserve.noteFull();
      if (!(await reserve.release())) throw cause;
      await flush();
    }
  } catch (cause) {
    if (!isDiskFull(cause)) stopWriting(cause);
    throw cause;
  }
}

async function closeInOrder(committer: JournalCommitter, checkpoint: () => Promise<void>): Promise<void> {
  await committer.writeMark(markCodes.closed);
  await checkpoint();
}

/** Makes a folder and those above it, durably. */
async function makeFolders(disk: Disk, path: string): Promise<void> {
  const parent = dirname(path);
  try {
    if (!(await disk.createFolder(path))) return;
  } catch (cause) {
    const parentMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' && parent !== path;
    if (!parentMissing) throw cause;
    await makeFolders(disk, parent);
    await disk.createFolder(path);
  }
  await disk.syncFolder(parent);
}
