// The HTTP face: every request goes recognise → limit → same site? → allowed? → parse → judge what it names → handle → render. Hono routes it; the
// routes are the contract's table.

import { openApiDocument, problems, type Route, type RouteName, routeNames, routes } from '@stowage/contract';
import { type Context, Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { type Access, accessOf, requireAction } from '../accounts/access.ts';
import { type Caller, noteBy, type RequestPlace } from '../accounts/caller.ts';
import type { Recognise } from '../accounts/recognise.ts';
import type { Database } from '../database/database.ts';
import type { EventsWebhook } from '../events-in/events-webhook.ts';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import type { ConsolePages } from './console-pages.ts';
import { refuseCrossSite } from './cross-site.ts';
import type { Call, Handlers, Reply } from './handler.ts';
import type { Metrics } from './metrics.ts';
import { problemResponse } from './problem-response.ts';
import { addressClass, openRateLimit } from './rate-limit.ts';
import { readBody, readIdempotencyKey, readParameters, readQuery } from './read-request.ts';
import type { SharePages } from './share-pages.ts';
import { judgeSubjects } from './subjects.ts';
import { trimPaths } from './visible-paths.ts';

interface AppOptions {
  readonly handlers: Handlers;
  readonly recognise: Recognise;
  readonly database: Pick<Database, 'files' | 'folders' | 'grants'>;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly newId: () => string;
  readonly log: FilesLog;
  readonly metrics: Metrics;
  /** Brings gauges up to date before they are shown. */
  readonly measure: () => Promise<void>;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Where endpoints tell of the bucket; `undefined`: nobody may. */
  readonly eventsWebhook: EventsWebhook | undefined;
  readonly sharePages: SharePages;
  readonly consolePages: ConsolePages | undefined;
  /** Whether browsers reach the service by https, whatever the request says: a proxy may stand before it. */
  readonly alwaysSecure: boolean;
}

interface AppEnvironment {
  /** The client's address; absent where the caller of `fetch` did not say. */
  readonly clientAddress?: string;
}

interface HonoTypes {
  Bindings: AppEnvironment;
  Variables: { requestId: string };
}

type AppContext = Context<HonoTypes>;

const loopback = /^(127\.|::1$|::ffff:127\.)/;
const cookieName = 'stowage_session';
/** What tries to become somebody. */
const signInRoutes: ReadonlySet<RouteName> = new Set(['signIn', 'finishOidcSignIn'] satisfies RouteName[]);

export function createApp(options: AppOptions): Hono<HonoTypes> {
  const { limits, clock, log, metrics, newId } = options;
  const app = new Hono<HonoTypes>();
  const requests = openRateLimit({ perSecond: limits.requestsPerSecond, burst: limits.requestBurst, clock });
  const signIns = openRateLimit({ perSecond: limits.signInsPerMinute / 60, burst: limits.signInsPerMinute, clock });
  const pages = openRateLimit({ perSecond: limits.pagesPerSecond, burst: limits.pageBurst, clock });
  const openApi = JSON.stringify(openApiDocument());

  app.use(async (context, next) => {
    const given = context.req.header('x-request-id');
    const requestId = given !== undefined && /^[\w-]{8,64}$/.test(given) ? given : newId();
    context.set('requestId', requestId);
    await next();
    context.res.headers.set('x-request-id', requestId);
    context.res.headers.set('x-content-type-options', 'nosniff');
    context.res.headers.set('referrer-policy', 'no-referrer');
  });

  app.onError((error, context) => {
    const requestId = context.get('requestId');
    // What the caller did wrong is told to the caller alone: logged, anyone could fill the log, and a parser's message quotes
    // what was sent, which may hold a token.
    if (!isFilesError(error) || problems[error.code].status >= 500) {
      const place = { requestId, method: context.req.method, path: context.req.path };
      log.error('A request failed.', { ...place, ...errorFields(error) });
    }
    return problemResponse(error, requestId);
  });

  app.notFound((context) =>
    problemResponse(
      new FilesError('not-found', { detail: `There is no ${context.req.method} ${context.req.path}.` }),
      context.get('requestId'),
    ),
  );

  app.use(
    '/v1/*',
    cors({
      origin: (origin) => (options.allowedOrigins.has(origin) ? origin : null),
      credentials: true,
      allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'x-request-id'],
      exposeHeaders: ['etag', 'retry-after', 'x-request-id'],
      maxAge: 600,
    }),
  );

  for (const name of routeNames) {
    const route = routes[name];
    app.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => {
      let status = 500;
      try {
        const response = await answer(name, context);
        status = response.status;
        return response;
      } catch (error) {
        if (isFilesError(error)) status = problems[error.code].status;
        throw error;
      } finally {
        metrics.add('stowage_files_requests_total', 1, { route: name, status: String(status) });
      }
    });
  }

  async function answer(name: RouteName, context: AppContext): Promise<Response> {
    const route: Route = routes[name];
    const request = context.req.raw;
    const address = addressOf(context);
    const caller = await recognise(context);
    requests.take(caller?.principal ?? `address:${address}`);
    if (signInRoutes.has(name)) signIns.take(address);
    // Keys and tokens are never sent by a browser of itself: only what comes by cookie, or asks for one, can be forged.
    if (caller === undefined || caller.by === 'session') refuseCrossSite(request, options.allowedOrigins);
    const access = caller === undefined ? undefined : accessOf(caller, options.database);
    await authorise(route, caller, access);

    const body = { maxBytes: limits.maxRequestBodyBytes, onBytes: countReceived };
    const place = placeOf(context);
    const call = {
      get caller(): Caller {
        return recognised(caller);
      },
      get access(): Access {
        return recognised(access);
      },
      requestId: context.get('requestId'),
      place,
      note: (note: Parameters<typeof noteBy>[2]) => noteBy(recognised(caller), place, note),
      params: readParameters(context.req.param() as Record<string, string>),
      query: readQuery(new URL(request.url), route.query),
      body: await readBody(request, route.body, body),
      ifMatch: request.headers.get('if-match') ?? undefined,
      idempotencyKey: readIdempotencyKey(request.headers),
      sessionToken: getCookie(context, cookieName),
      cookie: (cookie: string) => getCookie(context, cookie),
      signal: request.signal,
    } as Call<RouteName>;
    if (access !== undefined) await judgeSubjects(name, call, { access, files: options.database.files });
    // Query and body were parsed by this very route's schemas, which is what the handler's types are made from.
    const handle = options.handlers[name] as (call: Call<RouteName>) => Promise<Reply<unknown>>;
    const reply = await handle(call);
    const shown = access === undefined ? reply.body : await trimPaths(reply.body, access);
    return render(route, { ...reply, body: shown }, request);
  }

  /** Whether the caller may call the route at all; what it names is judged when it was read. */
  async function authorise(route: Route, caller: Caller | undefined, access: Access | undefined): Promise<void> {
    if (route.access === 'public') return;
    if (caller === undefined || access === undefined) throw new FilesError('unauthenticated');
    if (route.access === 'person' && caller.by !== 'session') {
      throw new FilesError('forbidden', { detail: 'This is for people who are signed in, not for keys and tokens.' });
    }
    if (route.requires !== null) await requireAction(caller, access, route.requires);
  }

  function countReceived(sizeBytes: number): void {
    metrics.add('stowage_files_received_bytes_total', sizeBytes);
  }

  async function recognise(context: AppContext): Promise<Caller | undefined> {
    try {
      const credentials = {
        authorization: context.req.header('authorization'),
        sessionToken: getCookie(context, cookieName),
      };
      return await options.recognise(credentials, placeOf(context));
    } catch (error) {
      // Guessing keys counts like any other request of a stranger.
      if (isFilesError(error)) requests.take(`address:${addressOf(context)}`);
      throw error;
    }
  }

  function render(route: Route, reply: Reply<unknown>, request: Request): Response {
    const headers = new Headers({ 'cache-control': 'no-store', ...reply.headers });
    const { session } = reply;
    if (session !== undefined) {
      const secure = options.alwaysSecure || new URL(request.url).protocol === 'https:' ? '; Secure' : '';
      const value = session === null ? '' : session.token;
      const seconds = session === null ? 0 : Math.floor(session.lifeMs / 1000);
      headers.append(
        'set-cookie',
        `${cookieName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
      );
    }
    if (reply.stream !== undefined && route.produces !== undefined) {
      headers.set('content-type', route.produces);
      return new Response(reply.stream, { status: route.status, headers });
    }
    if (route.response === undefined) return new Response(null, { status: route.status, headers });
    headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(reply.body), { status: route.status, headers });
  }

  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }));
  app.get('/v1/openapi.json', () => new Response(openApi, { headers: { 'content-type': 'application/json' } }));
  app.get('/metrics', async (context) => {
    // A proxy on this machine speaks for others.
    const forwarded = context.req.header('x-forwarded-for') ?? context.req.header('forwarded');
    const local = forwarded === undefined && loopback.test(context.env?.clientAddress ?? '');
    if (!local) {
      // It tells of all tenants together.
      const caller = recognised(await recognise(context));
      await requireAction(caller, accessOf(caller, options.database), 'service:admin');
    }
    await options.measure();
    return new Response(metrics.render(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
  });

  const { eventsWebhook } = options;
  if (eventsWebhook !== undefined) {
    app.post('/internal/s3-events', (context) => {
      requests.take(`events:${context.env?.clientAddress ?? 'unknown'}`);
      return eventsWebhook.answer(context.req.raw);
    });
  }

  app.all('/s/*', (context) => {
    const address = addressOf(context);
    pages.take(address);
    return options.sharePages.answer(context.req.raw, address);
  });

  const { consolePages } = options;
  if (consolePages !== undefined) {
    app.get('*', async (context, next) => {
      const page = context.req.path.startsWith('/v1/') ? undefined : await consolePages.serve(context.req.raw);
      if (page === undefined) return next();
      return page;
    });
  }
  return app;
}

/** Which address a request is limited by. */
function addressOf(context: AppContext): string {
  const address = context.env?.clientAddress;
  return address === undefined ? 'unknown' : addressClass(address);
}

function placeOf(context: AppContext): RequestPlace {
  return {
    address: context.env?.clientAddress ?? null,
    userAgent: context.req.header('user-agent') ?? null,
    requestId: context.get('requestId'),
  };
}

/** What there is of a caller who was recognised. The pipeline has refused others where it must. */
function recognised<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new FilesError('unauthenticated');
  return part;
}
