// Removes blobs that no commit ever took: a process died between writing them and committing. Only blobs of earlier
// openings are looked at; what is being written now belongs to this one.

import { join } from 'node:path';
import { encodeEpoch, readSweptEpoch, sweptKey } from '../applied-mark.ts';
import { blobKey, keyspace } from '../catalog/index-keys.ts';
import type { Disk } from '../disk/disk.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import type { StoreLog } from '../store-log.ts';
import { blobIdOfName } from './blob-file.ts';

interface OrphanSweepOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly index: OrderedIndex;
  /** That of this opening: blobs of it are left alone. */
  readonly currentEpoch: number;
  /** False when the index may lack commits: blobs of earlier openings are then kept for good, whether known or not. */
  readonly mayRemove: boolean;
  /** A folder could not be made durable (invariant 5). */
  readonly onSyncFailure: (cause: unknown) => void;
}

/** A sweep that runs in the background from its making on. */
export class Sweep {
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(options: OrphanSweepOptions, log: StoreLog) {
    this.#done = sweepOrphans(options, () => this.#stopped).then(
      (removed) => {
        if (removed > 0) log('info', 'Blobs that were never committed were removed', { removed });
      },
      (cause: unknown) => log('warn', 'Looking for blobs that were never committed failed', { cause: String(cause) }),
    );
  }

  /** Resolves once it has stopped; the next opening begins it anew. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#done;
  }
}

/** Answers how many were removed. `stopped` is asked between folders. */
async function sweepOrphans(options: OrphanSweepOptions, stopped: () => boolean): Promise<number> {
  const { disk, folder, index, currentEpoch, mayRemove } = options;
  const swept = readSweptEpoch(index);
  let removed = 0;
  for (const epochName of mayRemove ? await disk.list(folder) : []) {
    const epoch = /^[0-9a-f]{12}$/.test(epochName) ? Number.parseInt(epochName, 16) : currentEpoch;
    if (epoch <= swept || epoch >= currentEpoch) continue;
    for (const group of await disk.list(join(folder, epochName))) {
      if (stopped()) return removed;
      removed += await sweepFolder(options, join(folder, epochName, group));
    }
  }
  const row = { key: sweptKey, value: encodeEpoch(currentEpoch - 1) };
  if (!stopped()) index.apply(new Map([[sweptKey.toString('latin1'), row]]));
  return removed;
}

async function sweepFolder({ disk, index, onSyncFailure }: OrphanSweepOptions, path: string): Promise<number> {
  let removed = 0;
  for (const name of await disk.list(path)) {
    const blobId = blobIdOfName(name);
    if (blobId === undefined) continue; // not ours: reported by fsck, never removed
    const known =
      index.get(blobKey(keyspace.blob, blobId)) !== undefined ||
      index.get(blobKey(keyspace.garbage, blobId)) !== undefined;
    if (known) continue;
    await disk.remove(join(path, name));
    removed += 1;
  }
  // Also when nothing was left to remove: an earlier sweep may have died before this. Without it, files could come back later.
  try {
    await disk.syncFolder(path);
  } catch (cause) {
    onSyncFailure(cause);
    throw cause;
  }
  return removed;
}
