// Removes the bytes of blobs that nothing references any more (invariant 6): once no reader that may have them is left, and
// the index is durable without them. Until then they stand in the garbage rows of the index, also across a crash.

import { dirname } from 'node:path';
import { type Disk, isMissing } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';
import { listGarbage } from '../garbage.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import type { ReaderEpochs } from '../reader-epochs.ts';
import { blobFile } from './blob-file.ts';

/** Blobs removed in one round. */
const roundSize = 1000;
/** Files removed at a time. */
const concurrency = 4;

interface BlobReaperOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly index: OrderedIndex;
  readonly readers: ReaderEpochs;
  /** Makes journal and index durable up to here. */
  readonly checkpoint: () => Promise<void>;
  readonly forgetFile: (blobId: Buffer) => void;
  readonly onError: (cause: unknown) => void;
  /** Lost when a folder cannot be made durable, and with it perhaps a blob that is being written there. */
  readonly trust: DiskTrust;
}

export class BlobReaper {
  readonly #options: BlobReaperOptions;
  readonly #stopping = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: BlobReaperOptions) {
    this.#options = options;
  }

  /** Begins to remove, if it is not at it already. */
  start(): void {
    if (this.#running !== undefined || this.#stopped) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Begins nothing more; resolves when the round at hand is done, unless readers hold it up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { index, readers, checkpoint, onError } = this.#options;
    try {
      for (;;) {
        const { blobIds, removal } = listGarbage(index, roundSize);
        if (blobIds.length === 0) return;
        await Promise.race([readers.drain(), this.#stopping.promise]);
        if (this.#stopped) return;
        await checkpoint();
        await this.#removeFiles(blobIds);
        index.apply(removal);
      }
    } catch (cause) {
      onError(cause); // the garbage rows stay: the next commit that leaves some, or the next opening, tries again
    }
  }

  async #removeFiles(blobIds: readonly Buffer[]): Promise<void> {
    const { disk, folder, forgetFile, trust } = this.#options;
    const rest = blobIds.values();
    const remove = async (): Promise<void> => {
      for (const blobId of rest) {
        forgetFile(blobId);
        await disk.remove(blobFile(folder, blobId));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, remove));
    // Durably, before the garbage rows go: a file that comes back would be nobody's for ever.
    const folders = new Set(blobIds.map((blobId) => dirname(blobFile(folder, blobId))));
    for (const path of folders) await trust.sync(() => syncIfThere(disk, path));
  }
}

/** A folder that was never made durable may have gone with the power, and its files with it. */
async function syncIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.syncFolder(path);
  } catch (cause) {
    const absent = isMissing(cause);
    if (!absent) throw cause;
  }
}
