// The index in memory: a B+ tree over latin1 strings, whose comparison is that of the bytes. For tests and for stores
// that are opened in memory.

import sortedBTree from 'sorted-btree';
import type { IndexRange, IndexView } from './ordered-index.ts';

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

// The package is CommonJS: Node hands out its exports object, whose `default` is the class.
const BTree = sortedBTree.default;

export class MemoryIndex implements IndexView {
  readonly #rows = new BTree<string, Row>(undefined, compare);

  get(key: Buffer): Buffer | undefined {
    return this.#rows.get(key.toString('latin1'))?.value;
  }

  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    const end = range.to.toString('latin1');
    for (const [name, row] of this.#rows.entries(range.from.toString('latin1'))) {
      if (name >= end || !visit(row.key, row.value)) return;
    }
  }

  put(key: Buffer, value: Buffer): void {
    this.#rows.set(key.toString('latin1'), { key, value });
  }

  delete(key: Buffer): void {
    this.#rows.delete(key.toString('latin1'));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
