// Finds blobs that no commit ever took: a process died between writing them and committing. Only blobs of earlier openings
// are looked at; what is being written now belongs to this one.
//
// That nothing names a blob is the word of the index, and the journal stands behind it; but a journal whose last file is gone
// looks like one that ended there. So orphans are not removed at once: they are moved to quarantine/orphans, and go a week
// later, or as soon as the disk is full. What is moved stands in the log by name.

import { join } from 'node:path';
import { encodeEpoch, readSweptEpoch, sweptKey } from '../applied-mark.ts';
import { blobKey, keyspace } from '../catalog/index-keys.ts';
import { type Disk, isMissing } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import type { StoreLog } from '../store-log.ts';
import { epochOfFolder } from './blob-epochs.ts';
import { blobIdOfName } from './blob-file.ts';

/** How long an orphan is kept. */
const keptMs = 7 * 24 * 60 * 60 * 1000;
/** Between looks whether the disk is full, or some have been kept for long enough. */
const lookEveryMs = 60_000;
/** Named in one line of the log. */
const maxLoggedNames = 20;

interface OrphanSweepOptions {
  readonly disk: Disk;
  /** Of all blobs. */
  readonly folder: string;
  /** Where orphans are kept. */
  readonly orphanFolder: string;
  readonly index: OrderedIndex;
  /** That of this opening: blobs of it are left alone. */
  readonly currentEpoch: number;
  /**
   * False when the index may lack commits: orphans are then kept. Which blobs are not to be looked at at all, the index says
   * from the moment on that it passed over what is missing (replay-journal.ts).
   */
  readonly mayRemove: boolean;
  /** Resolves once the rows of the index were checked: to whether they are what was written. */
  readonly indexHolds: Promise<boolean>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly diskIsFull: () => boolean;
  /** Lost when a folder cannot be made durable. */
  readonly trust: DiskTrust;
}

/** A sweep that runs in the background from its making on. */
export class Sweep {
  readonly #options: OrphanSweepOptions;
  readonly #log: StoreLog;
  #running: Promise<void>;
  readonly #looking: NodeJS.Timeout;
  #stopped = false;

  constructor(options: OrphanSweepOptions, log: StoreLog) {
    this.#options = options;
    this.#log = log;
    this.#running = this.#attempt(async () => {
      if (await options.indexHolds) await this.#sweep();
    });
    this.#looking = setInterval(() => {
      this.#running = this.#running.then(() => this.#attempt(() => this.#removeOld()));
    }, lookEveryMs);
    this.#looking.unref();
  }

  /** Resolves once it has stopped; the next opening begins it anew. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#looking);
    return this.#running;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      if (!this.#stopped) await work();
    } catch (cause) {
      this.#log('warn', 'Looking for blobs that were never committed failed', { cause: String(cause) });
    }
  }

  async #sweep(): Promise<void> {
    const { disk, folder, index, currentEpoch } = this.#options;
    await this.#removeOld();
    const swept = readSweptEpoch(index);
    for (const epochName of await disk.list(folder)) {
      const epoch = epochOfFolder(epochName) ?? currentEpoch;
      if (epoch <= swept || epoch >= currentEpoch) continue;
      for (const group of await disk.list(join(folder, epochName))) {
        if (this.#stopped) return;
        await this.#sweepFolder(join(folder, epochName, group));
      }
    }
    if (this.#stopped || readSweptEpoch(index) >= currentEpoch - 1) return;
    index.apply(new Map([[sweptKey.toString('latin1'), { key: sweptKey, value: encodeEpoch(currentEpoch - 1) }]]));
  }

  async #sweepFolder(path: string): Promise<void> {
    const { disk, index, trust, clock, orphanFolder } = this.#options;
    const moved: string[] = [];
    for (const name of await disk.list(path)) {
      const blobId = blobIdOfName(name);
      if (blobId === undefined) continue; // not ours: reported by fsck, never removed
      const known =
        index.get(blobKey(keyspace.blob, blobId)) !== undefined ||
        index.get(blobKey(keyspace.garbage, blobId)) !== undefined;
      if (known) continue;
      if (moved.length === 0) await disk.createFolder(orphanFolder);
      // Garbage that was removed since the folder was listed has neither row nor file.
      if (await moveIfThere(disk, join(path, name), join(orphanFolder, orphanName(clock(), name)))) moved.push(name);
    }
    // Also when nothing was left to move: an earlier sweep may have died before this. Without it, files could come back later.
    await trust.sync(() => disk.syncFolder(path));
    if (moved.length === 0) return;
    await trust.sync(() => disk.syncFolder(orphanFolder));
    this.#log('warn', 'Blobs that were never committed were moved to quarantine/orphans', {
      moved: moved.length,
      blobs: moved.slice(0, maxLoggedNames).join(' '),
    });
  }

  /** Removes what was kept for long enough; all of it when the disk is full. */
  async #removeOld(): Promise<void> {
    const { disk, orphanFolder, clock, diskIsFull, mayRemove, indexHolds } = this.#options;
    // What is found missing may still be among them.
    if (!mayRemove || !(await indexHolds)) return;
    const before = diskIsFull() ? Number.POSITIVE_INFINITY : clock() - keptMs;
    let removed = 0;
    for (const name of await disk.list(orphanFolder)) {
      const sinceMs = orphanedAtMs(name);
      if (this.#stopped || sinceMs === undefined || sinceMs >= before) continue;
      await disk.remove(join(orphanFolder, name));
      removed += 1;
    }
    if (removed > 0)
      this.#log('info', 'Blobs that were never committed were removed from quarantine/orphans', { removed });
  }
}

async function moveIfThere(disk: Disk, from: string, to: string): Promise<boolean> {
  try {
    await disk.rename(from, to);
    return true;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}

/** When it was moved, and the blob's id. */
function orphanName(nowMs: number, blobName: string): string {
  return `${nowMs}-${blobName}`;
}

function orphanedAtMs(name: string): number | undefined {
  const match = /^(\d+)-[0-9a-f]{20}$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
