// Files kept open for reading, the least recently used closed first, but never one that is being read.

import type { Disk, DiskFile } from './disk/disk.ts';
import { StoreError } from './store-error.ts';

export interface LentFile {
  readonly file: DiskFile;
  /** How many reads of this file are still to go through the thread pool, because one had to wait for the disk. */
  coldReads: number;
  /** Reads at once that had to wait, one after the other. */
  slowReads: number;
  /** Checksums of a blob's blocks that were read before, by page. A blob never changes. */
  readonly checksumPages: Map<number, Buffer>;
  /** To be called exactly once. */
  giveBack(): void;
}

export class OpenFiles {
  readonly #disk: Disk;
  readonly #maxFiles: number;
  /** In order of use, the latest last. */
  readonly #files = new Map<string, OpenFileEntry>();
  readonly #opening = new Map<string, Promise<OpenFileEntry>>();
  #closed = false;

  constructor(disk: Disk, maxFiles: number) {
    this.#disk = disk;
    this.#maxFiles = maxFiles;
  }

  /** The file, at once if it is open. @throws StoreError `Closed`. */
  borrow(path: string): LentFile | Promise<LentFile> {
    if (this.#closed) throw new StoreError('Closed');
    const entry = this.#files.get(path);
    if (entry === undefined) return this.#open(path);
    this.#files.delete(path);
    this.#files.set(path, entry);
    entry.readers += 1;
    return entry;
  }

  /** Closes a file for good, once nobody reads it. */
  forget(path: string): void {
    const entry = this.#files.get(path);
    if (entry === undefined) return;
    this.#files.delete(path);
    entry.retire();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    const entries = [...this.#files.values()];
    this.#files.clear();
    for (const entry of entries) entry.retire();
    await Promise.all(entries.map((entry) => entry.closed));
  }

  async #open(path: string): Promise<LentFile> {
    let opening = this.#opening.get(path);
    if (opening === undefined) {
      opening = this.#add(path);
      this.#opening.set(path, opening);
    }
    const entry = await opening;
    entry.readers += 1;
    return entry;
  }

  async #add(path: string): Promise<OpenFileEntry> {
    try {
      const entry = new OpenFileEntry(await this.#disk.open(path, 'read'));
      this.#files.set(path, entry);
      for (const [oldest, { readers }] of this.#files) {
        if (this.#files.size <= this.#maxFiles) break;
        if (readers === 0 && oldest !== path) this.forget(oldest);
      }
      return entry;
    } finally {
      this.#opening.delete(path);
    }
  }
}

class OpenFileEntry implements LentFile {
  readonly file: DiskFile;
  coldReads = 1;
  slowReads = 0;
  readonly checksumPages: Map<number, Buffer> = new Map();
  readers = 0;
  #retired = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(file: DiskFile) {
    this.file = file;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  giveBack(): void {
    this.readers -= 1;
    if (this.#retired && this.readers === 0) this.#close();
  }

  retire(): void {
    this.#retired = true;
    if (this.readers === 0) this.#close();
  }

  #close(): void {
    // Nothing was written through it: an error at closing can lose nothing.
    this.file.close().then(this.#closed.resolve, () => this.#closed.resolve());
  }
}
