// What every request needs beside itself: made once by startEngine, passed along, never changed.

import type { SigningKeys } from '@stowage/s3';
import type { ObjectStore } from '@stowage/store';
import type { AccountDirectory } from './accounts.ts';
import type { EngineLimits } from './limits.ts';
import type { EngineLog } from './log.ts';
import type { Metrics } from './metrics.ts';

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
  readonly metrics: Metrics;
  readonly signingKeys: SigningKeys;
  /** `x-amz-id-2`: names this engine among others. */
  readonly hostId: string;
}
