// Wires the parts of an open store together: each gets what it needs of the others, in the order in which they can be made,
// and all are started and closed in order. What each part does stands in its own file.

import { join } from 'node:path';
import { BlobFolders } from './blobs/blob-folders.ts';
import { BlobPlace } from './blobs/blob-place.ts';
import { BlobReaper } from './blobs/blob-reaper.ts';
import { Sweep } from './blobs/orphan-sweep.ts';
import { BucketDurabilities } from './bucket-durabilities.ts';
import type { Operation } from './catalog/operation.ts';
import { CatalogStore } from './catalog-store.ts';
import { IndexCheck } from './checking/index-check.ts';
import { Scrubber } from './checking/scrub.ts';
import { makeCheckpoint } from './checkpoint.ts';
import { type Compaction, openCompaction } from './compaction/open-compaction.ts';
import type { OpenCursor } from './cursors/change-cursor.ts';
import { type Cursors, cursorPins } from './cursors/cursors.ts';
import { type OpenedCursors, openCursors } from './cursors/open-cursors.ts';
import type { DamageLog } from './damage-log.ts';
import type { FolderLock } from './disk/disk.ts';
import { nodeDisk } from './disk/node-disk.ts';
import type { DiskStore, Settings } from './disk-store-options.ts';
import { DiskTrust } from './disk-trust.ts';
import { ownDurability } from './durability.ts';
import { Journal, type JournalEnd } from './journal/journal.ts';
import { markCodes } from './journal/record.ts';
import { JournalCommitter } from './journal-committer.ts';
import type { StoreDamage, StoreHealth } from './object-store.ts';
import type { CountedIndex } from './ordered-index/counted-index.ts';
import { openLmdbIndex } from './ordered-index/lmdb-index.ts';
import type { OrderedIndex } from './ordered-index/ordered-index.ts';
import { ReaderEpochs } from './reader-epochs.ts';
import { SpaceReserve } from './space-reserve.ts';
import { VerifiedReads } from './verified-reads.ts';
import type { SharedCounters } from './workers/shared-counters.ts';
import { WorkerHost } from './workers/worker-host.ts';

/** A store that is open, and the way by which its own background work commits. */
export interface OpenedStore {
  readonly store: DiskStore;
  readonly commit: <Result>(operation: Operation<Result>) => Promise<Result>;
}

interface RecoveredSettings extends Settings {
  readonly storeId: Buffer;
  readonly index: OrderedIndex;
  /** The same, as it is written to and counted. */
  readonly counted: CountedIndex;
  readonly end: JournalEnd;
  readonly complete: boolean;
  readonly damage: DamageLog;
  readonly counters: SharedCounters;
  readonly lock: FolderLock;
}

export async function wireStore(settings: RecoveredSettings): Promise<OpenedStore> {
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
    counted,
    end,
    complete,
    damage,
    counters,
    lock,
  } = settings;
  let committer: JournalCommitter | undefined;
  let host: WorkerHost | undefined;
  const trust = new DiskTrust((cause) => {
    log('error', 'The store has stopped writing after a disk error', { cause: String(cause) });
    committer?.fail(cause);
  });
  const folder = join(directory, 'journal');
  let following: OpenedCursors | undefined;
  const onDurable = (): void => following?.feed.noteDurable();
  const mayWriteAhead = (): boolean => !reserve.full;
  const journalOptions = { disk, folder, storeId, durability, random, sizes, trust, mayWriteAhead, onDurable };
  const onFullness = (full: boolean): void => {
    counters.full = full;
  };
  const othersEnded = (): Promise<void> => counters.writesEnded();
  const reserve = new SpaceReserve({ disk, directory, clock, random, sizes, onChange: onFullness, othersEnded });
  const journal = await Journal.open(journalOptions, end);
  const readers = new ReaderEpochs();
  const folders = new BlobFolders(disk, join(directory, 'blobs'), trust);
  const reads = new VerifiedReads({
    disk,
    directory,
    memoryBytes: sizes.readMemoryBytes,
    onDamage: (found) => onReadDamage(found),
  });
  const indexCheck = new IndexCheck({ disk, directory, index: counted, damage, log });
  const scrubber = new Scrubber({
    disk,
    directory,
    index,
    checkIndex: () => indexCheck.again(),
    damage,
    settings: settings.scrub,
    clock,
    log,
    mayWrite: () => committer?.failure === undefined,
  });
  const onReadDamage = (found: StoreDamage): void => {
    if (damage.note(found)) scrubber.suspect(found.file);
  };
  const checkpoint = (): Promise<void> => makeCheckpoint({ index, journal, reserve, trust });
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
    trust,
  });
  // That of the mark `opened`, which is written below. Recovery has seen to it that no blob has a higher one.
  const epoch = end.nextLsn;
  const place = new BlobPlace({
    disk,
    folders,
    sizes,
    epoch,
    nextCount: () => counters.nextBlobCount(0),
    refusal: () => committer?.failure,
    trust,
    room: {
      // A commit finds out whether there is room again, and refuses this one if not.
      admit: async () => {
        if (reserve.full) await opened.commitOperation(askForRoom);
      },
      use: (work) => reserve.use(work),
    },
    memoryShare: 1,
    maxHashThreads: settings.hashThreads,
    log,
  });
  const durabilities = new BucketDurabilities(durability, index);
  const opened = new JournalCommitter({
    journal,
    index,
    reserve,
    trust,
    clock,
    random,
    sizes,
    durabilities,
    abandon: place.abandon,
    keepBlobs: (blobIds) => place.keep(blobIds),
    onVisible: (end) => following?.feed.noteVisible(end),
    onGarbage: () => {
      if (indexCheck.held) reaper.start();
    },
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
    const onRoomWanted = (): void => void opened.commitOperation(askForRoom).catch(() => undefined); // whoever asks again is told
    const told = { onFailure: (cause: Error) => trust.lose(cause), onDamage: onReadDamage, onRoomWanted, mayRemove };
    const seats = settings.workers;
    host = new WorkerHost({ ...settings, ...told, committer: opened, readers, epoch, seats });
  }
  const pins = cursorPins(index);
  const compaction = await openCompaction({
    disk,
    folder,
    index,
    journal,
    commit: (operation) => opened.commitOperation(operation),
    readers,
    pins,
    reserve,
    sizes,
    // Before a segment goes: what the index does not show was not carried forward.
    checkpoint: async () => {
      await indexCheck.require();
      await checkpoint();
    },
    forgetSegment: (segment) => {
      reads.forgetSegment(segment);
      host?.forget({ segments: [segment] });
    },
    onDamage: (found) => damage.note(found),
    trust,
    automatic: settings.compaction === 'background',
    log,
  });

  await reserve.open(end.lastSegmentNumber > 1 ? sizes.segmentSizeBytes : journal.writtenEnd.offset);
  try {
    await opened.writeMark(markCodes.opened);
    // Whatever the durability: the number of this record names the blobs of this opening. A rebuilt or new index is kept at
    // once, so that the next opening can go on from it and knows what it has.
    await (complete ? journal.sync() : checkpoint());
    const onDamage = (found: StoreDamage): void => void damage.note(found);
    following = await openCursors({ disk, folder, storeId, index, journal, committer: opened, pins, onDamage });
  } catch (cause) {
    await journal.close(false);
    throw cause;
  }
  const { cursors } = following;
  indexCheck.start();
  void indexCheck.holds.then((holds) => {
    if (holds) reaper.start();
  });
  const sweep = new Sweep(
    {
      disk,
      folder: folders.root,
      orphanFolder: join(directory, 'quarantine', 'orphans'),
      index,
      currentEpoch: epoch,
      mayRemove: complete,
      indexHolds: indexCheck.holds,
      clock,
      diskIsFull: () => reserve.full,
      trust,
    },
    log,
  );
  scrubber.start();
  const parts: OpenParts = {
    journal,
    index,
    committer: opened,
    durabilities,
    reserve,
    readers,
    reads,
    place,
    reaper,
    sweep,
    scrubber,
    indexCheck,
    compaction,
    cursors,
    host,
    damage,
    checkpoint,
    durability,
    log,
    lock,
  };
  const store = new CatalogStore({
    index,
    committer: opened,
    readers,
    source: reads,
    place,
    durabilityOf: (bucket) => ownDurability(bucket) ?? durability,
    health: () => healthOf(parts),
    close: () => closeStore(parts),
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

/** Has the committer find out whether there is room again; refused if not. */
const askForRoom: Operation<undefined> = { frees: false, judge: () => ({ result: undefined }) };

/** @throws Error when other threads could not see the bytes or the index. */
function requireSharable({ disk, openIndex }: Settings): void {
  if (disk === nodeDisk && openIndex === openLmdbIndex) return;
  throw new Error('Workers need the disk of this machine and the LMDB index: leave `disk` and `openIndex` out.');
}

/** The parts of a store that is open. */
interface OpenParts extends Pick<RecoveredSettings, 'index' | 'damage' | 'durability' | 'log' | 'lock'> {
  readonly journal: Journal;
  readonly committer: JournalCommitter;
  readonly durabilities: BucketDurabilities;
  readonly reserve: SpaceReserve;
  readonly readers: ReaderEpochs;
  readonly reads: VerifiedReads;
  readonly place: BlobPlace;
  readonly reaper: BlobReaper;
  readonly sweep: Sweep;
  readonly scrubber: Scrubber;
  readonly indexCheck: IndexCheck;
  readonly compaction: Compaction;
  readonly cursors: Cursors;
  readonly host: WorkerHost | undefined;
  readonly checkpoint: () => Promise<void>;
}

function healthOf(parts: OpenParts): StoreHealth {
  const { committer, compaction, durability, durabilities, cursors, reserve, readers, damage, scrubber } = parts;
  return {
    ...(compaction.health === undefined ? undefined : { compaction: compaction.health }),
    status: committer.failure === undefined ? 'ok' : 'read-only',
    ...(committer.failure === undefined ? undefined : { reason: committer.failure.message }),
    durability,
    bucketDurabilities: durabilities.list(),
    cursors: cursors.status,
    diskFull: reserve.full,
    oldestReaderMs: readers.waitedMs,
    damage: damage.all,
    damageCount: damage.count,
    scrub: scrubber.health,
  };
}

/** Whoever writes ends first, then what they write to. The lock goes last, whatever fails. */
async function closeStore(parts: OpenParts): Promise<void> {
  const { committer, compaction, cursors, sweep, reaper, scrubber, host, journal, index, reads, place } = parts;
  const attempt = (work: Promise<void> | undefined): Promise<void> =>
    Promise.resolve(work).catch((cause: unknown) =>
      parts.log('warn', 'The store could not be closed in order; the next opening recovers', { cause: String(cause) }),
    );
  const compacted = compaction.stop();
  await attempt(parts.indexCheck.stop());
  await attempt(cursors.close());
  await attempt(committer.close());
  await Promise.all([compacted, sweep.stop(), reaper.stop(), scrubber.stop()].map(attempt));
  await attempt(host?.close());
  const intact = committer.failure === undefined;
  if (intact) await attempt(closeInOrder(committer, parts.checkpoint));
  await attempt(journal.close(intact));
  await attempt(parts.reserve.close());
  try {
    await index.close();
    await Promise.all([reads.close(), place.close()]);
  } finally {
    parts.lock.release();
  }
}

async function closeInOrder(committer: JournalCommitter, checkpoint: () => Promise<void>): Promise<void> {
  await committer.writeMark(markCodes.closed);
  await checkpoint();
}
