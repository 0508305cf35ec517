// Slows background work down to so many bytes per second, and lets everything else have its turn in between: without it a
// segment full of small records would hold the thread up for as long as it takes to look at them all.

import { setTimeout as sleep } from 'node:timers/promises';

/** Between pauses: short enough that no request waits long behind it. */
const quantumBytes = 256 * 1024;
/** Small records cost more than their bytes: looking one up takes as long as moving about so much. */
const minRecordBytes = 1024;

export class Throttle {
  readonly #signal: AbortSignal;
  readonly #bytesPerSecond: () => number;
  #spentBytes = 0;

  /** `bytesPerSecond` is asked at each pause; `Infinity` only gives others their turn. */
  constructor(options: { readonly signal: AbortSignal; readonly bytesPerSecond: () => number }) {
    this.#signal = options.signal;
    this.#bytesPerSecond = options.bytesPerSecond;
  }

  /** Whether a pause is due before the next record. */
  spend(sizeBytes: number): boolean {
    this.#spentBytes += Math.max(sizeBytes, minRecordBytes);
    return this.#spentBytes >= quantumBytes;
  }

  /** @throws AbortError once the work is to stop. */
  async pause(): Promise<void> {
    const rate = this.#bytesPerSecond();
    const delayMs = (this.#spentBytes / rate) * 1000;
    this.#spentBytes = 0;
    if (rate === Number.POSITIVE_INFINITY) await new Promise(setImmediate);
    else await sleep(delayMs, undefined, { signal: this.#signal, ref: false });
    this.#signal.throwIfAborted();
  }
}
