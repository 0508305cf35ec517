// What every request needs beside itself: made once by startEngine, passed along, never changed.

import type { SigningKeys } from '@stowage/s3';
import type { ObjectStore } from '@stowage/store';
import type { AccountDirectory } from './accounts.ts';
import type { EngineLimits } from './limits.ts';
import type { EngineLog } from './log.ts';
import type { EngineState, Metrics } from './metrics.ts';

/** Everything counted, and the state of the moment. */
export interface EngineOverview extends EngineState {
  readonly metrics: Metrics;
}

export interface EngineContext {
  readonly store: ObjectStore;
  readonly accounts: AccountDirectory;
  readonly region: string;
  /** Domains whose subdomains are buckets; lower-case. */
  readonly domains: readonly string[];
  readonly limits: EngineLimits;
  /** Milliseconds since 1970; a test may move it. */
  readonly clock: () => number;
  readonly log: EngineLog | undefined;
  /** What this thread has counted. */
  readonly metrics: Metrics;
  /** What the whole engine says of itself: of all its workers, when there are several. */
  readonly overview: (runningRequests: number) => EngineOverview | Promise<EngineOverview>;
  readonly signingKeys: SigningKeys;
  /** `x-amz-id-2`: names this engine among others. */
  readonly hostId: string;
}
