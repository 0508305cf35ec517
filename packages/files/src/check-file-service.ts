// Looks at everything that a service needs, before it is one: the database, the bucket, the scanner. Nothing is made that is not there:
// no table, no bucket. The bucket is tried out by the same small requests as at a first start, which are removed again.

import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openEndpoint } from './bucket/open-endpoint.ts';
import { statusOf } from './bucket/sdk-error.ts';
import { describeDatabase } from './database/open-database.ts';
import { openFileKeys } from './file-key.ts';
import type { FileServiceOptions } from './file-service-options.ts';
import { openTrustedProxies } from './http/client-address.ts';
import { chooseLimits } from './limits.ts';
import { silentLog } from './log.ts';
import { openPolicies } from './policies.ts';
import { openClamd } from './scanning/clamd.ts';
import { openGroundTools } from './service/ground-tools.ts';

/** How one part is. */
export interface CheckFinding {
  /** `database`, `bucket`, `scanner`, `options`. */
  readonly part: string;
  readonly ok: boolean;
  readonly says: string;
}

/** Tries each part and says of each how it is; never throws for what it finds. */
export async function checkFileService(
  options: FileServiceOptions & { readonly trustedProxies?: readonly string[] },
): Promise<readonly CheckFinding[]> {
  const { clamd } = options;
  return Promise.all([
    look('options', () => checkOptions(options)),
    look('database', () => checkDatabase(options)),
    look('bucket', () => checkBucket(options)),
    ...(clamd === undefined
      ? []
      : [
          look('scanner', async () => {
            const scanner = openClamd(clamd);
            try {
              return await scanner.describe();
            } finally {
              scanner.close();
            }
          }),
        ]),
  ]);
}

async function look(part: string, work: () => Promise<string>): Promise<CheckFinding> {
  try {
    return { part, ok: true, says: await work() };
  } catch (error) {
    return { part, ok: false, says: reasonOf(error) };
  }
}

/** What went wrong, down to what it was caused by, each thing once. Who looks at everything need not be told to wait a moment. */
function reasonOf(error: unknown): string {
  const said: string[] = [];
  for (let cause = error, depth = 0; cause !== undefined && depth < maxDepth; depth += 1) {
    const words = wordsOf(cause).replace(/ ?Try again[^.]*\.$/, '');
    if (words !== '' && !said.some((earlier) => earlier.includes(words))) said.push(words);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return said.map((words, index) => (index < said.length - 1 ? words.replace(/\.$/, '') : words)).join(': ');
}

const maxDepth = 5;

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join(', ');
  const detail = 'detail' in error && typeof error.detail === 'string' ? error.detail : error.message;
  // The AWS SDK's word for an answer without a body; its status is told where it matters.
  return detail === 'UnknownError' ? '' : detail || error.name;
}

/** What the service itself refuses: ranges that only it knows. */
async function checkOptions(options: Parameters<typeof checkFileService>[0]): Promise<string> {
  chooseLimits(options.limits);
  openPolicies(options.policies);
  openTrustedProxies(options.trustedProxies ?? []);
  return `${Object.keys(options.policies ?? {}).length} policies, ${Object.keys(options.issuers ?? {}).length} issuers`;
}

async function checkDatabase({ database }: FileServiceOptions): Promise<string> {
  if (!('path' in database)) return describeDatabase(database);
  const isThere = await access(database.path, constants.R_OK | constants.W_OK).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (isThere) return `${database.path}: ${await describeDatabase(database)}`;
  const folder = dirname(database.path);
  const nearest = await nearestFolder(folder);
  const within = nearest === folder ? '' : ` with its folder, in ${nearest}`;
  return `${database.path}: is not there; the first start makes it${within}`;
}

/** The folder, or the nearest above it that is there; it must be writable. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    const above = dirname(folder);
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && above !== folder)
      return nearestFolder(above);
    throw error;
  }
}

async function checkBucket(options: FileServiceOptions): Promise<string> {
  const { clock, monotonicClock, chance, newId } = openGroundTools(options);
  const { s3, publicUrl, allowedOrigins = [] } = options;
  const endpoint = openEndpoint({
    settings: { ...s3, createBucket: false },
    given: options.endpoint ?? {},
    table: { get: async () => undefined, put: async () => undefined },
    keys: openFileKeys(options.secret),
    limits: { ...chooseLimits(options.limits), bucketRetries: 0 },
    clock,
    monotonicClock,
    random: chance,
    newId,
    fetch: globalThis.fetch,
    log: silentLog,
    origins: [...(publicUrl === undefined ? [] : [new URL(publicUrl).origin]), ...allowedOrigins],
    meter: {
      request: () => undefined,
      attempt: (_operation, work) => work(),
      retry: () => undefined,
      circuit: () => undefined,
      clockOffset: () => undefined,
    },
    traceHeaders: () => ({}),
  });
  try {
    const { capabilities } = await endpoint.profiles.current();
    const wrongClock = endpoint.clock.problem();
    if (wrongClock !== undefined) throw new Error(wrongClock);
    const found = Object.entries(capabilities).filter(([, has]) => has);
    return `${s3.bucket} at ${s3.endpoint}: ${found.map(([name]) => name).join(', ')}`;
  } catch (error) {
    const wrongClock = endpoint.clock.problem();
    if (wrongClock !== undefined) throw new Error(wrongClock);
    const status = statusBehind(error);
    if (status === 404 && s3.createBucket !== false) {
      return `${s3.bucket} at ${s3.endpoint}: is not there; the first start makes it, and tries the endpoint out then`;
    }
    if (status === 404)
      throw new Error(`There is no bucket ${s3.bucket} at ${s3.endpoint}. Make it, or set s3.createBucket.`);
    if (status === 403) {
      throw new Error(
        `${s3.endpoint} answers 403 for the bucket ${s3.bucket}: the access key or its secret is wrong, or the key may not use the bucket. Check s3.accessKeyId and s3.secretAccessKey, and what the key is allowed.`,
      );
    }
    // What was found and does not suffice was caused by nothing else, and says itself what to mend.
    if (status === undefined && rootOf(error) !== error) {
      throw new Error(`${s3.endpoint} does not answer. Check s3.endpoint, and whether it runs`, {
        cause: rootOf(error),
      });
    }
    throw error;
  } finally {
    await endpoint.close();
  }
}

/** What everything else was caused by. */
function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; root instanceof Error && root.cause !== undefined && depth < maxDepth; depth += 1)
    root = root.cause;
  return root;
}

/** The status that the endpoint answered with, however deep it lies. */
function statusBehind(error: unknown): number | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < maxDepth; cause = cause.cause, depth += 1) {
    const status = statusOf(cause);
    if (status !== undefined) return status;
  }
  return undefined;
}
