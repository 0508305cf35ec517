// The endpoint put together: requests under guard, the bucket over them, and what was found of both.

import type { EndpointTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import type { FilesLimits } from '../limits.ts';
import type { FilesLog } from '../log.ts';
import type { Bucket } from './bucket.ts';
import { type EndpointOptions, type EndpointProfiles, openEndpointProfiles } from './endpoint-profiles.ts';
import { openRequestGuard, type StorageMeter } from './guard-requests.ts';
import { openS3Bucket } from './s3-bucket.ts';
import type { S3Settings } from './s3-settings.ts';
import { openStorageClock, type StorageClock } from './storage-clock.ts';

export interface Endpoint {
  readonly bucket: Bucket;
  readonly profiles: EndpointProfiles;
  readonly clock: Pick<StorageClock, 'problem'>;
  close(): Promise<void>;
}

interface OpenEndpointOptions {
  readonly settings: S3Settings;
  readonly given: EndpointOptions;
  readonly table: EndpointTable;
  readonly keys: FileKeys;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  /** Milliseconds that only go on. */
  readonly monotonicClock: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly fetch: typeof globalThis.fetch;
  readonly log: FilesLog;
  /** Of pages that send bytes. */
  readonly origins: readonly string[];
  readonly meter: StorageMeter;
  /** By which the endpoint goes on with the trace at hand. */
  readonly traceHeaders: () => Readonly<Record<string, string>>;
}

export function openEndpoint(options: OpenEndpointOptions): Endpoint {
  const { endpoint } = options.settings;
  const guard = openRequestGuard({ ...options, endpoint });
  const storageClock = openStorageClock({ ...options, endpoint });
  const bucket = openS3Bucket({ ...options, guard, storageClock });
  const profiles = openEndpointProfiles({
    ...options,
    ...options.given,
    bucket,
    storageClock,
    origin: options.origins[0],
  });
  return {
    bucket,
    profiles,
    clock: storageClock,
    close: async () => {
      await profiles.close();
      bucket.close();
    },
  };
}
