// Reads bodies from segments and blobs, and holds every block that is touched against its checksum before a byte of it is
// handed out. Small reads of warm files are made at once: a few microseconds from the page cache, where a trip through the
// thread pool costs ten times that. A file whose read took long is cold: the next ones go through the pool until they are fast.

import { join } from 'node:path';
import { blobFile } from './blobs/blob-file.ts';
import { blockCount, blockSizeBytes, findBadBlock } from './blobs/block-checksums.ts';
import type { BodyLocation } from './catalog/version-row.ts';
import { blobChecksums, blobChecksumsSync, blocksOfPage } from './checksum-pages.ts';
import { type Disk, isMissing } from './disk/disk.ts';
import { isUnreadable } from './disk/read-around.ts';
import { segmentName } from './journal/segment.ts';
import type { StoreDamage } from './object-store.ts';
import { type LentFile, OpenFiles } from './open-files.ts';
import type { ByteSource, Span } from './opened-object.ts';
import { ReadBuffers } from './read-buffers.ts';
import { ReadThrough } from './read-through.ts';
import { StoreError } from './store-error.ts';

/** Larger reads always go through the thread pool. */
const maxSyncReadBytes = 256 * 1024;
/** A read at once that takes longer had to wait for the disk. */
const coldReadMs = 0.5;
/**
 * Reads through the pool before a cold file is tried at once again, at most: one after the first slow read, and twice as
 * many after each further one. A single slow read says little: on a busy machine it was the thread that waited, for its turn.
 */
const maxColdReads = 16;

const maxOpenSegments = 256;
const maxOpenBlobs = 256;

interface VerifiedReadsOptions {
  readonly disk: Disk;
  readonly directory: string;
  /** For all bodies together that are on their way to somebody. */
  readonly memoryBytes: number;
  readonly onDamage: (damage: StoreDamage) => void;
}

export class VerifiedReads implements ByteSource {
  readonly buffers: ReadBuffers;
  readonly #options: VerifiedReadsOptions;
  readonly #segments: OpenFiles;
  readonly #blobs: OpenFiles;
  readonly #journalFolder: string;
  readonly #blobFolder: string;
  readonly #readThrough = new ReadThrough();

  constructor(options: VerifiedReadsOptions) {
    this.#options = options;
    this.buffers = new ReadBuffers(options.memoryBytes);
    this.#segments = new OpenFiles(options.disk, maxOpenSegments);
    this.#blobs = new OpenFiles(options.disk, maxOpenBlobs);
    this.#journalFolder = join(options.directory, 'journal');
    this.#blobFolder = join(options.directory, 'blobs');
  }

  readJournal(location: BodyLocation & { readonly kind: 'journal' }, span: Span): Uint8Array | Promise<Uint8Array> {
    const name = segmentName(location.segment);
    const read: BodyRead = {
      ...span,
      bodyStart: location.offset,
      checksums: location.checksums,
      file: `journal/${name}`,
    };
    return this.#withFile(this.#segments, join(this.#journalFolder, name), read);
  }

  readBlob(blobId: Buffer, span: Span): Uint8Array | Promise<Uint8Array> {
    const path = blobFile(this.#blobFolder, blobId);
    const file = path.slice(this.#options.directory.length + 1);
    return this.#withFile(this.#blobs, path, { ...span, bodyStart: 0, checksums: undefined, file });
  }

  /** Lets go of a blob that is about to be removed. */
  forgetBlob(blobId: Buffer): void {
    this.#blobs.forget(blobFile(this.#blobFolder, blobId));
  }

  /** Lets go of a segment that is about to be removed. */
  forgetSegment(segment: number): void {
    this.#segments.forget(join(this.#journalFolder, segmentName(segment)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#segments.close(), this.#blobs.close()]);
  }

  #withFile(files: OpenFiles, path: string, read: BodyRead): Uint8Array | Promise<Uint8Array> {
    if (read.start >= read.end) return new Uint8Array();
    const lent = files.borrow(path);
    if (lent instanceof Promise) {
      return lent.then(
        (file) => this.#readAndGiveBack(file, read),
        (cause: unknown) => {
          throw this.#missing(cause, read);
        },
      );
    }
    return this.#readAndGiveBack(lent, read);
  }

  #readAndGiveBack(lent: LentFile, read: BodyRead): Uint8Array | Promise<Uint8Array> {
    const blocks = blocksOf(read);
    // Of a segment the checksums are at hand.
    if (read.checksums === undefined) this.#readThrough.note(lent, read);
    if (blocks.end - blocks.start <= maxSyncReadBytes && lent.coldReads === 0) {
      try {
        return this.#readSync(lent, read, blocks);
      } catch (cause) {
        throw this.#unreadable(cause, read, blocks);
      } finally {
        lent.giveBack();
      }
    }
    const reading = this.#readAsync(lent, read, blocks).catch((cause: unknown) => {
      throw this.#unreadable(cause, read, blocks);
    });
    return reading.finally(() => lent.giveBack());
  }

  #readSync(lent: LentFile, read: BodyRead, blocks: Blocks): Uint8Array {
    const began = performance.now();
    const bytes = memoryFor(read, blocks);
    const count = lent.file.readSync(bytes, read.bodyStart + blocks.start);
    const checksums = read.checksums ?? blobChecksumsSync(lent, read.sizeBytes, blocks);
    if (performance.now() - began <= coldReadMs) lent.slowReads = 0;
    else {
      lent.coldReads = Math.min(2 ** lent.slowReads, maxColdReads);
      lent.slowReads += 1;
    }
    return this.#verify(bytes.subarray(0, count), checksums, read, blocks);
  }

  async #readAsync(lent: LentFile, read: BodyRead, blocks: Blocks): Promise<Uint8Array> {
    const began = performance.now();
    const bytes = memoryFor(read, blocks);
    const [count, checksums] = await Promise.all([
      lent.file.read(bytes, read.bodyStart + blocks.start),
      read.checksums ?? blobChecksums(lent, read.sizeBytes, blocks),
    ]);
    const waited = performance.now() - began > 10 * coldReadMs;
    lent.coldReads = waited ? maxColdReads : Math.max(0, lent.coldReads - 1);
    return this.#verify(bytes.subarray(0, count), checksums, read, blocks);
  }

  /** @throws StoreError `Corrupt`. */
  #verify(bytes: Buffer, checksums: Buffer, read: BodyRead, blocks: Blocks): Uint8Array {
    // Of a journal body all checksums are at hand, of a blob those from the beginning of a page.
    const firstChecksum = read.checksums === undefined ? blocks.first % blocksOfPage : blocks.first;
    const complete = bytes.length === blocks.end - blocks.start;
    const bad = complete ? findBadBlock(bytes, checksums, firstChecksum) : firstChecksum;
    if (bad !== undefined) throw this.#corrupt(read, (bad - firstChecksum + blocks.first) * blockSizeBytes, complete);
    return bytes.subarray(read.start - blocks.start, read.end - blocks.start);
  }

  #corrupt(read: BodyRead, blockStart: number, complete: boolean): StoreError {
    const offset = read.bodyStart + blockStart;
    const sizeBytes = Math.min(blockSizeBytes, read.sizeBytes - blockStart);
    const description = complete ? 'a block fails its checksum' : 'the file ends before the body does';
    this.#tell({ file: read.file, offset, sizeBytes, description }, read);
    return new StoreError('Corrupt', {
      message: `${read.file} at ${offset}: ${description}. The bytes are not served; restore the object from a copy.`,
      details: { file: read.file, offset: String(offset) },
    });
  }

  /** What the disk cannot read is damaged; which block of several it is, the look at the whole file finds. */
  #unreadable(cause: unknown, read: BodyRead, blocks: Blocks): unknown {
    if (!isUnreadable(cause)) return cause;
    const offset = read.bodyStart + blocks.start;
    const description = 'the disk cannot read it (EIO)';
    this.#tell({ file: read.file, offset, sizeBytes: blocks.end - blocks.start, description }, read);
    return new StoreError('Corrupt', {
      message: `${read.file} at ${offset}: ${description}. Restore the object from a copy.`,
      details: { file: read.file, offset: String(offset) },
      cause,
    });
  }

  #tell(damage: StoreDamage, { object }: BodyRead): void {
    const objects = object === undefined ? {} : { objects: [{ bucket: object.bucket, key: object.key }] };
    this.#options.onDamage({ ...damage, ...objects });
  }

  #missing(cause: unknown, read: BodyRead): unknown {
    const absent = isMissing(cause);
    if (!absent) return cause;
    const description = 'the file is not there';
    this.#tell({ file: read.file, offset: 0, sizeBytes: read.sizeBytes, description }, read);
    return new StoreError('Corrupt', { message: `${read.file}: ${description}.`, details: { file: read.file }, cause });
  }
}

interface BodyRead extends Span {
  /** Where in the file the body begins. */
  readonly bodyStart: number;
  /** Those of all blocks; absent: they stand behind the body. */
  readonly checksums: Buffer | undefined;
  /** Relative to the data folder. */
  readonly file: string;
}

/** Whole blocks around a range. */
interface Blocks {
  readonly first: number;
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

function memoryFor(read: BodyRead, blocks: Blocks): Buffer {
  const sizeBytes = blocks.end - blocks.start;
  return read.buffer === undefined ? Buffer.allocUnsafe(sizeBytes) : read.buffer.subarray(0, sizeBytes);
}

function blocksOf({ start, end, sizeBytes }: Span): Blocks {
  const first = Math.floor(start / blockSizeBytes);
  const wholeEnd = Math.min(Math.ceil(end / blockSizeBytes) * blockSizeBytes, sizeBytes);
  return { first, count: blockCount(wholeEnd - first * blockSizeBytes), start: first * blockSizeBytes, end: wholeEnd };
}
