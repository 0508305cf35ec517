// In which order a simulated disk does what it is asked for: any. Whoever drives it performs one request after the other,
// each time after the program has gone on as far as it can.

import type { SeededRandom } from './seeded-random.ts';
import type { DiskRequest, DiskSchedule } from './simulated-disk.ts';

export class IoOrder implements DiskSchedule {
  readonly #random: SeededRandom;
  readonly #onAdd: () => void;
  #waiting: DiskRequest[] = [];

  constructor(random: SeededRandom, onAdd: () => void = () => undefined) {
    this.#random = random;
    this.#onAdd = onAdd;
  }

  get waiting(): readonly DiskRequest[] {
    return this.#waiting;
  }

  add(request: DiskRequest): void {
    this.#waiting.push(request);
    this.#onAdd();
  }

  /** Takes a request out, to be performed. */
  take(): DiskRequest | undefined {
    const [taken] = this.#waiting.splice(this.#random.below(this.#waiting.length), 1);
    return taken;
  }

  /** Takes a certain request out. */
  remove(request: DiskRequest): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== request);
  }
}

/** A schedule that drives itself, one request at each turn of the event loop: for tests without a driver. */
export function drivenByItself(random: SeededRandom): DiskSchedule {
  const order = new IoOrder(random, () => setImmediate(() => order.take()?.perform()));
  return order;
}
