// What a file service is opened with. Everything that touches the world (clock, chance, fetch) can be put in.

import type { IssuerTable } from './accounts/issuers.ts';
import type { EndpointOptions } from './bucket/endpoint-profiles.ts';
import type { S3Settings } from './bucket/s3-settings.ts';
import type { DatabaseSettings } from './database/open-database.ts';
import type { EventsInOptions } from './events-in/open-events-in.ts';
import type { FilesLimits } from './limits.ts';
import type { FilesLog } from './log.ts';
import type { ReconcileSchedule } from './orphans/orphans.ts';
import type { UploadPolicies } from './policies.ts';
import type { ClamdSettings } from './scanning/clamd.ts';
import type { TelemetrySettings } from './telemetry/open-tracing.ts';

export interface FileServiceOptions {
  readonly s3: S3Settings;
  /** What the endpoint is and may be asked. Default: it is tried out. */
  readonly endpoint?: EndpointOptions;
  /** On which ways the endpoint tells of its bucket. Default: on none; the service then looks by itself, later. */
  readonly eventsIn?: EventsInOptions;
  readonly database: DatabaseSettings;
  /** At least 32 bytes, the same for the life of the bucket: object keys carry a MAC made with it. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** Milliseconds since any moment, that only go on: spans are measured by it. Default `performance.now`. */
  readonly monotonicClock?: () => number;
  /** Unpredictable bytes. Default `crypto.randomBytes`. */
  readonly random?: (sizeBytes: number) => Uint8Array;
  /** Default: nothing is logged. */
  readonly log?: FilesLog;
  readonly limits?: Partial<FilesLimits>;
  /** What may be uploaded, by category. Default: anything, in the category `default`. */
  readonly policies?: UploadPolicies;
  /** A running clamd. Default: files are not scanned, and their rows say so. */
  readonly clamd?: ClamdSettings;
  /** Whether webhooks may go to plain http and to addresses of private networks. Default false. */
  readonly allowPrivateWebhooks?: boolean;
  /** Whether the audit log tells of downloads too: a write for each. Default false. */
  readonly auditDownloads?: boolean;
  /** Whose tokens are taken, and where people can sign in beside here. Default: nobody's, and nowhere. */
  readonly issuers?: IssuerTable;
  /** For what is asked of issuers. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** A built console to serve at `/`. Default: none. */
  readonly consoleDirectory?: string;
  /** Origins of pages, beside the service's own, that may call the API and send bytes to the bucket. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** The origin under which people reach the service, e.g. `https://files.example.com`. Its pages may send bytes too. */
  readonly publicUrl?: string;
  /** When the whole bucket is compared with the database without anybody asking. Default: every 7 days, and only told. */
  readonly reconcile?: ReconcileSchedule;
  /** Where traces go. Default: none are made. */
  readonly telemetry?: TelemetrySettings;
  /** Whether jobs and deadlines are worked on by themselves. Default true; without it only `tick` does. */
  readonly background?: boolean;
}
