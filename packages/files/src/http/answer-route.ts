// How a route of the contract is answered, the same for each: limit → recognise → same site? → allowed? → parse → judge what it names →
// handle → trim → render. Who showed something too often is refused before it is looked at again.

import { problems, type Route, type RouteName, routes } from '@stowage/contract';
import { getCookie } from 'hono/cookie';
import { type Access, accessOf, requireAction } from '../accounts/access.ts';
import { type Caller, noteBy } from '../accounts/caller.ts';
import type { Recognise } from '../accounts/recognise.ts';
import { hashToken } from '../accounts/secret-token.ts';
import type { Database } from '../database/database.ts';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { refuseCrossSite } from './cross-site.ts';
import type { Call, Handlers, Reply } from './handler.ts';
import type { RateLimit } from './rate-limit.ts';
import { readBody, readIdempotencyKey, readParameters, readQuery } from './read-request.ts';
import { renderReply } from './render-reply.ts';
import { type AppContext, addressOf, placeOf, recognised } from './request-context.ts';
import { judgeSubjects } from './subjects.ts';
import { trimPaths } from './visible-paths.ts';

export interface AnswerRouteOptions {
  readonly handlers: Handlers;
  readonly recognise: Recognise;
  readonly database: Pick<Database, 'files' | 'folders' | 'grants'>;
  readonly limits: Pick<FilesLimits, 'maxRequestBodyBytes'>;
  readonly metrics: Metrics;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Of one session, key, token's user or address. */
  readonly requests: RateLimit;
  /** Of one address that tries to become somebody. */
  readonly signIns: RateLimit;
  readonly alwaysSecure: boolean;
  /** What the session's cookie is called. */
  readonly sessionCookie: string;
}

interface RouteAnswerer {
  answer(name: RouteName, context: AppContext): Promise<Response>;
  /** Who asks; `undefined` for a stranger. Throws `unauthenticated` for credentials that are none. */
  recognise(context: AppContext): Promise<Caller | undefined>;
}

/** What tries to become somebody. */
const signInRoutes: ReadonlySet<RouteName> = new Set(['signIn', 'finishOidcSignIn'] satisfies RouteName[]);

export function openRouteAnswerer(options: AnswerRouteOptions): RouteAnswerer {
  const { database, metrics, requests, signIns, alwaysSecure, sessionCookie } = options;

  /**
   * What is shown is counted under its digest, before anything is looked at. What nobody knows is counted under the address it came from,
   * which so cannot have keys tried without end; but a good key is taken from there all the same: it may be behind one address with others.
   */
  async function recognise(context: AppContext): Promise<Caller | undefined> {
    const address = `address:${addressOf(context)}`;
    const authorization = context.req.header('authorization');
    const sessionToken = getCookie(context, sessionCookie);
    const shown = authorization ?? sessionToken;
    if (shown === undefined) {
      requests.take(address);
      return undefined;
    }
    const refused = `refused:${address}`;
    const holder = `${authorization === undefined ? 'session' : 'shown'}:${hashToken(shown)}`;
    requests.require(holder);
    let caller: Caller | undefined;
    try {
      caller = await options.recognise({ authorization, sessionToken }, placeOf(context));
    } catch (error) {
      // What is wrong on our side is nobody's fault there.
      if (isFilesError(error) && problems[error.code].status < 500) requests.take(refused);
      throw error;
    }
    requests.take(caller?.principal ?? refused);
    // The same key can be written in several ways, and one user may have many tokens: the digest alone would limit neither.
    if (caller !== undefined && caller.principal !== holder) requests.take(holder);
    return caller;
  }

  const countReceived = (sizeBytes: number): void => metrics.add('stowage_files_received_bytes_total', sizeBytes);

  /** The unknown of a request, parsed by the route's own schemas, with who asks. */
  async function readCall(
    name: RouteName,
    context: AppContext,
    { caller, access }: { readonly caller: Caller | undefined; readonly access: Access | undefined },
  ): Promise<Call<RouteName>> {
    const route: Route = routes[name];
    const request = context.req.raw;
    const place = placeOf(context);
    const body = { maxBytes: options.limits.maxRequestBodyBytes, onBytes: countReceived };
    // Query and body are what the schemas of this very route make of them.
    return {
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
      headersOnly: request.method === 'HEAD',
      sessionToken: getCookie(context, sessionCookie),
      cookie: (cookie: string) => getCookie(context, cookie),
      signal: request.signal,
    } as Call<RouteName>;
  }

  return {
    recognise,

    answer: async (name, context) => {
      const route: Route = routes[name];
      const request = context.req.raw;
      const address = addressOf(context);
      if (signInRoutes.has(name)) signIns.take(address);
      const caller = await recognise(context);
      context.set('tenantId', caller?.account.tenantId);
      // Keys and tokens are never sent by a browser of itself: only what comes by cookie, or asks for one, can be forged.
      if (caller === undefined || caller.by === 'session') refuseCrossSite(request, options.allowedOrigins);
      const access = caller === undefined ? undefined : accessOf(caller, database);
      await authorise(route, caller, access);

      const call = await readCall(name, context, { caller, access });
      if (access !== undefined) await judgeSubjects(name, call, { access, files: database.files });
      // Query and body were parsed by this very route's schemas, which is what the handler's types are made from.
      const handle = options.handlers[name] as (call: Call<RouteName>) => Promise<Reply<unknown>>;
      const reply = await handle(call);
      const body = access === undefined ? reply.body : await trimPaths(reply.body, access);
      return renderReply(route, { ...reply, body }, { request, alwaysSecure, sessionCookie });
    },
  };
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
