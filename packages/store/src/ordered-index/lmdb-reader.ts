// The LMDB index as another thread of the same process reads it, while the thread that opened it goes on writing. LMDB is
// made for that: readers take no locks, and a snapshot costs about a microsecond. Nothing is ever written here.

import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { isStorable, storableRange } from './key-bounds.ts';
import { lmdbDataName, lmdbOptions } from './lmdb-index.ts';
import type { IndexRange, IndexReader } from './ordered-index.ts';

export class LmdbReader implements IndexReader {
  readonly #database: RootDatabase<Buffer, Buffer>;

  /** @param folder that of an index which this process has open. */
  constructor(folder: string) {
    // The native part finds the environment that is open already; two of one file in one process would break its locks.
    this.#database = open<Buffer, Buffer>({ ...lmdbOptions, path: join(folder, lmdbDataName) });
  }

  get(key: Buffer): Buffer | undefined {
    return isStorable(key) ? this.#database.getBinary(key) : undefined;
  }

  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    for (const { key, value } of this.#database.getRange(storableRange(range))) {
      if (!visit(key, value)) return;
    }
  }

  /** What is read from here on is the state of now; until the next call, or the next turn of the event loop, it stays so. */
  renew(): void {
    this.#database.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
