// Tells when all readers that may still need some bytes have gone. Readers enter an epoch; draining begins a new one and
// waits until the old ones are empty. Entering and leaving cost next to nothing, however many blobs an object has.

export interface ReaderEpoch {
  /** To be called exactly once. */
  leave(): void;
}

export class ReaderEpochs {
  #current = new Epoch();
  /** Resolves when every epoch before the current one is empty. */
  #earlier: Promise<void> = Promise.resolve();
  readonly #elsewhere: (() => Promise<void>)[] = [];
  /** When the drains began that have not ended, in order. */
  readonly #draining: { readonly sinceMs: number }[] = [];

  /** Has every drain also wait for readers in other threads: `drain` resolves when those of the moment of its call have left. */
  join(drain: () => Promise<void>): void {
    this.#elsewhere.push(drain);
  }

  /** For how long a drain has been waiting by now, the longest one; 0 when none is. Some reader has taken as long at least. */
  get waitedMs(): number {
    const [oldest] = this.#draining;
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }

  enter(): ReaderEpoch {
    this.#current.readers += 1;
    return this.#current;
  }

  /** Resolves when every reader that had entered before this call has left. */
  drain(): Promise<void> {
    const ending = this.#current;
    this.#current = new Epoch();
    const drain = { sinceMs: performance.now() };
    this.#draining.push(drain);
    this.#earlier = Promise.all([this.#earlier, ending.end(), ...this.#elsewhere.map((drain) => drain())]).then(
      () => void this.#draining.splice(this.#draining.indexOf(drain), 1),
    );
    return this.#earlier;
  }
}

class Epoch implements ReaderEpoch {
  readers = 0;
  #emptied: (() => void) | undefined;

  leave(): void {
    this.readers -= 1;
    if (this.readers === 0) this.#emptied?.();
  }

  end(): Promise<void> {
    if (this.readers === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }
}
