// Files kept open for reading, the least recently used closed first, but never one that is being read.

import { type Disk, type DiskFile, lacksDescriptors } from './disk/disk.ts';
import { StoreError } from './store-error.ts';

export interface LentFile {
  readonly file: DiskFile;
  /** How many reads of this file are still to go through the thread pool, because one had to wait for the disk. */
  coldReads: number;
  /** Reads at once that had to wait, one after the other. */
  slowReads: number;
  /** Checksums of a blob's blocks that were read before, by page. A blob never changes. */
  readonly checksumPages: Map<number, Buffer>;
  /** Where the last read ended, what was read elsewhere than there, and whether that had all of it read (read-through.ts). */
  lastEnd: number;
  scatteredBytes: number;
  isReadThrough: boolean;
  /** For one more reader, who gives it back too. */
  keep(): void;
  /** To be called exactly once. */
  giveBack(): void;
}

export class OpenFiles {
  readonly #disk: Disk;
  readonly #maxFiles: number;
  readonly #files = new Map<string, OpenFileEntry>();
  #uses = 0;
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
    return this.#lend(entry);
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
    return this.#lend(await opening);
  }

  #lend(entry: OpenFileEntry): LentFile {
    // A number, and not the order of the map: see running-exchanges.ts of the engine for what a map costs that is
    // rearranged with each use.
    this.#uses += 1;
    entry.lastUse = this.#uses;
    entry.readers += 1;
    return entry;
  }

  async #add(path: string): Promise<OpenFileEntry> {
    try {
      const entry = new OpenFileEntry(await this.#openFile(path));
      this.#files.set(path, entry);
      while (this.#files.size > this.#maxFiles && this.#closeOldest(path));
      return entry;
    } finally {
      this.#opening.delete(path);
    }
  }

  /** @throws StoreError `Overloaded` when too many files are open, and none of these is to spare. */
  async #openFile(path: string): Promise<DiskFile> {
    for (;;) {
      try {
        return await this.#disk.open(path, 'read');
      } catch (cause) {
        if (!lacksDescriptors(cause)) throw cause;
        if (!this.#closeOldest(path)) throw new StoreError('Overloaded', { cause });
      }
    }
  }

  /** Closes the file that was used longest ago and is not being read; answers false when there is none but `kept`. */
  #closeOldest(kept: string): boolean {
    let oldest: string | undefined;
    let oldestUse = Number.POSITIVE_INFINITY;
    for (const [path, { readers, lastUse }] of this.#files) {
      if (readers > 0 || path === kept || lastUse >= oldestUse) continue;
      oldest = path;
      oldestUse = lastUse;
    }
    if (oldest === undefined) return false;
    this.forget(oldest);
    return true;
  }
}

class OpenFileEntry implements LentFile {
  readonly file: DiskFile;
  coldReads = 1;
  slowReads = 0;
  readonly checksumPages: Map<number, Buffer> = new Map();
  lastEnd = 0;
  scatteredBytes = 0;
  isReadThrough = false;
  readers = 0;
  /** The higher, the later. */
  lastUse = 0;
  #retired = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(file: DiskFile) {
    this.file = file;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  keep(): void {
    this.readers += 1;
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
