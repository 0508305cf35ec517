// An index with changes laid over it that are not applied yet: what the later operations of a batch are judged against.

import type { IndexChange, IndexChanges, IndexRange, IndexReader, IndexView } from './ordered-index.ts';

export class PendingView implements IndexView {
  readonly #under: IndexReader;
  readonly #changes = new Map<string, IndexChange>();

  constructor(under: IndexReader) {
    this.#under = under;
  }

  get changes(): IndexChanges {
    return this.#changes;
  }

  get(key: Buffer): Buffer | undefined {
    const change = this.#changes.get(key.toString('latin1'));
    return change === undefined ? this.#under.get(key) : change.value;
  }

  put(key: Buffer, value: Buffer): void {
    this.#changes.set(key.toString('latin1'), { key, value });
  }

  delete(key: Buffer): void {
    this.#changes.set(key.toString('latin1'), { key, value: undefined });
  }

  /** Merges both layers. Looks through all pending changes: batches are small, and few operations scan. */
  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    const pending = this.#changesWithin(range);
    let next = 0;
    let going = true;
    this.#under.scan(range, (key, value) => {
      for (let change = pending[next]; change !== undefined; change = pending[next]) {
        const order = change.key.compare(key);
        if (order > 0) break;
        next += 1;
        if (change.value !== undefined) going = visit(change.key, change.value);
        if (!going || order === 0) return going;
      }
      going = visit(key, value);
      return going;
    });
    for (; going && next < pending.length; next += 1) {
      const change = pending[next];
      if (change?.value !== undefined) going = visit(change.key, change.value);
    }
  }

  #changesWithin({ from, to }: IndexRange): IndexChange[] {
    const within: IndexChange[] = [];
    for (const change of this.#changes.values()) {
      if (change.key.compare(from) >= 0 && change.key.compare(to) < 0) within.push(change);
    }
    return within.sort((a, b) => a.key.compare(b.key));
  }
}
