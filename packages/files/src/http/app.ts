// The HTTP face: which request goes to what. Routes are the contract's table (answer-route.ts); beside them stand the service's own
// pages, public shares, events of the endpoint and the console. Hono routes.

import { problems, routeNames, routes } from '@stowage/contract';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { Database } from '../database/database.ts';
import type { EventsWebhook } from '../events-in/events-webhook.ts';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestScope } from '../telemetry/request-scope.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { type AnswerRouteOptions, openRouteAnswerer } from './answer-route.ts';
import type { ConsolePages } from './console-pages.ts';
import { noteRequest } from './note-request.ts';
import { problemResponse } from './problem-response.ts';
import { openRateLimit } from './rate-limit.ts';
import { addressOf, type HonoTypes } from './request-context.ts';
import { addServicePages } from './service-pages.ts';
import type { SharePages } from './share-pages.ts';

interface AppOptions extends Omit<AnswerRouteOptions, 'requests' | 'signIns'> {
  readonly database: AnswerRouteOptions['database'] & Pick<Database, 'ping'>;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly newId: () => string;
  readonly log: FilesLog;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly scope: RequestScope;
  /** Brings gauges up to date before they are shown. */
  readonly measure: () => Promise<void>;
  /** What is wrong with this machine, although it is ready. */
  readonly warning: () => string | undefined;
  /** Told of each request of somebody who was recognised. */
  readonly onRequest: (tenantId: string) => void;
  /** Where endpoints tell of the bucket; `undefined`: nobody may. */
  readonly eventsWebhook: EventsWebhook | undefined;
  readonly sharePages: SharePages;
  readonly consolePages: ConsolePages | undefined;
}

export function createApp(options: AppOptions): Hono<HonoTypes> {
  const { limits, clock } = options;
  const app = new Hono<HonoTypes>();
  const requests = openRateLimit({ perSecond: limits.requestsPerSecond, burst: limits.requestBurst, clock });
  const signIns = openRateLimit({ perSecond: limits.signInsPerMinute / 60, burst: limits.signInsPerMinute, clock });

  app.use(noteRequest(options));
  addProblems(app, options);
  app.use('/v1/*', allowOrigins(options.allowedOrigins));
  const answerer = openRouteAnswerer({ ...options, requests, signIns });
  for (const name of routeNames) {
    const { method, path } = routes[name];
    app.on(method, path.replace(/\{(\w+)\}/g, ':$1'), (context) => {
      context.set('answeredBy', name);
      return answerer.answer(name, context);
    });
  }
  addServicePages(app, { ...options, recognise: answerer.recognise });
  addPublicPages(app, options, requests);
  return app;
}

/** Every error is rendered here, and nowhere else: people on the page of a share are told it as a page. */
function addProblems(app: Hono<HonoTypes>, { log, sharePages }: Pick<AppOptions, 'log' | 'sharePages'>): void {
  app.onError((error, context) => {
    const requestId = context.get('requestId');
    // What the caller did wrong is told to the caller alone: logged, anyone could fill the log, and a parser's message quotes
    // what was sent, which may hold a token.
    if (!isFilesError(error) || problems[error.code].status >= 500) {
      const place = { requestId, method: context.req.method, route: context.get('answeredBy') };
      log.error('A request failed.', { ...place, ...errorFields(error) });
    }
    const page = context.get('answeredBy') === 'share' ? sharePages.refuse(context.req.raw, error) : undefined;
    return page ?? problemResponse(error, requestId);
  });

  app.notFound((context) =>
    problemResponse(
      new FilesError('not-found', { detail: `There is no ${context.req.method} ${context.req.path}.` }),
      context.get('requestId'),
    ),
  );
}

function allowOrigins(allowedOrigins: ReadonlySet<string>): ReturnType<typeof cors> {
  return cors({
    origin: (origin) => (allowedOrigins.has(origin) ? origin : null),
    credentials: true,
    allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'traceparent', 'x-request-id'],
    exposeHeaders: ['etag', 'retry-after', 'x-request-id'],
    maxAge: 600,
  });
}

/** What needs no account, or brings its own secret. */
function addPublicPages(
  app: Hono<HonoTypes>,
  { eventsWebhook, sharePages, consolePages, limits, clock }: AppOptions,
  requests: ReturnType<typeof openRateLimit>,
): void {
  const pages = openRateLimit({ perSecond: limits.pagesPerSecond, burst: limits.pageBurst, clock });

  if (eventsWebhook !== undefined) {
    app.post('/internal/s3-events', (context) => {
      context.set('answeredBy', 's3Events');
      requests.take(`events:${context.env?.clientAddress ?? 'unknown'}`);
      return eventsWebhook.answer(context.req.raw);
    });
  }

  app.all('/s/*', (context) => {
    context.set('answeredBy', 'share');
    pages.take(addressOf(context));
    return sharePages.answer(context.req.raw);
  });

  if (consolePages !== undefined) {
    app.get('*', async (context, next) => {
      const page = context.req.path.startsWith('/v1/') ? undefined : await consolePages.serve(context.req.raw);
      if (page === undefined) return next();
      context.set('answeredBy', 'console');
      return page;
    });
  }
}
