// A store that another thread of this process has open, as a worker has it: the same contract. Reads go to the index and
// the files directly, bodies are hashed and blobs written here, and commits are asked of the thread that has it open.
// What a worker does not have: background work, and the health of the whole.

import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { BlobFolders } from '../blobs/blob-folders.ts';
import { BlobPlace } from '../blobs/blob-place.ts';
import { CatalogStore } from '../catalog-store.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { DiskTrust } from '../disk-trust.ts';
import { ownDurability } from '../durability.ts';
import type { ObjectStore } from '../object-store.ts';
import { LmdbReader } from '../ordered-index/lmdb-reader.ts';
import { ReaderEpochs } from '../reader-epochs.ts';
import { StoreError } from '../store-error.ts';
import { type StoreLog, silentLog } from '../store-log.ts';
import { VerifiedReads } from '../verified-reads.ts';
import { RemoteCommitter } from './remote-committer.ts';
import { SharedCounters } from './shared-counters.ts';
import { bufferOver, type CommitterMessage, type WorkerMessage } from './wire.ts';
import type { StoreInvitation } from './worker-host.ts';
import { workerRoom } from './worker-room.ts';

/** Opens the store that an invitation is for. Once for each invitation, in whatever thread of the process. */
export function openWorkerStore(invitation: StoreInvitation, log: StoreLog = silentLog): ObjectStore {
  const { directory, durability, sizes, epoch, seat, seats, port } = invitation;
  const counters = new SharedCounters(invitation.counters);
  const index = new LmdbReader(join(directory, 'index'));
  const readers = new ReaderEpochs();
  const tell = (message: WorkerMessage): void => port.postMessage(message);
  const trust = new DiskTrust((cause) => {
    log('error', 'A worker has stopped writing after a disk error', { cause: String(cause) });
    committer.fail(readOnly(cause));
    tell({ kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) });
  });
  const folders = new BlobFolders(nodeDisk, join(directory, 'blobs'), trust);
  const reads = new VerifiedReads({
    disk: nodeDisk,
    directory,
    memoryBytes: Math.floor(sizes.readMemoryBytes / seats),
    onDamage: (damage) => tell({ kind: 'damaged', damage }),
  });
  const place: BlobPlace = new BlobPlace({
    disk: nodeDisk,
    folders,
    sizes,
    epoch,
    nextCount: () => counters.nextBlobCount(seat),
    refusal: () => committer.failure,
    trust,
    room: workerRoom({ counters, seat, askForRoom: () => tell({ kind: 'roomWanted' }) }),
    memoryShare: 1 / seats,
    // The workers are as many threads as are wanted: a large body is hashed by the one that receives it.
    maxHashThreads: 0,
    log,
  });
  const committer: RemoteCommitter = new RemoteCommitter({ port, abandon: place.abandon });
  let seen: number | undefined;

  listen(port, {
    answers: ({ answers }) => committer.take(answers),
    drain: ({ ticket }) => void readers.drain().then(() => tell({ kind: 'drained', ticket })),
    forget: ({ blobIds, segments }) => {
      for (const blobId of blobIds) reads.forgetBlob(bufferOver(blobId));
      for (const segment of segments) reads.forgetSegment(segment);
    },
  });
  port.on('close', () => committer.disconnect());

  return new CatalogStore({
    index,
    refresh: () => {
      const { generation } = counters;
      // Odd: something is being committed, and may be seen by others already.
      if (generation === seen && generation % 2 === 0) return;
      index.renew();
      seen = generation;
    },
    committer,
    readers,
    source: reads,
    place,
    durabilityOf: (bucket) => ownDurability(bucket) ?? durability,
    health: () => {
      const { failure } = committer;
      if (failure === undefined) return { status: 'ok', durability };
      return { status: 'read-only', reason: failure.message, durability };
    },
    close: async () => {
      await committer.close();
      await Promise.all([reads.close(), place.close(), index.close()]);
      port.close();
    },
  });
}

type Listeners = {
  readonly [Kind in CommitterMessage['kind']]: (message: CommitterMessage & { readonly kind: Kind }) => void;
};

function listen(port: MessagePort, listeners: Listeners): void {
  // The port is all that connects the two: what comes through it was sent by the committer's half of this folder.
  port.on('message', (message: CommitterMessage) => {
    switch (message.kind) {
      case 'answers':
        return listeners.answers(message);
      case 'drain':
        return listeners.drain(message);
      case 'forget':
        return listeners.forget(message);
    }
  });
}

function readOnly(cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError('ReadOnly', {
    message: `The store has stopped writing after a disk error (${reason}); reads go on. Mend the disk and reopen the store.`,
    cause,
  });
}
