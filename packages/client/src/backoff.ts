// Retrying with exponential backoff and full jitter: after the n-th fault wait a random time between 0 and
// min(cap, base · 2ⁿ), so that many clients of one restarted server do not come back in step.
// Gives up when faults have gone on for `giveUpAfterMs` without a success; time spent offline does not count.

import { asClientError, type ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';
import type { Connectivity } from './connectivity.ts';

interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
  readonly giveUpAfterMs: number;
}

/** Long enough to outlive a server's restart or a short trip through a tunnel. */
export const defaultBackoff: BackoffLimits = { baseMs: 300, capMs: 10_000, giveUpAfterMs: 10 * 60_000 };

/** How often a machine that calls itself offline is tried all the same. */
const offlineProbeMs = 30_000;

interface RetryCall {
  readonly signal: AbortSignal;
  /** Told of each fault that is waited out, and with undefined when the wait is over and done. */
  readonly onTrouble?: (fault: ClientError | undefined) => void;
}

export interface Retrier {
  /** Calls until it succeeds; throws the last fault when it is not retryable or time is up. */
  retry<T>(attempt: () => Promise<T>, call: RetryCall): Promise<T>;
}

export function backoffDelayMs(limits: BackoffLimits, faults: number, random: () => number): number {
  return random() * Math.min(limits.capMs, limits.baseMs * 2 ** faults);
}

interface RetrierParts {
  readonly limits: BackoffLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly connectivity: Connectivity;
}

export function createRetrier({ limits, clock, random, connectivity }: RetrierParts): Retrier {
  /** Sleeps, but wakes as soon as the machine comes online. */
  async function wait(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const stop = connectivity.onOnline(() => woken.abort());
    try {
      await clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!woken.signal.aborted) throw error;
    } finally {
      stop();
    }
  }

  return {
    async retry(attempt, { signal, onTrouble }) {
      let troubledMs = 0;
      for (let faults = 0; ; faults += 1) {
        signal.throwIfAborted();
        const startedMs = clock.now();
        try {
          const result = await attempt();
          if (faults > 0) onTrouble?.(undefined);
          return result;
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          const fault = asClientError(error);
          const online = connectivity.isOnline();
          if (online) troubledMs += clock.now() - startedMs;
          if (!fault.retryable || troubledMs > limits.giveUpAfterMs) throw fault;
          onTrouble?.(fault);
          const jitterMs = backoffDelayMs(limits, faults, random);
          const delayMs = online ? Math.max(jitterMs, fault.retryAfterMs ?? 0) : offlineProbeMs;
          await wait(delayMs, signal);
          if (online) troubledMs += delayMs;
        }
      }
    },
  };
}
