// The engine's own pages beside S3, under a name that no bucket can have: /_stowage/health and /_stowage/metrics.
// Health is for anyone: it says only whether requests are served. Metrics are for the machine itself; from elsewhere they
// need a key, and that is refused until it is built.

import { S3Error } from '@stowage/s3';
import type { EngineContext } from './engine-context.ts';
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
    await render(exchange, engine, page(exchange, engine, runningRequests), []);
  } catch (thrown) {
    await renderError(exchange, engine, thrown, []);
  }
}

function page(exchange: Exchange, engine: EngineContext, runningRequests: number): Result {
  const { message } = exchange;
  if (message.method !== 'GET' && message.method !== 'HEAD') throw new S3Error('MethodNotAllowed');
  const path = (message.url ?? '').split('?', 1)[0];
  if (path === `${prefix}health`) return health(engine);
  if (path === `${prefix}metrics`) {
    if (!isLoopback(message.socket.remoteAddress))
      throw new S3Error('AccessDenied', 'Metrics are served on loopback only.');
    const body = engine.metrics.render({ health: engine.store.health(), runningRequests });
    return { status: 200, headers: ['content-type', 'text/plain; version=0.0.4; charset=utf-8'], body };
  }
  throw new S3Error('NotFound', `There is no page ${path}; there are ${prefix}health and ${prefix}metrics.`);
}

/** 200 while requests are served; 503 once the store takes no more writes. */
function health(engine: EngineContext): Result {
  const state = engine.store.health();
  return {
    status: state.status === 'ok' ? 200 : 503,
    headers: ['content-type', 'application/json'],
    body: JSON.stringify({ status: state.status, reason: state.reason, durability: state.durability }),
  };
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
