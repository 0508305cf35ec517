// The few rows read last, in front of an index: above all the bucket, which every request asks for two or three times. It
// holds what the index holds because it is told of every change that is applied; so it belongs to the one object through
// which the index is written, and to no other reader. A row is the same Buffer for as long as it is kept, so that what was
// made of it can be kept by it, too: of a bucket with a hundred rules that is a thousand times what finding the row costs.
// Keeping more rows would not pay: LMDB finds one in half a microsecond.

import type { IndexChanges } from './ordered-index.ts';

/** Longer rows are not kept. A bucket's configuration and the list of 10,000 parts are shorter. */
const maxRowBytes = 512 * 1024;
/** In each of the two halves; when the younger one is full, the older one goes. */
const maxHalfRows = 64;
const maxHalfBytes = 1024 * 1024;

export class RowCache {
  #younger = new Map<string, Buffer>();
  #older = new Map<string, Buffer>();
  /** At least that of the younger half: what is replaced or removed there is not taken off. */
  #youngerBytes = 0;

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
    if (this.#younger.size === maxHalfRows || this.#youngerBytes + row.length > maxHalfBytes) {
      this.#older = this.#younger;
      this.#younger = new Map();
      this.#youngerBytes = 0;
    }
    this.#younger.set(name, row);
    this.#youngerBytes += row.length;
  }

  /** Takes over what was applied to the index, of the rows it keeps. */
  renew(changes: IndexChanges): void {
    for (const [name, { value }] of changes) {
      this.#older.delete(name);
      if (!this.#younger.delete(name)) continue;
      if (value !== undefined) this.add(name, value);
    }
  }
}
