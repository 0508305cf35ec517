// Puts a server together over a store: the same in the one thread of a small engine as in each worker of a large one.

import { SigningKeys } from '@stowage/s3';
import type { ObjectStore } from '@stowage/store';
import { type Account, AccountDirectory } from './accounts.ts';
import type { EngineContext, EngineOverview } from './engine-context.ts';
import type { EngineLimits } from './limits.ts';
import type { EngineLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { createRequestIds } from './request-ids.ts';
import { S3Server } from './server.ts';

/** What a server is told, as plain data: it can be handed to another thread. */
export interface ServingSettings {
  readonly accounts: readonly Account[];
  readonly region: string;
  /** Domains whose subdomains are buckets; lower-case. */
  readonly domains: readonly string[];
  readonly limits: EngineLimits;
  /** `x-amz-id-2`. */
  readonly hostId: string;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

interface ServingParts {
  readonly store: ObjectStore;
  readonly clock: () => number;
  /** Values in [0, 1), for request ids. */
  readonly random: () => number;
  readonly log: EngineLog | undefined;
  /** Default: what this server says of itself. */
  readonly overview?: EngineContext['overview'];
}

/** Makes a server that does not listen yet. @throws Error for accounts that cannot be. */
export function createServing(
  settings: ServingSettings,
  { store, clock, random, log, overview }: ServingParts,
): { readonly server: S3Server; readonly metrics: Metrics } {
  const { accounts, region, domains, limits, hostId, tls } = settings;
  const metrics = new Metrics();
  const ownOverview = (runningRequests: number): EngineOverview => ({
    metrics,
    health: store.health(),
    runningRequests,
  });
  const engine: EngineContext = {
    store,
    accounts: new AccountDirectory(accounts),
    region,
    domains,
    limits,
    clock,
    log,
    metrics,
    overview: overview ?? ownOverview,
    signingKeys: new SigningKeys(),
    hostId,
  };
  return { server: new S3Server({ engine, nextRequestId: createRequestIds(random), tls }), metrics };
}
