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

export interface Endpoint {
  readonly bucket: Bucket;
  readonly profiles: EndpointProfiles;
  close(): Promise<void>;
}

interface OpenEndpointOptions {
  readonly settings: S3Settings;
  readonly given: EndpointOptions;
  readonly table: EndpointTable;
  readonly keys: FileKeys;
  readonly limits: FilesLimits;
  readonly clock: () => number;
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
  const guard = openRequestGuard({ ...options, endpoint: options.settings.endpoint });
  const bucket = openS3Bucket({ ...options, guard });
  const profiles = openEndpointProfiles({ ...options, ...options.given, bucket, origin: options.origins[0] });
  return {
    bucket,
    profiles,
    close: async () => {
      await profiles.close();
      bucket.close();
    },
  };
}
