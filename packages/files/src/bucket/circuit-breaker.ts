// Stops asking an endpoint that does not answer. After so many failures in a row the circuit opens, and requests are refused at
// once instead of after a time-out each; after a while one request is let through to try, and its outcome decides. One for each
// process and endpoint; an answer of any kind but a fault of the server's closes it.

export type CircuitState = 'closed' | 'half-open' | 'open';

export interface CircuitBreaker {
  readonly state: CircuitState;
  /**
   * Milliseconds after which to ask again; `undefined` when the request may go out. What became of it must then be reported:
   * `succeeded`, `failed`, or, of the one that was let through to try, `released`.
   */
  admit(): number | undefined;
  succeeded(): void;
  failed(): void;
  /** The request that was to try was given up by whoever asked: it says nothing, and the next one tries. */
  released(): void;
}

interface CircuitBreakerOptions {
  /** In a row. */
  readonly failures: number;
  /** First time that it stays open; doubled each time the trial fails. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Milliseconds that only go on: a wall clock that is set back would leave the circuit open for that long. */
  readonly monotonicClock: () => number;
  readonly onChange: (state: CircuitState) => void;
}

/** How long those wait who come while a trial is under way. */
const trialWaitMs = 1_000;

export function openCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { monotonicClock } = options;
  let state: CircuitState = 'closed';
  let failuresInRow = 0;
  let waitMs = options.openMs;
  let openedAtMs = 0;
  /** `undefined`: nothing tries at the moment. */
  let trialSinceMs: number | undefined;

  function enter(next: CircuitState): void {
    if (state === next) return;
    state = next;
    options.onChange(next);
  }

  return {
    get state() {
      return state;
    },

    admit: () => {
      const nowMs = monotonicClock();
      if (state === 'closed') return undefined;
      if (state === 'open') {
        const leftMs = openedAtMs + waitMs - nowMs;
        if (leftMs > 0) return leftMs;
        enter('half-open');
        trialSinceMs = nowMs;
        return undefined;
      }
      // A trial that is never reported would hold the circuit for ever.
      if (trialSinceMs !== undefined && nowMs - trialSinceMs < options.maxOpenMs) return trialWaitMs;
      trialSinceMs = nowMs;
      return undefined;
    },

    succeeded: () => {
      failuresInRow = 0;
      waitMs = options.openMs;
      enter('closed');
    },

    failed: () => {
      failuresInRow++;
      // What was already under way when it opened says nothing new.
      if (state === 'open' || (state === 'closed' && failuresInRow < options.failures)) return;
      if (state === 'half-open') waitMs = Math.min(options.maxOpenMs, waitMs * 2);
      openedAtMs = monotonicClock();
      enter('open');
    },

    released: () => {
      trialSinceMs = undefined;
    },
  };
}
