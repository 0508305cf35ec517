// The engine's own pages beside S3, under a name that no bucket can have: /_stowage/health and /_stowage/metrics.
// Health is for anyone: it says whether requests are served and how much is damaged; which objects, to this machine alone. Metrics are for the machine itself; from elsewhere they
// need a key, and that is refused until it is built.

import { S3Error } from '@stowage/s3';
import type { EngineContext, EngineOverview } from './engine-context.ts';
import type { Exchange } from './exchange.ts';
import { render, renderError } from './render.ts';
import type { Result } from './result.ts';

const prefix = '/_stowage/';

export function isServicePath(url: string | undefined): boolean {
  return url?.startsWith(prefix) === true;
}

export async function answerService(exchange: Exchange, engine: EngineContext, runningRequests: number): Promise<void> {
  exchange.operation = 'service';
  try {
    await render(exchange, engine, await page(exchange, engine, runningRequests), []);
  } catch (thrown) {
    await renderError(exchange, engine, thrown, []);
  }
}

async function page(exchange: Exchange, engine: EngineContext, runningRequests: number): Promise<Result> {
  const { message } = exchange;
  if (message.method !== 'GET' && message.method !== 'HEAD') throw new S3Error('MethodNotAllowed');
  const path = (message.url ?? '').split('?', 1)[0];
  if (path === `${prefix}health`) {
    const named = isLoopback(message.socket.remoteAddress);
    return health(await engine.overview(runningRequests), named);
  }
  if (path === `${prefix}metrics`) {
    if (!isLoopback(message.socket.remoteAddress))
      throw new S3Error('AccessDenied', 'Metrics are served on loopback only.');
    const overview = await engine.overview(runningRequests);
    const body = overview.metrics.render(overview);
    return { status: 200, headers: ['content-type', 'text/plain; version=0.0.4; charset=utf-8'], body };
  }
  throw new S3Error('NotFound', `There is no page ${path}; there are ${prefix}health and ${prefix}metrics.`);
}

/**
 * 200 while requests are served; 503 once the store takes no more writes. Anyone may read it: it names no bucket, unless
 * `named`, for this machine itself.
 */
function health({ health: state }: EngineOverview, named: boolean): Result {
  const { status, reason, durability, bucketDurabilities = [], diskFull, damage = [], damageCount, scrub } = state;
  const bucketsByDurability: Record<string, number> = {};
  for (const { level } of bucketDurabilities.map((bucket) => bucket.durability)) {
    bucketsByDurability[level] = (bucketsByDurability[level] ?? 0) + 1;
  }
  const own = bucketDurabilities.length === 0 ? undefined : { bucketsByDurability };
  return {
    status: status === 'ok' ? 200 : 503,
    headers: ['content-type', 'application/json'],
    // What a store in memory does not have, it does not show.
    body: JSON.stringify({
      status,
      reason,
      durability,
      ...own,
      diskFull,
      damagedPlaces: damageCount,
      damage: named && damage.length > 0 ? damage.slice(0, maxListedDamage) : undefined,
      scrub,
    }),
  };
}

/** Damaged places that the page lists. */
const maxListedDamage = 100;

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
