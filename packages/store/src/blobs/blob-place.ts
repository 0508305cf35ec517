// Where the bodies of a disk store go: small ones stay in memory until their commit puts them into the journal, the others
// become blobs while they arrive.

import { join } from 'node:path';
import { type Disk, type DiskFile, isDiskFull, isMissing, lacksDescriptors } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';
import { HashThreads } from '../hashing/hash-threads.ts';
import type { Durability } from '../object-store.ts';
import { isStoreError, StoreError } from '../store-error.ts';
import type { StoreLog } from '../store-log.ts';
import type { StoreSizes } from '../store-sizes.ts';
import { blobFile, epochOf, formBlobId, keptName } from './blob-file.ts';
import type { BlobFolders } from './blob-folders.ts';
import { BlobWriter, type RoomForBlobs } from './blob-writer.ts';
import { blockChecksums } from './block-checksums.ts';
import type { BodyPlace, BodySink, SinkOptions } from './body-writer.ts';
import { MemoryBudget } from './memory-budget.ts';
import { PiecePool } from './piece-pool.ts';
import type { StagedContent } from './staged-content.ts';

/**
 * A body of at least this length goes past the system's cache; a shorter one may be wanted from it, by a scanner or a thumbnail. Less
 * than the least part of an upload: parts of 8 MiB cost a third less processor time so.
 */
export const minBulkBytes: number = 4 * 1024 * 1024;

/** Written again at a time. */
const copiedBytes = 1024 * 1024;

interface BlobPlaceOptions {
  readonly disk: Disk;
  readonly folders: BlobFolders;
  readonly sizes: Pick<StoreSizes, 'maxInlineBytes' | 'gatherMemoryBytes' | 'pieceMemoryBytes'>;
  /** Number of this opening: the first part of its blobs' ids. */
  readonly epoch: number;
  /** The second part, from 1: a number that no other blob of this opening has. */
  readonly nextCount: () => number;
  /** Why nothing may be written any more, if that is so. */
  readonly refusal: () => StoreError | undefined;
  /** Lost by a disk error other than lack of room. */
  readonly trust: DiskTrust;
  readonly room: RoomForBlobs;
  /** Of the memory that all bodies together may take while they arrive, as a share of the whole: workers share it. */
  readonly memoryShare: number;
  /** Threads that hash large bodies; 0: the main thread does. */
  readonly maxHashThreads: number;
  readonly log: StoreLog;
}

export class BlobPlace {
  readonly maxGatheredBytes: number;
  /** Of all small bodies together. */
  readonly memory: MemoryBudget;
  readonly #options: BlobPlaceOptions;
  readonly #pieces: PiecePool;
  readonly #threads: HashThreads;
  /** Where bodies go that survive power loss, and those that need not. */
  readonly #durable: BodyPlace;
  readonly #loose: BodyPlace;

  constructor(options: BlobPlaceOptions) {
    this.#options = options;
    const { maxInlineBytes, gatherMemoryBytes, pieceMemoryBytes } = options.sizes;
    this.memory = new MemoryBudget(Math.floor(gatherMemoryBytes * options.memoryShare));
    this.#pieces = new PiecePool(Math.floor(pieceMemoryBytes * options.memoryShare));
    this.#threads = new HashThreads({
      maxThreads: options.maxHashThreads,
      memory: () => this.#pieces.memory,
      onError: (cause) => options.log('error', 'A hashing thread ended', { cause: String(cause) }),
    });
    this.maxGatheredBytes = maxInlineBytes;
    this.#durable = this.#bodyPlace(true);
    this.#loose = this.#bodyPlace(false);
  }

  /** Where a body goes that is written at a durability. */
  at({ level }: Durability): BodyPlace {
    return level === 'memory' ? this.#loose : this.#durable;
  }

  gathered(bytes: Buffer): StagedContent {
    return { kind: 'inline', bytes, checksums: blockChecksums(bytes) };
  }

  async toBlob(content: StagedContent, durability: Durability): Promise<StagedContent & { readonly kind: 'blob' }> {
    if (content.kind === 'blob') return content;
    const sink = this.at(durability).openSink({ digests: [] });
    try {
      await sink.write(content.bytes);
    } catch (cause) {
      await sink.discard();
      throw cause;
    }
    return (await sink.finish()).content;
  }

  /** Makes blobs durable that were written at durability `memory`. One that is not there any more is no error. */
  async keep(blobIds: readonly Buffer[]): Promise<void> {
    const { folders, epoch } = this.#options;
    for (const blobId of blobIds) {
      try {
        if (epochOf(blobId) === epoch) await this.#sync(blobId);
        else await this.#writeAgain(blobId);
      } catch (cause) {
        // Power loss took it: whoever reads the object is told.
        if (isMissing(cause)) continue;
        throw cause;
      }
      await folders.makeDurable(blobId);
    }
  }

  async #sync(blobId: Buffer): Promise<void> {
    const { disk, folders, trust } = this.#options;
    const file = await disk.open(blobFile(folders.root, blobId), 'write');
    await trust.sync(() => file.sync()).finally(() => file.close());
  }

  /**
   * A sync by an earlier opening may have failed: bytes and name would then be in the system's cache alone, and another sync
   * would do nothing for them (invariant 5). So both are made anew.
   */
  async #writeAgain(blobId: Buffer): Promise<void> {
    const { disk, folders, room, trust } = this.#options;
    const path = blobFile(folders.root, blobId);
    const next = join(folders.root, keptName);
    await disk.remove(next);
    const from = await disk.open(path, 'read');
    try {
      const to = await room.use(() => disk.create(next, 'write'));
      try {
        // Bytes that cannot be read are no worse where they are: whoever reads the object is told.
        if (!(await room.use(() => copyBytes(from, to)))) return;
        await trust.sync(() => to.sync());
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
    await disk.rename(next, path);
  }

  /** Ends the hashing threads; to be called when no body is on its way any more. */
  async close(): Promise<void> {
    await this.#threads.close();
  }

  readonly abandon = async (content: StagedContent): Promise<void> => {
    const { disk, folders } = this.#options;
    if (content.kind === 'blob') await disk.remove(blobFile(folders.root, content.blobId));
  };

  #bodyPlace(durable: boolean): BodyPlace {
    return {
      maxGatheredBytes: this.maxGatheredBytes,
      memory: this.memory,
      gathered: (bytes) => this.gathered(bytes),
      openSink: (body) => this.#openSink(durable, body),
      abandon: this.abandon,
    };
  }

  #openSink(durable: boolean, { digests, sizeBytes = 0 }: SinkOptions): BodySink {
    const { disk, folders, epoch, nextCount, refusal, room, trust } = this.#options;
    const refused = refusal();
    if (refused !== undefined) throw refused;
    return new BlobWriter({
      disk,
      folders,
      room,
      sync: (file) => trust.sync(() => file.sync()),
      nextBlobId: () => formBlobId(epoch, nextCount(), durable),
      durable,
      bulk: durable && sizeBytes >= minBulkBytes,
      pieces: this.#pieces,
      hasher: this.#threads.begin(digests),
      onFailure: (cause) => this.#explain(cause),
    });
  }

  #explain(cause: unknown): unknown {
    if (isDiskFull(cause)) return new StoreError('DiskFull', { cause });
    if (isStoreError(cause)) return cause;
    if (lacksDescriptors(cause)) return new StoreError('Overloaded', { cause });
    this.#options.trust.lose(cause);
    return this.#options.refusal() ?? cause;
  }
}

/** Answers false when they cannot be read. */
async function copyBytes(from: DiskFile, to: DiskFile): Promise<boolean> {
  const sizeBytes = await from.sizeBytes();
  for (let position = 0; position < sizeBytes; position += copiedBytes) {
    const bytes = Buffer.alloc(Math.min(copiedBytes, sizeBytes - position));
    const isRead = await from.read(bytes, position).then(
      () => true,
      () => false,
    );
    if (!isRead) return false;
    await to.write([bytes], position);
  }
  return true;
}
