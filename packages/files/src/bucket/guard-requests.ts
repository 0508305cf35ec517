// What stands between the service and an endpoint that is slow, gone or overwhelmed: time-outs of our own, retries with full
// jitter out of a budget, and a circuit breaker. A gateway whose disks are gone never answers, and says nothing of it.

import { setTimeout as sleep } from 'node:timers/promises';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import { type CircuitState, openCircuitBreaker } from './circuit-breaker.ts';
import { errorCode, isClockSkew, statusOf } from './sdk-error.ts';

/** What a request may take. */
export interface RequestAllowance {
  /** Longest time of the request with all its retries. */
  readonly totalMs: number;
  /** Tries after the first. 0 where a second request could take effect after the first. */
  readonly retries: number;
}

export interface RequestGuard {
  /**
   * Runs a request until it succeeds, is refused, its time is over, or `caller` gives it up. `signal` ends one try. Throws what the
   * request threw, `caller`’s reason when it was given up before it was sent, and `storage-unavailable` at once while the circuit
   * is open. What a caller gave up says nothing of the endpoint: it is neither counted nor tried again.
   */
  run<Answer>(
    operation: string,
    allowance: RequestAllowance,
    request: (signal: AbortSignal) => Promise<Answer>,
    caller?: AbortSignal,
  ): Promise<Answer>;
  close(): void;
}

interface RequestGuardOptions {
  readonly limits: Pick<FilesLimits, 'bucketTimeoutMs' | 'circuitFailures' | 'circuitOpenMs'>;
  /** Milliseconds that only go on. */
  readonly monotonicClock: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: FilesLog;
  readonly endpoint: string;
  readonly meter: StorageMeter;
}

/** Runs tries of requests, and is told what became of them. */
export interface StorageMeter {
  request(operation: string, outcome: 'answered' | 'failed' | 'refused' | 'abandoned'): void;
  /** Runs one try, and may measure it. */
  attempt<Answer>(operation: string, work: () => Promise<Answer>): Promise<Answer>;
  retry(operation: string): void;
  circuit(state: CircuitState): void;
  /** How far the endpoint's clock was ahead of ours when it answered last. */
  clockOffset(offsetMs: number): void;
}

const maxOpenMs = 60_000;
const retryBaseMs = 100;
const retryCapMs = 2_000;
/** Retries are paid out of what requests bring in: a tenth of one each. An endpoint in trouble is not asked twice as often. */
const budgetPerRequest = 0.1;
const maxBudget = 20;

export function openRequestGuard({
  limits,
  random,
  log,
  endpoint,
  meter,
  ...given
}: RequestGuardOptions): RequestGuard {
  const closing = new AbortController();
  let budget = maxBudget;
  const circuit = openCircuitBreaker({
    failures: limits.circuitFailures,
    openMs: limits.circuitOpenMs,
    maxOpenMs: Math.max(maxOpenMs, limits.circuitOpenMs),
    monotonicClock: given.monotonicClock,
    onChange: (state) => {
      meter.circuit(state);
      log.warn('The circuit to the endpoint changed.', { endpoint, circuit: state });
    },
  });

  /** One request. Throws `storage-unavailable` without one while the circuit is open. `leaving`: whoever asked has gone. */
  async function attempt<Answer>(
    operation: string,
    { signal, leaving }: { readonly signal: AbortSignal; readonly leaving: AbortSignal },
    request: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const waitMs = circuit.admit();
    if (waitMs !== undefined) {
      meter.request(operation, 'refused');
      throw new FilesError('storage-unavailable', {
        detail: 'The object storage did not answer lately and is not asked for a moment. Try again then.',
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      });
    }
    const isTrial = circuit.state === 'half-open';
    try {
      const answer = await meter.attempt(operation, () => request(signal));
      circuit.succeeded();
      meter.request(operation, 'answered');
      return answer;
    } catch (error) {
      if (leaving.aborted) {
        if (isTrial) circuit.released();
        meter.request(operation, 'abandoned');
        throw error;
      }
      if (isFault(error)) circuit.failed();
      else circuit.succeeded();
      meter.request(operation, isFault(error) ? 'failed' : 'answered');
      throw error;
    }
  }

  return {
    run: async (operation, { totalMs, retries }, request, caller) => {
      budget = Math.min(maxBudget, budget + budgetPerRequest);
      const leaving = caller === undefined ? closing.signal : AbortSignal.any([caller, closing.signal]);
      const signal = AbortSignal.any([AbortSignal.timeout(totalMs), leaving]);
      for (let tried = 0; ; tried++) {
        caller?.throwIfAborted();
        try {
          return await attempt(operation, { signal, leaving }, request);
        } catch (error) {
          // Refused before anything was done, so that no second request could take effect after the first.
          if (tried === 0 && isClockSkew(error)) continue;
          if (tried >= retries || budget < 1 || signal.aborted || isFilesError(error) || !mayPass(error)) throw error;
          budget -= 1;
          meter.retry(operation);
          log.info('A request to the endpoint is tried again.', { operation, tried, ...errorFields(error) });
          await sleep(random() * Math.min(retryCapMs, retryBaseMs * 2 ** tried), undefined, { signal });
        }
      }
    },
    close: () => closing.abort(new Error('The service is closed.')),
  };
}

/** Whether the endpoint, or the way to it, is at fault: not what was asked. */
function isFault(error: unknown): boolean {
  const status = statusOf(error);
  // Without a status there was no answer: no connection, silence, or a reply that broke off.
  return status === undefined || (status >= 500 && status !== 501);
}

const passing = new Set(['RequestTimeout', 'SlowDown', 'TooManyRequests']);

function mayPass(error: unknown): boolean {
  return isFault(error) || statusOf(error) === 429 || passing.has(errorCode(error));
}
