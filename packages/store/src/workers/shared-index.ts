// The index of a store that other threads read too: each change is announced before it can be seen, and again afterwards
// (shared-counters.ts).

import type { IndexChanges, IndexRange, OrderedIndex } from '../ordered-index/ordered-index.ts';
import type { SharedCounters } from './shared-counters.ts';

export class SharedIndex implements OrderedIndex {
  readonly #index: OrderedIndex;
  readonly #counters: SharedCounters;

  constructor(index: OrderedIndex, counters: SharedCounters) {
    this.#index = index;
    this.#counters = counters;
  }

  get(key: Buffer): Buffer | undefined {
    return this.#index.get(key);
  }

  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    this.#index.scan(range, visit);
  }

  apply(changes: IndexChanges): void {
    this.#counters.changeIndex(() => this.#index.apply(changes));
  }

  flush(first: () => Promise<void>): Promise<void> {
    return this.#index.flush(first);
  }

  growthBytes(): number {
    return this.#index.growthBytes();
  }

  close(): Promise<void> {
    return this.#index.close();
  }
}
