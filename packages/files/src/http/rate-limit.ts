// A token bucket for each caller: so many requests a second on average, and a burst above it. Held in memory, for one process.

import { FilesError } from '../files-error.ts';

interface RateLimit {
  /** Takes one token; throws `too-many-requests`, with the time to wait, when there is none. */
  take(caller: string): void;
}

interface RateLimitOptions {
  readonly perSecond: number;
  readonly burst: number;
  readonly clock: () => number;
}

/** Callers that are remembered; the one heard of longest ago goes first. */
const maxCallers = 10_000;

export function openRateLimit({ perSecond, burst, clock }: RateLimitOptions): RateLimit {
  const callers = new Map<string, { tokens: number; atMs: number }>();
  return {
    take: (caller) => {
      const nowMs = clock();
      const known = callers.get(caller);
      // A clock that is set back gives nothing and takes nothing.
      const passedMs = known === undefined ? 0 : Math.max(0, nowMs - known.atMs);
      const tokens = known === undefined ? burst : Math.min(burst, known.tokens + (passedMs / 1000) * perSecond);
      callers.delete(caller);
      if (callers.size >= maxCallers) {
        const oldest = callers.keys().next();
        if (oldest.done !== true) callers.delete(oldest.value);
      }
      callers.set(caller, { tokens: Math.max(0, tokens - 1), atMs: nowMs });
      if (tokens < 1)
        throw new FilesError('too-many-requests', { retryAfterSeconds: Math.ceil((1 - tokens) / perSecond) });
    },
  };
}
