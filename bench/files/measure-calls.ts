// Calls in parallel, and what they took.

import { LatencyHistogram } from '../load/latency-histogram.ts';

export interface CallFigures {
  readonly calls: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `calls`: so many, or for so long. */
export async function measureCalls(
  options: { readonly lanes: number; readonly calls?: number; readonly milliseconds?: number },
  call: (number: number) => Promise<unknown>,
): Promise<CallFigures> {
  const { lanes, calls = Number.POSITIVE_INFINITY, milliseconds = Number.POSITIVE_INFINITY } = options;
  const histogram = new LatencyHistogram();
  const startedAt = performance.now();
  let begun = 0;
  let done = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (begun < calls && performance.now() - startedAt < milliseconds) {
        const number = begun;
        begun += 1;
        const callAt = performance.now();
        await call(number);
        histogram.add(performance.now() - callAt);
        done += 1;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    calls: done,
    perSecond: done / seconds,
    p50Ms: histogram.quantileMs(0.5),
    p99Ms: histogram.quantileMs(0.99),
  };
}
