// The store's side of all its workers: who sits where, what each is told, and what is left of one that died.
// A worker is another thread of this process that opens the store by an invitation (worker-store.ts): it reads the index
// and the bytes by itself, writes blobs by itself, and has the thread that invited it commit. Decision 008.

import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { blobIdOfName, blobPath, blobsPerGroup, formBlobId } from '../blobs/blob-file.ts';
import { blobKey, keyspace } from '../catalog/index-keys.ts';
import type { Committer } from '../catalog/operations.ts';
import type { Disk } from '../disk/disk.ts';
import type { Durability, StoreDamage } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import type { ReaderEpochs } from '../reader-epochs.ts';
import type { StoreLog } from '../store-log.ts';
import type { StoreSizes } from '../store-sizes.ts';
import type { SharedCounters } from './shared-counters.ts';
import { type ForgottenFiles, WorkerDesk } from './worker-desk.ts';

/**
 * What a thread needs to open the store (`openWorkerStore`): plain data to hand over when it is started, with `port` in the
 * list of what is transferred.
 */
export interface StoreInvitation {
  readonly directory: string;
  readonly durability: Durability;
  readonly sizes: StoreSizes;
  /** Number of this opening: the first part of its blobs' ids. */
  readonly epoch: number;
  readonly seat: number;
  /** How many threads share the memory that bodies may take while they arrive. */
  readonly seats: number;
  readonly counters: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** A worker's place at the store. */
export interface WorkerSeat {
  readonly invitation: StoreInvitation;
  /**
   * To be called when the thread has ended. What it had asked for is committed or refused. If it `died`, without closing its
   * store, what it had staged and not asked to commit is removed. Resolves when that is done and the seat is free.
   */
  leave(end: { readonly died: boolean }): Promise<void>;
}

interface WorkerHostOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly durability: Durability;
  readonly sizes: StoreSizes;
  readonly epoch: number;
  readonly index: IndexReader;
  readonly committer: Committer;
  readonly readers: ReaderEpochs;
  readonly counters: SharedCounters;
  /** Workers at a time. */
  readonly seats: number;
  /** False once writing has stopped: what the last batch had named may be in the journal and not in the index. */
  readonly mayRemove: () => boolean;
  readonly onFailure: (cause: Error) => void;
  readonly onDamage: (damage: StoreDamage) => void;
  /** A worker has refused a blob because the disk is full. */
  readonly onRoomWanted: () => void;
  readonly log: StoreLog;
}

export class WorkerHost {
  readonly #options: WorkerHostOptions;
  readonly #desks = new Map<number, WorkerDesk>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    options.readers.join(() =>
      Promise.all([...this.#desks.values()].map((desk) => desk.drain())).then(() => undefined),
    );
  }

  /** @throws Error when all seats are taken. */
  invite(): WorkerSeat {
    const { committer, seats, onFailure, onDamage, onRoomWanted } = this.#options;
    const seat = Array.from({ length: seats }, (_, at) => at + 1).find((number) => !this.#desks.has(number));
    if (seat === undefined) throw new Error(`The store was opened for ${seats} workers, and so many are at it.`);
    const { port1, port2 } = new MessageChannel();
    const desk = new WorkerDesk({ port: port1, committer, onFailure, onDamage, onRoomWanted });
    this.#desks.set(seat, desk);
    let leaving: Promise<void> | undefined;
    return {
      invitation: this.#invitation(seat, port2),
      leave: ({ died }) => {
        leaving ??= this.#track(this.#dismiss(seat, desk, died));
        return leaving;
      },
    };
  }

  /** Has every worker close files that are about to be removed: until then they would keep their room on the disk. */
  forget(files: ForgottenFiles): void {
    for (const desk of this.#desks.values()) desk.forget(files);
  }

  /** Lets go of the workers that are left, and waits for what is being cleared away. */
  async close(): Promise<void> {
    for (const [seat, desk] of this.#desks) void this.#track(this.#dismiss(seat, desk, false));
    await Promise.all(this.#leaving);
  }

  #invitation(seat: number, port: MessagePort): StoreInvitation {
    const { directory, durability, sizes, epoch, seats, counters } = this.#options;
    return { directory, durability, sizes, epoch, seat, seats, counters: counters.memory, port };
  }

  #track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => this.#leaving.delete(tracked));
    this.#leaving.add(tracked);
    return tracked;
  }

  async #dismiss(seat: number, desk: WorkerDesk, died: boolean): Promise<void> {
    await desk.leave();
    this.#options.counters.forgetWrites(seat);
    try {
      const removed = died ? await this.#removeStaged(seat) : 0;
      if (removed > 0) this.#options.log('info', 'Bodies that a worker had not committed were removed', { removed });
    } catch (cause) {
      // The next opening sweeps them.
      this.#options.log('warn', 'Bodies that a worker had not committed could not be removed', {
        cause: String(cause),
      });
    } finally {
      if (this.#desks.get(seat) === desk) this.#desks.delete(seat);
    }
  }

  /** Removes the blobs of a seat that no commit has taken. Nobody sits there, and all it had asked for is settled. */
  async #removeStaged(seat: number): Promise<number> {
    const { disk, directory, epoch, index, counters, mayRemove } = this.#options;
    let removed = 0;
    for (const group of counters.groupsOf(seat)) {
      for (const durable of [true, false]) {
        const [epochName, groupName] = blobPath(formBlobId(epoch, group * blobsPerGroup, durable));
        const folder = join(directory, 'blobs', epochName, groupName);
        for (const name of await disk.list(folder)) {
          const blobId = blobIdOfName(name);
          if (blobId === undefined || isKnown(index, blobId)) continue;
          if (!mayRemove()) return removed;
          await disk.remove(join(folder, name));
          removed += 1;
        }
      }
    }
    return removed;
  }
}

function isKnown(index: IndexReader, blobId: Buffer): boolean {
  return (
    index.get(blobKey(keyspace.blob, blobId)) !== undefined ||
    index.get(blobKey(keyspace.garbage, blobId)) !== undefined
  );
}
