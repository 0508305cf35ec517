// Where the bodies of a disk store go: small ones stay in memory until their commit puts them into the journal, the others
// become blobs while they arrive.

import type { Disk } from '../disk/disk.ts';
import { isDiskFull } from '../disk/disk.ts';
import { StoreError } from '../store-error.ts';
import { blobFile, formBlobId } from './blob-file.ts';
import type { BlobFolders } from './blob-folders.ts';
import { BlobWriter } from './blob-writer.ts';
import { blockChecksums } from './block-checksums.ts';
import { type BodyPlace, type BodySink, MemoryBudget } from './body-writer.ts';
import type { StagedContent } from './staged-content.ts';

/** Larger bodies become blobs: from here on, a file of its own costs less than to write the bytes again in compaction. */
const maxInlineBytes = 1024 * 1024;
/** For all bodies that are arriving together. */
const maxGatheringBytes = 256 * 1024 * 1024;

interface BlobPlaceOptions {
  readonly disk: Disk;
  readonly folders: BlobFolders;
  /** Number of this opening: the first part of its blobs' ids. */
  readonly epoch: number;
  /** Whether finished blobs survive power loss. */
  readonly durable: boolean;
  /** Why nothing may be written any more, if that is so. */
  readonly refusal: () => StoreError | undefined;
  /** Told of a disk error other than lack of room (invariant 5). */
  readonly onFailure: (cause: unknown) => void;
}

export class BlobPlace implements BodyPlace {
  readonly maxGatheredBytes = maxInlineBytes;
  readonly memory: MemoryBudget = new MemoryBudget(maxGatheringBytes);
  readonly #options: BlobPlaceOptions;
  #count = 0;

  constructor(options: BlobPlaceOptions) {
    this.#options = options;
  }

  gathered(bytes: Buffer): StagedContent {
    return { kind: 'inline', bytes, checksums: blockChecksums(bytes) };
  }

  openSink(): BodySink {
    const { disk, folders, epoch, durable, refusal } = this.#options;
    const refused = refusal();
    if (refused !== undefined) throw refused;
    this.#count += 1;
    const blobId = formBlobId(epoch, this.#count);
    return new BlobWriter({ disk, folders, blobId, durable, onFailure: (cause) => this.#explain(cause) });
  }

  async toBlob(content: StagedContent): Promise<StagedContent & { readonly kind: 'blob' }> {
    if (content.kind === 'blob') return content;
    const sink = this.openSink();
    await sink.write(content.bytes);
    return sink.finish();
  }

  readonly abandon = async (content: StagedContent): Promise<void> => {
    const { disk, folders } = this.#options;
    if (content.kind === 'blob') await disk.remove(blobFile(folders.root, content.blobId));
  };

  #explain(cause: unknown): unknown {
    if (isDiskFull(cause)) return new StoreError('DiskFull', { cause });
    this.#options.onFailure(cause);
    return this.#options.refusal() ?? cause;
  }
}
