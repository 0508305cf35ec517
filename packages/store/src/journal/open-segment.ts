// The segment that batches are written into: its files, how far it is filled, and the zeros ahead of its end, which spare a
// small durable write making new blocks of the file durable, too.
// A segment may be open twice: to write through to the disk (O_DSYNC: one trip for a durable batch), and to write into the
// system's cache (for batches that need not be durable yet). Each is opened when it is first needed. Writing through covers
// its own bytes alone: whether bytes before them are durable is for the journal to know.

import { type Disk, type DiskFile, isDiskFull } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';

/** Larger batches pay for new blocks by themselves: writing them twice would cost more. */
const maxBatchBytesForZeros = 256 * 1024;

type WriteMode = 'durable' | 'write';

interface OpenSegmentOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly number: number;
  readonly salt: number;
  /** Where the next batch begins. */
  readonly position: number;
  /** The file as it was opened first. */
  readonly file: DiskFile;
  readonly mode: WriteMode;
  /** What is written ahead at a time; kept twice as far ahead. */
  readonly zeros: Buffer;
  readonly trust: DiskTrust;
  /** Whether zeros may be written ahead. */
  readonly mayWriteAhead: () => boolean;
}

export class OpenSegment {
  readonly number: number;
  readonly salt: number;
  readonly #options: OpenSegmentOptions;
  readonly #files = new Map<WriteMode, DiskFile>();
  #position: number;
  /** Zeros have been written up to here. */
  #zeroedUntil: number;
  #zeroing: Promise<void> | undefined;

  constructor(options: OpenSegmentOptions) {
    this.#options = options;
    this.number = options.number;
    this.salt = options.salt;
    this.#position = options.position;
    this.#zeroedUntil = options.position;
    this.#files.set(options.mode, options.file);
  }

  /** Where the next batch begins. */
  get position(): number {
    return this.#position;
  }

  /**
   * Writes a batch at the end; `durable`: through to the disk, its own bytes alone. When it rejects for lack of room,
   * nothing of the batch is left, durably: its records could otherwise be taken for later ones.
   */
  async append(chunks: readonly Uint8Array[], sizeBytes: number, mode: WriteMode): Promise<void> {
    const start = this.#position;
    const end = start + sizeBytes;
    const file = this.#files.get(mode) ?? (await this.#open(mode));
    // Zeros that are still on their way must not land on the batch.
    if (end > this.#zeroedUntil && this.#zeroing !== undefined) await this.#zeroing;
    try {
      await file.write(chunks, start);
    } catch (cause) {
      if (isDiskFull(cause)) await this.#options.trust.sync(() => this.#cut(file));
      else this.#options.trust.lose(cause);
      throw cause;
    }
    this.#position = end;
    this.#zeroedUntil = Math.max(this.#zeroedUntil, end);
    if (mode === 'durable' && sizeBytes <= maxBatchBytesForZeros) this.#keepZerosAhead(file);
  }

  /** Makes all that was appended before durable. */
  async sync(): Promise<void> {
    // Either file stands for the whole segment: what is made durable is the file's, not the descriptor's.
    const [file] = this.#files.values();
    await file?.sync();
  }

  /** Ends the segment: takes the zeros off, makes it durable, and closes it. */
  async finish(): Promise<void> {
    await this.#zeroing;
    const [file] = this.#files.values();
    await file?.truncate(this.#position);
    await file?.sync();
    await this.close();
  }

  /** Closes it as it stands. */
  async close(): Promise<void> {
    await this.#zeroing;
    await Promise.all([...this.#files.values()].map((file) => file.close()));
  }

  async #open(mode: WriteMode): Promise<DiskFile> {
    const { disk, path } = this.#options;
    const file = await disk.open(path, mode);
    this.#files.set(mode, file);
    return file;
  }

  async #cut(file: DiskFile): Promise<void> {
    await this.#zeroing;
    await file.truncate(this.#position);
    await file.sync();
    this.#zeroedUntil = this.#position;
  }

  #keepZerosAhead(file: DiskFile): void {
    const ahead = this.#zeroedUntil - this.#position;
    if (ahead >= 2 * this.#options.zeros.length || this.#zeroing !== undefined) return;
    if (!this.#options.mayWriteAhead()) return;
    this.#zeroing = this.#writeZeros(file);
  }

  async #writeZeros(file: DiskFile): Promise<void> {
    const { zeros, trust } = this.#options;
    const start = this.#zeroedUntil;
    try {
      await file.write([zeros], start);
      this.#zeroedUntil = Math.max(this.#zeroedUntil, start + zeros.length);
    } catch (cause) {
      // No room for zeros: batches take what is left until they find none themselves.
      if (!isDiskFull(cause)) trust.lose(cause);
    } finally {
      this.#zeroing = undefined;
    }
  }
}
