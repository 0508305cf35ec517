// The few rows read last, in front of an index: above all the bucket, which every request asks for two or three times. It
// holds what the index holds because it is told of every change that is applied; so it belongs to the one object through
// which the index is written, and to no other reader. A row is the same Buffer for as long as it is kept, so that what was
// made of it can be kept by it, too. Keeping more rows would not pay: LMDB finds one in half a microsecond.

import type { IndexChanges } from './ordered-index.ts';

/** Longer rows are not kept: with the number of rows this bounds the memory, to 2 MiB. */
const maxRowBytes = 16 * 1024;
/** In each of the two halves; when the younger one is full, the older one goes. */
const maxHalfRows = 64;

export class RowCache {
  #younger = new Map<string, Buffer>();
  #older = new Map<string, Buffer>();

  /** `name` is the key in latin1. */
  get(name: string): Buffer | undefined {
    const row = this.#younger.get(name);
    if (row !== undefined) return row;
    const old = this.#older.get(name);
    if (old !== undefined) this.add(name, old);
    return old;
  }

  add(name: string, row: Buffer): void {
    if (row.length > maxRowBytes) return;
    if (this.#younger.size === maxHalfRows) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(name, row);
  }

  /** Takes over what was applied to the index, of the rows it keeps. */
  renew(changes: IndexChanges): void {
    for (const [name, { value }] of changes) {
      this.#older.delete(name);
      if (!this.#younger.has(name)) continue;
      if (value === undefined || value.length > maxRowBytes) this.#younger.delete(name);
      else this.#younger.set(name, value);
    }
  }
}
