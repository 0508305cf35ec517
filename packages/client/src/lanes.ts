// How many requests may carry bytes at once, over all uploads of a client. Starts with few, climbs while throughput
// grows with it, steps back when it does not, halves on a fault. First come, first served.

export interface Lanes {
  /** Waits for a free lane. Call the answer once, to give it back. */
  acquire(signal: AbortSignal): Promise<() => void>;
  /** Bytes that just left; what the climbing goes by. */
  sent(bytes: number): void;
  /** A request failed for want of network or server. */
  fault(): void;
  readonly limit: number;
}

interface LaneOptions {
  readonly min: number;
  readonly max: number;
  readonly now: () => number;
}

const windowMs = 1500;
/** A step up must bring this much to be followed by another. */
const worthwhile = 1.08;

export function createLanes({ min, max, now }: LaneOptions): Lanes {
  let limit = Math.min(min, max);
  let active = 0;
  const waiting: (() => void)[] = [];
  let step = 1;
  let lastRate = 0;
  let windowStartMs = now();
  let windowBytes = 0;
  let saturated = false;

  function startWindow(): void {
    windowStartMs = now();
    windowBytes = 0;
    saturated = active >= limit;
  }

  function admit(): void {
    while (active < limit) {
      const next = waiting.shift();
      if (next === undefined) {
        saturated = false;
        return;
      }
      active += 1;
      next();
    }
  }

  function release(): void {
    active -= 1;
    admit();
  }

  function moveTo(next: number): void {
    limit = Math.max(Math.min(min, max), Math.min(max, next));
    admit();
    startWindow();
  }

  return {
    get limit() {
      return limit;
    },
    acquire(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = (): void => {
          const index = waiting.indexOf(enter);
          if (index >= 0) waiting.splice(index, 1);
          reject(signal.reason);
        };
        const enter = (): void => {
          signal.removeEventListener('abort', onAbort);
          let held = true;
          resolve(() => {
            if (held) release();
            held = false;
          });
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(enter);
        admit();
      });
    },
    sent(bytes) {
      windowBytes += bytes;
      const elapsedMs = now() - windowStartMs;
      if (elapsedMs < windowMs) return;
      const rate = windowBytes / elapsedMs;
      // A window in which lanes stood empty says nothing of what more lanes would bring.
      if (saturated) {
        if (rate < lastRate * worthwhile) step = -step;
        lastRate = rate;
        moveTo(limit + step);
      } else startWindow();
    },
    fault() {
      lastRate = 0;
      step = 1;
      moveTo(Math.floor(limit / 2));
    },
  };
}
