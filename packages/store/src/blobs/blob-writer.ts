// Writes one blob: bytes are copied once, into pieces that are lent by a pool, several of which may be on their way to the
// disk and through the hashes at a time, so that both work while the next bytes arrive. Once finished, file and name are
// durable (invariant 1). There is no temporary name: nothing refers to a blob before its commit, so a file that is half
// there can only be one that recovery removes.

import type { Disk, DiskFile } from '../disk/disk.ts';
import type { BodySums } from '../hashing/body-hashes.ts';
import type { BodyHasher } from '../hashing/hash-threads.ts';
import { blobFile, encodeBlobFooter } from './blob-file.ts';
import type { BlobFolders } from './blob-folders.ts';
import type { BodySink, SunkBody } from './body-writer.ts';
import { copyIntoPiece, type Piece, type PieceHolder, type PiecePool, pieceSizeBytes } from './piece-pool.ts';

/** Writes and hashes of one body's pieces that may be outstanding before its sender is asked to wait. */
const maxInFlight = 12;
/** After so many bytes the disk is asked to write them down, so that the end does not have to wait for all. */
const syncEveryBytes = 16 * 1024 * 1024;

/** Who decides over the room that new blobs take up. */
export interface RoomForBlobs {
  /** Lets a blob begin. @throws StoreError `DiskFull`. */
  admit(): Promise<void>;
  /** Does what takes up room. @throws an error that says that there is none. */
  use<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Names that are passed over because a file has them already. */
const maxTakenNames = 100_000;

interface BlobWriterOptions {
  readonly disk: Disk;
  readonly folders: BlobFolders;
  readonly room: RoomForBlobs;
  /** An id that no other blob of this opening has. */
  readonly nextBlobId: () => Buffer;
  readonly pieces: PiecePool;
  readonly hasher: BodyHasher;
  /** Whether finished blobs survive power loss. */
  readonly durable: boolean;
  /** Whether there is so much of it that it need not pass through the system's cache. */
  readonly bulk: boolean;
  /** Makes what was written of the file durable. @throws never an error that says that there is no room. */
  readonly sync: (file: DiskFile) => Promise<void>;
  /** Told of a failure to write or sync, and answers what the body's writer is to be told. */
  readonly onFailure: (cause: unknown) => unknown;
}

export class BlobWriter implements BodySink, PieceHolder {
  readonly #options: BlobWriterOptions;
  #blobId: Buffer;
  readonly #opened: Promise<DiskFile>;
  #file: DiskFile | undefined;
  #piece: Piece | undefined;
  #filledBytes = 0;
  #sentBytes = 0;
  readonly #unwritten: { readonly bytes: Buffer; readonly written: () => void }[] = [];
  #writing = false;
  /** Where the next write goes. */
  #position = 0;
  #syncedUntil = 0;
  /** Writes and syncs that have not ended, and pieces that are being hashed. */
  #inFlight = 0;
  /** Of those who wait until less is in flight: a write may still do so when the body is given up. */
  readonly #wakeUps: (() => void)[] = [];
  #failure: { readonly told: unknown } | undefined;
  #ended = false;

  constructor(options: BlobWriterOptions) {
    this.#options = options;
    this.#blobId = options.nextBlobId();
    this.#opened = this.#open();
    this.#opened.catch((cause: unknown) => this.#fail(cause));
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const taken = this.#fill(chunk, 0);
    if (taken < chunk.length) return this.#fillRest(chunk, taken);
    if (this.#failure !== undefined || this.#inFlight > maxInFlight) return this.#room();
    return undefined;
  }

  async finish(): Promise<SunkBody> {
    const { folders, durable, hasher, room, sync } = this.#options;
    let sums: BodySums;
    try {
      const file = await this.#opened;
      if (this.#piece !== undefined) this.sendNow();
      this.#ended = true;
      await this.#inFlightAtMost(0);
      if (this.#failure !== undefined) throw this.#failure.told;
      sums = await hasher.finish();
      const footer = encodeBlobFooter({ blobId: this.#blobId, sizeBytes: this.#position, checksums: sums.checksums });
      await this.#asked(async () => {
        await room.use(() => file.write([footer], this.#position));
        if (durable) await sync(file);
        await file.close();
        if (durable) await folders.makeDurable(this.#blobId);
      });
    } catch (cause) {
      await this.discard();
      throw this.#failure?.told ?? cause;
    }
    return { content: { kind: 'blob', blobId: this.#blobId }, digests: sums.digests };
  }

  async discard(): Promise<void> {
    this.#ended = true;
    this.#options.hasher.discard();
    if (this.#piece !== undefined) this.#giveUpPiece(this.#piece);
    await this.#inFlightAtMost(0);
    const { disk, folders } = this.#options;
    try {
      const file = await this.#opened;
      await file.close().catch(() => undefined); // finish() may have closed it
    } catch {
      return; // it was never created
    }
    await disk.remove(blobFile(folders.root, this.#blobId));
  }

  /** Hands what is in the piece over to the disk and the hashes. */
  sendNow(): void {
    const piece = this.#piece;
    if (piece === undefined) return;
    const sizeBytes = this.#filledBytes;
    this.#options.pieces.sent(this);
    this.#piece = undefined;
    this.#filledBytes = 0;
    let uses = 2;
    const used = (): void => {
      uses -= 1;
      if (uses === 0) this.#options.pieces.giveBack(piece);
      this.#landed();
    };
    this.#inFlight += 2;
    this.#sentBytes += sizeBytes;
    this.#unwritten.push({ bytes: piece.bytes.subarray(0, sizeBytes), written: used });
    // To the disk first, so that it works while the bytes are hashed, should that be here.
    if (!this.#writing) void this.#writeAll();
    this.#options.hasher.update(piece, sizeBytes, used);
  }

  /** One write at a time: several to one file would only wait for each other within the system. */
  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#unwritten.length > 0) {
      const pieces = this.#unwritten.splice(0);
      try {
        if (this.#failure === undefined) {
          const file = this.#file ?? (await this.#opened);
          const chunks = pieces.map(({ bytes }) => bytes);
          await this.#options.room.use(() => file.write(chunks, this.#position));
          for (const { length } of chunks) this.#position += length;
        }
      } catch (cause) {
        this.#fail(cause);
      }
      for (const { written } of pieces) written();
    }
    this.#writing = false;
  }

  async #open(): Promise<DiskFile> {
    const { disk, folders, room, nextBlobId, bulk } = this.#options;
    await room.admit();
    this.#file = await room.use(async () => {
      for (let left = maxTakenNames; ; left -= 1) {
        await folders.prepare(this.#blobId);
        try {
          return await disk.create(blobFile(folders.root, this.#blobId), bulk ? 'bulk' : 'write');
        } catch (cause) {
          // A blob that is there belongs to somebody, though it should not be: it is left alone.
          const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
          if (!isTaken || left === 0) throw cause;
          this.#blobId = nextBlobId();
        }
      }
    });
    return this.#file;
  }

  /** Copies from the chunk as long as there are pieces; answers how far it came. */
  #fill(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#piece ??= this.#options.pieces.take();
      const piece = this.#piece;
      if (piece === undefined) return at;
      if (this.#filledBytes === 0) this.#beginPiece();
      const count = Math.min(chunk.length - at, pieceSizeBytes - this.#filledBytes);
      copyIntoPiece(piece, this.#filledBytes, chunk, at, at + count);
      at += count;
      this.#filledBytes += count;
      if (this.#filledBytes === pieceSizeBytes) this.sendNow();
    }
    if (this.#piece !== undefined) this.#options.pieces.filling(this);
    return at;
  }

  async #fillRest(chunk: Uint8Array, from: number): Promise<void> {
    let at = from;
    while (at < chunk.length) {
      const piece = await this.#options.pieces.wait();
      if (this.#ended || this.#failure !== undefined) {
        this.#options.pieces.giveBack(piece);
        if (this.#failure !== undefined) throw this.#failure.told;
        return; // discarded while it waited
      }
      this.#piece = piece;
      at = this.#fill(chunk, at);
    }
    await this.#room();
  }

  /** Everything but the last 16 MiB shall be on the disk at the end; asked for here, where it is known that more follows. */
  #beginPiece(): void {
    const { durable, bulk } = this.#options;
    // What went past the system's cache is there already.
    if (!durable || bulk || this.#sentBytes - this.#syncedUntil < syncEveryBytes) return;
    this.#syncedUntil = this.#sentBytes;
    this.#inFlight += 1;
    this.#opened
      .then((file) => this.#options.sync(file))
      .catch((cause: unknown) => this.#fail(cause))
      .then(() => this.#landed());
  }

  #giveUpPiece(piece: Piece): void {
    this.#options.pieces.sent(this);
    this.#options.pieces.giveBack(piece);
    this.#piece = undefined;
    this.#filledBytes = 0;
  }

  #landed(): void {
    this.#inFlight -= 1;
    for (const wakeUp of this.#wakeUps.splice(0)) wakeUp();
  }

  /** The first failure of the disk counts; whatever it is, it is told to the store once. */
  #fail(cause: unknown): void {
    this.#failure ??= { told: this.#options.onFailure(cause) };
  }

  async #asked(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      this.#fail(cause);
      throw cause;
    }
  }

  async #room(): Promise<void> {
    await this.#inFlightAtMost(maxInFlight);
    if (this.#failure !== undefined) throw this.#failure.told;
  }

  async #inFlightAtMost(count: number): Promise<void> {
    while (this.#inFlight > count) {
      await new Promise<void>((resolve) => this.#wakeUps.push(resolve));
    }
  }
}
