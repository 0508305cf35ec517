// A token bucket for each caller: so many requests a second on average, and a burst above it. One limit for each class of request,
// with memory of its own, so that who floods one class neither starves nor is forgotten in another. Held in memory, for one
// process.

import { FilesError } from '../files-error.ts';

export interface RateLimit {
  /** Takes one token; throws `too-many-requests`, with the time to wait, when there is none. A refusal takes nothing. */
  take(caller: string): void;
  /** Throws as `take` would, and takes nothing: for work that is to be counted only once it has been done. */
  require(caller: string): void;
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

  function tokensOf(caller: string, nowMs: number): number {
    const known = callers.get(caller);
    if (known === undefined) return burst;
    // A clock that is set back gives nothing and takes nothing.
    const passedMs = Math.max(0, nowMs - known.atMs);
    return Math.min(burst, known.tokens + (passedMs / 1000) * perSecond);
  }

  function refuseWithout(tokens: number): void {
    if (tokens >= 1) return;
    throw new FilesError('too-many-requests', { retryAfterSeconds: Math.ceil((1 - tokens) / perSecond) });
  }

  return {
    require: (caller) => refuseWithout(tokensOf(caller, clock())),
    take: (caller) => {
      const nowMs = clock();
      const tokens = tokensOf(caller, nowMs);
      callers.delete(caller);
      if (callers.size >= maxCallers) {
        const oldest = callers.keys().next();
        if (oldest.done !== true) callers.delete(oldest.value);
      }
      // Who is refused and asks again at once must not push the moment away at which they are let in.
      callers.set(caller, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
      refuseWithout(tokens);
    },
  };
}

/** What an address is limited by: of IPv6 the network of one customer, within which addresses cost nothing. */
export function addressClass(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill('0'), ...after];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
