// What a store on a disk is opened with, and what it offers beyond every store.

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { checkedClock } from './checked-clock.ts';
import { type ScrubSettings, usualScrub } from './checking/scrub.ts';
import type { ScrubSummary } from './checking/scrub-pass.ts';
import type { CompactionResult } from './compaction/compactor.ts';
import type { FollowedStore } from './cursors/change-cursor.ts';
import type { Disk } from './disk/disk.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { usualHashThreads } from './hashing/hash-threads.ts';
import type { Durability } from './object-store.ts';
import { openLmdbIndex } from './ordered-index/lmdb-index.ts';
import type { OpenIndex } from './ordered-index/ordered-index.ts';
import { type StoreLog, silentLog } from './store-log.ts';
import { type StoreSizes, usualSizes } from './store-sizes.ts';
import type { WorkerSeat } from './workers/worker-host.ts';

export interface DiskStoreOptions {
  /** The data folder; made when it is not there. */
  readonly directory: string;
  /** Default: `strict`. */
  readonly durability?: Durability;
  /** Milliseconds since 1970: a RangeError otherwise. Default: the system's clock. */
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

/** The options with their defaults put in. */
export function settingsOf(options: DiskStoreOptions): Settings {
  return {
    directory: resolve(options.directory),
    durability: options.durability ?? { level: 'strict' },
    clock: options.clock === undefined ? Date.now : checkedClock(options.clock),
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

export type Settings = Required<DiskStoreOptions> & { readonly sizes: StoreSizes; readonly scrub: ScrubSettings };
