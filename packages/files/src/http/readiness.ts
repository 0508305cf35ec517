// Whether the service can answer what it is asked: for balancers, which send requests elsewhere while it cannot. Looked at when somebody
// asks, once for all who ask together, so that asking costs no more than one connection of the database.

import { FilesError } from '../files-error.ts';

/** Resolves when it can. Throws `database-unavailable`. */
type RequireReady = () => Promise<void>;

interface ReadinessOptions {
  /** Asks the database for something small. */
  readonly ping: () => Promise<void>;
  /** Longest wait for its answer. Default 3 seconds: balancers do not wait for long. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 3_000;
const retryAfterSeconds = 2;

export function openReadiness({ ping, timeoutMs = defaultTimeoutMs }: ReadinessOptions): RequireReady {
  let looking: Promise<void> | undefined;
  return async () => {
    looking ??= ping().finally(() => {
      looking = undefined;
    });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`It did not answer within ${timeoutMs} ms.`)), timeoutMs);
    try {
      await Promise.race([looking, late.promise]);
    } catch (error) {
      throw new FilesError('database-unavailable', {
        detail:
          'The service is not ready: its database does not answer. It goes on by itself when the database is back.',
        retryAfterSeconds,
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  };
}
