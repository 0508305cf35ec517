// The ground that all of the service stands on: limits, log, measures, database, endpoint, keys. Nothing here knows what a file is for.

import { type Endpoint, openEndpoint } from '../bucket/open-endpoint.ts';
import { openUrlSigner } from '../bucket/sign-urls.ts';
import { openDatabase } from '../database/open-database.ts';
import { openFileKeys } from '../file-key.ts';
import type { FileServiceOptions } from '../file-service-options.ts';
import { openStateWatch } from '../lifecycle/state-watch.ts';
import { chooseLimits } from '../limits.ts';
import { type FilesLog, silentLog } from '../log.ts';
import { openPolicies } from '../policies.ts';
import { openClamd } from '../scanning/clamd.ts';
import { openMetrics } from '../telemetry/metrics.ts';
import { observeDatabase, observeScanner, observeStorage } from '../telemetry/observe.ts';
import { openRequestScope } from '../telemetry/request-scope.ts';
import { noTracing } from '../telemetry/tracing.ts';
import { openUsageCounter } from '../usage/usage-counter.ts';
import { openGroundTools } from './ground-tools.ts';

export type Ground = Awaited<ReturnType<typeof openGround>>;

/** Throws as `openFileService`; then nothing is left open. */
export async function openGround(options: FileServiceOptions) {
  const { s3, secret, fetch = globalThis.fetch } = options;
  const { clock, monotonicClock, random, chance, newId } = openGroundTools(options);
  const limits = chooseLimits(options.limits);
  const policies = openPolicies(options.policies);
  const origin = (options.publicUrl ?? '').replace(/\/+$/, '');
  const ownOrigin = options.publicUrl === undefined ? [] : [new URL(options.publicUrl).origin];
  const allowedOrigins: ReadonlySet<string> = new Set([...ownOrigin, ...(options.allowedOrigins ?? [])]);

  const scope = openRequestScope();
  const log = scope.logTo(options.log ?? silentLog);
  const metrics = openMetrics();
  const tracing = await openTracingIfAsked(options, log);
  const instruments = { metrics, tracing };
  const clamd = options.clamd === undefined ? undefined : openClamd(options.clamd);
  const scanner = clamd === undefined ? undefined : observeScanner(clamd, instruments);
  const observe = observeDatabase(instruments, 'path' in options.database ? 'sqlite' : 'postgresql');
  const { trashRetentionMs } = limits;
  const database = await openDatabase({ settings: options.database, clock, newId, secret, trashRetentionMs, observe });
  if (database.rowSecurity === 'bypassed') {
    log.warn(
      'Row-level security does not hold: the role of the database is a superuser or has BYPASSRLS. Give the service an ordinary role that owns its tables.',
      {},
    );
  }
  const keys = openFileKeys(secret);
  const endpoint: Endpoint = openEndpoint({
    settings: s3,
    given: options.endpoint ?? {},
    table: database.endpoints,
    keys,
    limits,
    clock,
    monotonicClock,
    random: chance,
    newId,
    fetch: globalThis.fetch,
    log,
    origins: [...allowedOrigins],
    meter: observeStorage(instruments),
    traceHeaders: tracing.headers,
  });
  return {
    s3,
    secret,
    clock,
    random,
    chance,
    fetch,
    newId,
    limits,
    policies,
    origin,
    allowedOrigins,
    auditDownloads: options.auditDownloads === true,
    scope,
    log,
    metrics,
    tracing,
    scanner,
    database,
    files: database.files,
    keys,
    endpoint,
    bucket: endpoint.bucket,
    signer: openUrlSigner({ settings: s3, clock }),
    watch: openStateWatch({ maxWaiting: limits.maxWaiting }),
    usage: openUsageCounter({ table: database.usageDays, clock, log }),
  };
}

/** OpenTelemetry is loaded by nobody who did not ask for it. */
async function openTracingIfAsked({ telemetry }: FileServiceOptions, log: FilesLog) {
  if (telemetry === undefined) return noTracing;
  const { openTracing } = await import('../telemetry/open-tracing.ts');
  return openTracing(telemetry, log);
}
