// What a service tells of itself: whether it lives, whether it can answer, what it offers, what it counts.

import { openApiDocument } from '@stowage/contract';
import type { Hono } from 'hono';
import { accessOf, requireAction } from '../accounts/access.ts';
import type { Caller } from '../accounts/caller.ts';
import type { Database } from '../database/database.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { openReadiness } from './readiness.ts';
import { type AppContext, type HonoTypes, recognised } from './request-context.ts';

interface ServicePagesOptions {
  readonly database: Pick<Database, 'files' | 'folders' | 'grants' | 'ping'>;
  readonly metrics: Metrics;
  /** Brings gauges up to date before they are shown. */
  readonly measure: () => Promise<void>;
  /** What is wrong that no other instance and no waiting mends, for whoever looks; `undefined`: nothing. */
  readonly warning: () => string | undefined;
  readonly recognise: (context: AppContext) => Promise<Caller | undefined>;
}

const loopback = /^(127\.|::1$|::ffff:127\.)/;
/** What proxies add: any of them says that somebody else asks. */
const proxyHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto', 'via'];

export function addServicePages(app: Hono<HonoTypes>, options: ServicePagesOptions): void {
  const openApi = JSON.stringify(openApiDocument());
  const requireReady = openReadiness({ ping: () => options.database.ping() });

  app.get('/healthz', (context) => {
    context.set('answeredBy', 'health');
    return context.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' });
  });

  app.get('/readyz', async (context) => {
    context.set('answeredBy', 'ready');
    await requireReady();
    const warning = options.warning();
    return context.json({ status: 'ready', ...(warning === undefined ? {} : { warning }) }, 200, {
      'cache-control': 'no-store',
    });
  });

  app.get('/v1/openapi.json', (context) => {
    context.set('answeredBy', 'openApi');
    return new Response(openApi, { headers: { 'content-type': 'application/json' } });
  });

  app.get('/metrics', async (context) => {
    context.set('answeredBy', 'metrics');
    if (!isLocal(context)) {
      // It tells of all tenants together.
      const caller = recognised(await options.recognise(context));
      await requireAction(caller, accessOf(caller, options.database), 'service:admin');
    }
    await options.measure();
    const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' };
    return new Response(options.metrics.render(), { headers });
  });
}

/** Whether a program on this machine asks for itself. A proxy on this machine speaks for others, and need not say so. */
function isLocal({ env, req }: AppContext): boolean {
  if (env?.proxied === true || proxyHeaders.some((name) => req.header(name) !== undefined)) return false;
  return loopback.test(env?.clientAddress ?? '');
}
