// A store in a folder: opens, recovers and wires journal, index and blobs. The commit order is journal-committer.ts, what a
// commit means is the catalog's, the layout of the folder is docs/format.md.
// Several threads over one store: workers/.

import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { BlobFolders } from './blobs/blob-folders.ts';
import { BlobPlace } from './blobs/blob-place.ts';
import { BlobReaper } from './blobs/blob-reaper.ts';
import { Sweep } from './blobs/orphan-sweep.ts';
import { BucketDurabilities } from './bucket-durabilities.ts';
import type { Operation } from './catalog/operation.ts';
import { CatalogStore } from './catalog-store.ts';
import { Scrubber, type ScrubSettings, usualScrub } from './checking/scrub.ts';
import type { ScrubSummary } from './checking/scrub-pass.ts';
import type { CompactionResult } from './compaction/compactor.ts';
import { openCompaction } from './compaction/open-compaction.ts';
import type { FollowedStore, OpenCursor } from './cursors/change-cursor.ts';
import { cursorPins } from './cursors/cursors.ts';
import { type OpenedCursors, openCursors } from './cursors/open-cursors.ts';
import { DamageLog } from './damage-log.ts';
import { type Disk, type FolderLock, isDiskFull } from './disk/disk.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { ownDurability } from './durability.ts';
import { openFormat } from './format-file.ts';
import { usualHashThreads } from './hashing/hash-threads.ts';
import { Journal, type JournalEnd } from './journal/journal.ts';
import { markCodes } from './journal/record.ts';
import { JournalCommitter } from './journal-committer.ts';
import type { Durability, StoreDamage, StoreHealth } from './object-store.ts';
import { openLmdbIndex } from './ordered-index/lmdb-index.ts';
import type { OpenIndex, OrderedIndex } from './ordered-index/ordered-index.ts';
import { ReaderEpochs } from './reader-epochs.ts';
import { recoverStore } from './recover-store.ts';
import { SpaceReserve } from './space-reserve.ts';
import { type StoreLog, silentLog } from './store-log.ts';
import { type StoreSizes, usualSizes } from './store-sizes.ts';
import { VerifiedReads } from './verified-reads.ts';
import { SharedCounters } from './workers/shared-counters.ts';
import { SharedIndex } from './workers/shared-index.ts';
import { WorkerHost, type WorkerSeat } from './workers/worker-host.ts';

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
  /** Default: LMDB, whose pages do not go through `disk`. */
  readonly openIndex?: OpenIndex;
  /** Default: `usualSizes`, which were measured. For tests. */
  readonly sizes?: Partial<StoreSizes>;
  /** Whether segments of the journal are compacted in the background, or only by `compact()`. Default: `background`. */
  readonly compaction?: 'background' | 'on demand';
  /** How fast and how often all stored bytes are checked in the background. Default: `usualScrub`. */
  readonly scrub?: Partial<ScrubSettings>;
  /** Threads that hash large bodies beside the main one, started when they are needed; 0 for none. Default: by the processors. */
  readonly hashThreads?: number;
  /** How many other threads may work on the store at a time (`inviteWorker`). Default: 0. */
  readonly workers?: number;
  /** Default: silence. */
  readonly log?: StoreLog;
}

/** A store that keeps its bytes on a disk. */
export interface DiskStore extends FollowedStore {
  /**
   * Reads all stored bytes now, as fast as it goes, and holds them against their checksums: what the background does slowly.
   * What is damaged is in `health().damage` afterwards. @throws StoreError `Closed`.
   */
  scrub(): Promise<ScrubSummary>;
  /**
   * Makes room for one more thread to work on the store (`openWorkerStore`), of as many as `workers` says.
   * @throws Error when there are so many already.
   */
  inviteWorker(): WorkerSeat;
  /**
   * Gives back room that replaced and deleted small objects take up in the journal, as fast as it goes: what the background
   * does slowly. With `segments`, those numbers, whether it is worth it or not: for tests.
   * @throws StoreError `DiskFull`, `ReadOnly`, `Closed`, also when the store is closed meanwhile.
   */
  compact(segments?: readonly number[]): Promise<CompactionResult>;
}

/**
 * Opens the store in a folder, having recovered what a crash left behind.
 * @throws StoreError `Locked`, `UnsupportedFormat`, `Corrupt`.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<DiskStore> {
  const settings = settingsOf(options);
  await makeFolders(settings.disk, settings.directory);
  const lock = settings.disk.lock(join(settings.directory, 'LOCK'));
  try {
    return (await openLocked(settings, lock)).store;
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

/** A store that is open, and the way by which its own background work commits. */
interface OpenedStore {
  readonly store: DiskStore;
  readonly commit: <Result>(operation: Operation<Result>) => Promise<Result>;
}

/** Opens a store whose folder the caller has locked, with nothing at work but the caller: for a repair. */
export function openStoreForRepair(options: DiskStoreOptions): Promise<OpenedStore> {
  const settings = {
    ...settingsOf(options),
    compaction: 'on demand',
    scrub: { ...usualScrub, bytesPerSecond: 0 },
  } as const;
  return openLocked(settings, { release: () => undefined });
}

function settingsOf(options: DiskStoreOptions): Settings {
  return {
    directory: resolve(options.directory),
    durability: options.durability ?? { level: 'strict' },
    clock: options.clock ?? Date.now,
    random: options.random ?? randomBytes,
    disk: options.disk ?? nodeDisk,
    openIndex: options.openIndex ?? openLmdbIndex,
    sizes: { ...usualSizes, ...options.sizes },
    compaction: options.compaction ?? 'background',
    scrub: { ...usualScrub, ...options.scrub },
    hashThreads: options.hashThreads ?? usualHashThreads(),
    workers: options.workers ?? 0,
    log: options.log ?? silentLog,
  };
}

type Settings = Required<DiskStoreOptions> & { readonly sizes: StoreSizes; readonly scrub: ScrubSettings };

async function openLocked(settings: Settings, lock: FolderLock): Promise<OpenedStore> {
  const { directory, disk, openIndex, random, log } = settings;
  const storeId = await openFormat({ disk, directory, random });
  for (const name of ['journal', 'blobs', 'quarantine']) await disk.createFolder(join(directory, name));
  await disk.syncFolder(directory);
  const damage = new DamageLog({ disk, quarantineFolder: join(directory, 'quarantine'), log });
  const recovered = await recoverStore({ disk, directory, storeId, damage, log, openIndex });
  const { end, complete } = recovered;
  const counters = SharedCounters.create(settings.workers);
  const index = settings.workers === 0 ? recovered.index : new SharedIndex(recovered.index, counters);
  try {
    return await wireStore({ ...settings, storeId, index, end, complete, damage, counters, lock });
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
  readonly counters: SharedCounters;
  readonly lock: FolderLock;
}

async function wireStore(settings: RecoveredSettings): Promise<OpenedStore> {
  const {
    directory,
    disk,
    durability,
    clock,
    random,
    sizes,
    log,
    storeId,
    index,
    end,
    complete,
    damage,
    counters,
    lock,
  } = settings;
  let committer: JournalCommitter | undefined;
  let host: WorkerHost | undefined;
  const stopWriting = (cause: unknown): void => {
    log('error', 'The store has stopped writing after a disk error', { cause: String(cause) });
    committer?.fail(cause);
  };
  const folder = join(directory, 'journal');
  let following: OpenedCursors | undefined;
  const onDurable = (): void => following?.feed.noteDurable();
  const journalOptions = { disk, folder, storeId, durability, random, sizes, onFailure: stopWriting, onDurable };
  const journal = await Journal.open(journalOptions, end);
  const readers = new ReaderEpochs();
  const folders = new BlobFolders(disk, join(directory, 'blobs'));
  const reads = new VerifiedReads({
    disk,
    directory,
    memoryBytes: sizes.readMemoryBytes,
    onDamage: (found) => onReadDamage(found),
  });
  const scrubber = new Scrubber({
    disk,
    directory,
    index,
    damage,
    settings: settings.scrub,
    clock,
    log,
    mayWrite: () => committer?.failure === undefined,
  });
  const onReadDamage = (found: StoreDamage): void => {
    if (damage.note(found)) scrubber.suspect(found.file);
  };
  const reserve = new SpaceReserve({ disk, directory, clock, random, sizes });
  const checkpoint = (): Promise<void> => makeCheckpoint({ index, journal, reserve, stopWriting });
  const reaper = new BlobReaper({
    disk,
    folder: folders.root,
    index,
    readers,
    checkpoint,
    forgetFile: (blobId) => {
      reads.forgetBlob(blobId);
      host?.forget({ blobIds: [blobId] });
    },
    onError: (cause) => log('warn', 'Blobs could not be removed; it will be tried again', { cause: String(cause) }),
    onSyncFailure: stopWriting,
  });
  const epoch = end.nextLsn; // that of the mark `opened`, which is written below
  const place = new BlobPlace({
    disk,
    folders,
    sizes,
    epoch,
    nextCount: () => counters.nextBlobCount(0),
    refusal: () => committer?.failure,
    onFailure: stopWriting,
    memoryShare: 1,
    maxHashThreads: settings.hashThreads,
    log,
  });
  const durabilities = new BucketDurabilities(durability, index);
  const opened = new JournalCommitter({
    journal,
    index,
    reserve,
    clock,
    random,
    sizes,
    durabilities,
    abandon: place.abandon,
    keepBlobs: (blobIds) => place.keep(blobIds),
    onVisible: (end) => following?.feed.noteVisible(end),
    onGarbage: () => reaper.start(),
    onDeadBytes: (sizeBytes) => compaction.noteDead(sizeBytes),
    checkpoint: () =>
      checkpoint().catch((cause: unknown) =>
        log('warn', 'The index could not be made durable; the next one that is due tries again', {
          cause: String(cause),
        }),
      ),
  });
  committer = opened;
  if (settings.workers > 0) {
    requireSharable(settings);
    const mayRemove = (): boolean => opened.failure === undefined;
    const told = { onFailure: stopWriting, onDamage: onReadDamage, mayRemove };
    const seats = settings.workers;
    host = new WorkerHost({ ...settings, ...told, committer: opened, readers, epoch, seats });
  }
  const compaction = await openCompaction({
    disk,
    folder,
    index,
    journal,
    commit: (operation) => opened.commitOperation(operation),
    readers,
    pins: cursorPins(index),
    reserve,
    sizes,
    checkpoint,
    forgetSegment: (segment) => {
      reads.forgetSegment(segment);
      host?.forget({ segments: [segment] });
    },
    onDamage: (found) => damage.note(found),
    onFailure: stopWriting,
    automatic: settings.compaction === 'background',
    log,
  });

  await reserve.restore();
  try {
    await opened.writeMark(markCodes.opened);
    // Whatever the durability: the number of this record names the blobs of this opening. A rebuilt or new index is kept at
    // once, so that the next opening can go on from it and knows what it has.
    await (complete ? journal.sync() : checkpoint());
    const onDamage = (found: StoreDamage): void => void damage.note(found);
    following = await openCursors({ disk, folder, storeId, index, journal, committer: opened, onDamage });
  } catch (cause) {
    await journal.close(false);
    throw cause;
  }
  const { cursors } = following;
  reaper.start();
  const sweep = new Sweep(
    { disk, folder: folders.root, index, currentEpoch: epoch, mayRemove: complete, onSyncFailure: stopWriting },
    log,
  );
  scrubber.start();
  const store = new CatalogStore({
    index,
    committer: opened,
    readers,
    source: reads,
    place,
    durabilityOf: (bucket) => ownDurability(bucket) ?? durability,
    health: (): StoreHealth => ({
      ...(compaction.health === undefined ? undefined : { compaction: compaction.health }),
      status: opened.failure === undefined ? 'ok' : 'read-only',
      ...(opened.failure === undefined ? undefined : { reason: opened.failure.message }),
      durability,
      bucketDurabilities: durabilities.list(),
      cursors: cursors.status,
      diskFull: reserve.full,
      damage: damage.all,
      damageCount: damage.count,
      scrub: scrubber.health,
    }),
    close: async () => {
      const compacted = compaction.stop();
      await cursors.close();
      await opened.close();
      await Promise.all([compacted, sweep.stop(), reaper.stop(), scrubber.stop()]);
      await host?.close();
      const intact = opened.failure === undefined;
      const attempt = (work: Promise<void>): Promise<void> =>
        work.catch((cause: unknown) =>
          log('warn', 'The store could not be closed in order; the next opening recovers', { cause: String(cause) }),
        );
      if (intact) await attempt(closeInOrder(opened, checkpoint));
      await attempt(journal.close(intact));
      try {
        await index.close();
        await Promise.all([reads.close(), place.close()]);
      } finally {
        lock.release();
      }
    },
  });
  const diskStore = Object.assign(store, {
    openCursor: (name: string, options: OpenCursor) => cursors.open(name, options),
    listCursors: () => cursors.list(),
    scrub: () => scrubber.scrub(),
    inviteWorker: () => {
      if (host === undefined) throw new Error('The store was not opened for workers: say how many with `workers`.');
      return host.invite();
    },
    compact: (segments?: readonly number[]) => compaction.now(segments),
  });
  return { store: diskStore, commit: (operation) => opened.commitOperation(operation) };
}

/** @throws Error when other threads could not see the bytes or the index. */
function requireSharable({ disk, openIndex }: Settings): void {
  if (disk === nodeDisk && openIndex === openLmdbIndex) return;
  throw new Error('Workers need the disk of this machine and the LMDB index: leave `disk` and `openIndex` out.');
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
  try {
    await reserve.spend(() => index.flush(() => journal.sync()));
  } catch (cause) {
    if (!isDiskFull(cause)) stopWriting(cause);
    throw cause;
  }
}

async function closeInOrder(committer: JournalCommitter, checkpoint: () => Promise<void>): Promise<void> {
  await committer.writeMark(markCodes.closed);
  await checkpoint();
}

/** Makes a folder and those above it. Their names are made durable before the store in it has one (format-file.ts). */
async function makeFolders(disk: Disk, path: string): Promise<void> {
  try {
    await disk.createFolder(path);
  } catch (cause) {
    const parent = dirname(path);
    const parentMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' && parent !== path;
    if (!parentMissing) throw cause;
    await makeFolders(disk, parent);
    await disk.createFolder(path);
  }
}
