// Readers that wait for the next change. There are no more of them than open cursors.

import { StoreError } from '../store-error.ts';

export class Waiters {
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  #closed = false;

  get count(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next `wake`. @throws the reason of the first signal that is aborted; StoreError `Closed`. */
  async wait(signals: readonly AbortSignal[]): Promise<void> {
    if (this.#closed) throw new StoreError('Closed');
    for (const signal of signals) signal.throwIfAborted();
    const waiter = Promise.withResolvers<void>();
    const abort = (event: Event): void => {
      if (event.target instanceof AbortSignal) waiter.reject(event.target.reason);
    };
    this.#waiting.add(waiter);
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
    try {
      await waiter.promise;
    } finally {
      this.#waiting.delete(waiter);
      for (const signal of signals) signal.removeEventListener('abort', abort);
    }
  }

  wake(): void {
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiting) waiter.reject(new StoreError('Closed'));
    this.#waiting.clear();
  }
}
