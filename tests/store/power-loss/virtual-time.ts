// Time that passes only when a simulation says so. It takes the place of this process's timers and clocks, so that code
// which waits, measures or repeats itself does so under the simulation's order: a seed then repeats everything. Only for
// processes that do nothing else (simulation-process.ts).

import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

const startMs = 1_700_000_000_000;

interface Timer {
  readonly dueMs: number;
  readonly number: number;
  readonly run: () => void;
}

class VirtualTime {
  nowMs = startMs;
  #timers: Timer[] = [];
  #count = 0;

  /** Forgets all timers: whoever set them is gone. Time goes on from where it is. */
  forgetTimers(): void {
    this.#timers = [];
  }

  /** Begins anew. */
  restart(): void {
    this.nowMs = startMs;
    this.#timers = [];
    this.#count = 0;
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  get hasTimers(): boolean {
    return this.#timers.length > 0;
  }

  isTimerDueWithin(ms: number): boolean {
    const [next] = this.#timers;
    return next !== undefined && next.dueMs <= this.nowMs + ms;
  }

  /** Fires the timer that is due next, at its time. */
  fireNext(): void {
    const [next] = this.#timers.splice(0, 1);
    if (next === undefined) return;
    this.nowMs = Math.max(this.nowMs, next.dueMs);
    next.run();
  }

  set(run: () => void, delayMs: number): number {
    this.#count += 1;
    const timer: Timer = { dueMs: this.nowMs + Math.max(1, delayMs), number: this.#count, run };
    const later = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
    return timer.number;
  }

  clear(number: number): void {
    this.#timers = this.#timers.filter((timer) => timer.number !== number);
  }
}

/** The time of this process, once it is installed. */
export const virtualTime: VirtualTime = new VirtualTime();

export function installVirtualTime(): void {
  Object.assign(globalThis, { setTimeout: setVirtual, clearTimeout: clearVirtual });
  Object.assign(globalThis, { setInterval: repeatVirtual, clearInterval: clearVirtual });
  Object.defineProperty(performance, 'now', { value: () => virtualTime.nowMs - startMs });
  Object.defineProperty(Date, 'now', { value: () => virtualTime.nowMs });
  Object.assign(timersPromises, { setTimeout: waitVirtual });
  syncBuiltinESMExports();
}

/** What setTimeout answers, as far as code asks of it. */
class VirtualTimeout {
  number: number;

  constructor(number: number) {
    this.number = number;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    virtualTime.clear(this.number);
  }
}

function setVirtual(run: (...values: unknown[]) => void, delayMs = 0, ...values: unknown[]): VirtualTimeout {
  return new VirtualTimeout(virtualTime.set(() => run(...values), delayMs));
}

function repeatVirtual(run: (...values: unknown[]) => void, delayMs = 0, ...values: unknown[]): VirtualTimeout {
  const timeout = new VirtualTimeout(0);
  const again = (): void => {
    timeout.number = virtualTime.set(() => {
      again();
      run(...values);
    }, delayMs);
  };
  again();
  return timeout;
}

function clearVirtual(timeout: unknown): void {
  if (timeout instanceof VirtualTimeout) virtualTime.clear(timeout.number);
}

function waitVirtual<Value>(
  delayMs: number,
  value: Value,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Value> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const number = virtualTime.set(() => resolve(value), delayMs);
    signal?.addEventListener('abort', () => {
      virtualTime.clear(number);
      reject(signal.reason);
    });
  });
}
