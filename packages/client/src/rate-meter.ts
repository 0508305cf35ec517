// Bytes per second over the last few seconds, from samples of a growing total.

interface RateMeter {
  /** Notes that `totalBytes` had been sent at `nowMs`. */
  note(totalBytes: number, nowMs: number): void;
  /** Undefined until there is enough to judge by. */
  bytesPerSecond(nowMs: number): number | undefined;
  /** Forgets: after a pause, or when the total went back because a part has to be sent again. */
  reset(): void;
}

interface Sample {
  readonly atMs: number;
  readonly totalBytes: number;
}

const windowMs = 8000;
const bucketMs = 200;
const shortestMs = 600;

export function createRateMeter(): RateMeter {
  let samples: Sample[] = [];
  return {
    note(totalBytes, atMs) {
      const last = samples.at(-1);
      if (last !== undefined && totalBytes < last.totalBytes) samples = [];
      else if (last !== undefined && atMs - last.atMs < bucketMs) return;
      samples.push({ atMs, totalBytes });
      while (samples.length > 2 && (samples[1]?.atMs ?? atMs) < atMs - windowMs) samples.shift();
    },
    bytesPerSecond(nowMs) {
      const first = samples[0];
      const last = samples.at(-1);
      if (first === undefined || last === undefined) return undefined;
      // Up to now, not to the last sample: a stalled upload must be seen to slow down.
      const elapsedMs = nowMs - first.atMs;
      if (elapsedMs < shortestMs) return undefined;
      return ((last.totalBytes - first.totalBytes) * 1000) / elapsedMs;
    },
    reset() {
      samples = [];
    },
  };
}
