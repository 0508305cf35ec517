// Writes one blob: bytes are gathered into pieces, several of which may be on their way to the disk at once, so that the
// disk works while the next ones arrive and are hashed. Once finished, file and name are durable (invariant 1).
// There is no temporary name: nothing refers to a blob before its commit, so a file that is half there can only be one
// that recovery removes.

import type { Disk, DiskFile } from '../disk/disk.ts';
import { blobFile, encodeBlobFooter } from './blob-file.ts';
import type { BlobFolders } from './blob-folders.ts';
import { blockChecksums } from './block-checksums.ts';
import type { BodySink } from './body-writer.ts';
import type { StagedContent } from './staged-content.ts';

/** A whole number of blocks. */
const pieceSizeBytes = 256 * 1024;
/** Pieces on their way to the disk before the writer is asked to wait. */
const maxPiecesInFlight = 3;
/** After so many bytes the disk is asked to write them down, so that the end does not have to wait for all. */
const syncEveryBytes = 32 * 1024 * 1024;

interface BlobWriterOptions {
  readonly disk: Disk;
  readonly folders: BlobFolders;
  readonly blobId: Buffer;
  /** Whether finished blobs survive power loss. */
  readonly durable: boolean;
  /** Told of a failure to write or sync, and answers what the body's writer is to be told. */
  readonly onFailure: (cause: unknown) => unknown;
}

export class BlobWriter implements BodySink {
  readonly #options: BlobWriterOptions;
  readonly #opened: Promise<DiskFile>;
  readonly #checksums: Buffer[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #piece: Buffer = Buffer.allocUnsafeSlow(pieceSizeBytes);
  #filled = 0;
  #position = 0;
  #syncedUntil = 0;
  #failure: { readonly cause: unknown } | undefined;

  constructor(options: BlobWriterOptions) {
    this.#options = options;
    this.#opened = this.#open();
    this.#opened.catch((cause: unknown) => this.#fail(cause));
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    let taken = 0;
    while (taken < chunk.length) {
      const count = Math.min(chunk.length - taken, pieceSizeBytes - this.#filled);
      this.#piece.set(
        taken === 0 && count === chunk.length ? chunk : chunk.subarray(taken, taken + count),
        this.#filled,
      );
      this.#filled += count;
      taken += count;
      if (this.#filled === pieceSizeBytes) this.#send();
    }
    if (this.#failure !== undefined || this.#inFlight.size > maxPiecesInFlight) return this.#room();
    return undefined;
  }

  async finish(): Promise<StagedContent & { readonly kind: 'blob' }> {
    try {
      const { blobId, folders, durable } = this.#options;
      const file = await this.#opened;
      this.#send();
      const footer = encodeBlobFooter({ blobId, sizeBytes: this.#position, checksums: Buffer.concat(this.#checksums) });
      this.#track(file.write([footer], this.#position));
      await this.#settle();
      if (this.#failure !== undefined) throw this.#failure.cause;
      if (durable) await file.sync();
      await file.close();
      if (durable) await folders.makeDurable(blobId);
      return { kind: 'blob', blobId };
    } catch (cause) {
      const told = this.#options.onFailure(cause);
      await this.discard();
      throw told;
    }
  }

  async discard(): Promise<void> {
    await this.#settle();
    const { disk, folders, blobId } = this.#options;
    try {
      const file = await this.#opened;
      await file.close().catch(() => undefined); // finish() may have closed it
    } catch {
      return; // it was never created
    }
    await disk.remove(blobFile(folders.root, blobId));
  }

  async #open(): Promise<DiskFile> {
    const { disk, folders, blobId } = this.#options;
    await folders.prepare(blobId);
    return disk.create(blobFile(folders.root, blobId), 'write');
  }

  /** Hands the piece over to the disk; a full one is replaced by a new one. */
  #send(): void {
    if (this.#filled === 0) return;
    const bytes = this.#piece.subarray(0, this.#filled);
    const position = this.#position;
    this.#track(this.#opened.then((file) => file.write([bytes], position)));
    this.#checksums.push(blockChecksums(bytes));
    this.#position += this.#filled;
    this.#filled = 0;
    this.#piece = Buffer.allocUnsafeSlow(pieceSizeBytes);
    if (this.#options.durable && this.#position - this.#syncedUntil >= syncEveryBytes) {
      this.#syncedUntil = this.#position;
      this.#track(this.#opened.then((file) => file.sync()));
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((cause: unknown) => this.#fail(cause))
      .finally(() => {
        this.#inFlight.delete(tracked);
      });
    this.#inFlight.add(tracked);
  }

  #fail(cause: unknown): void {
    this.#failure ??= { cause };
  }

  async #room(): Promise<void> {
    while (this.#inFlight.size > maxPiecesInFlight) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) throw this.#options.onFailure(this.#failure.cause);
  }

  async #settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }
}
