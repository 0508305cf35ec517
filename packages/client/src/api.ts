// Every route of the service as a typed call: names, parameters, queries, bodies and answers are those of the contract. One attempt
// each: retrying is the caller's, and uploads have a client of their own (stowage-client.ts). Runs in browsers and in Node.

import type { RouteAnswer, RouteBody, RouteName, RouteParameter, RouteQuery, RouteResponse } from '@stowage/contract';
import { apiRoutes } from './api-routes.ts';
import { createServiceConnection, type ServiceCall } from './service-connection.ts';

export interface ApiOptions {
  /**
   * Where the service is, e.g. `https://files.example.com`, or a path such as `/files` at the page's own origin. Default: where the
   * page came from. Anything else is a TypeError.
   */
  readonly baseUrl?: string;
  /** For programs. A page uses the session cookie instead. */
  readonly apiKey?: string;
  readonly fetch?: typeof globalThis.fetch;
}

type Nothing = Readonly<Record<never, never>>;
type WithParameters<Name extends RouteName> = [RouteParameter<Name>] extends [never]
  ? Nothing
  : { readonly params: { readonly [Parameter in RouteParameter<Name>]: string } };
type WithQuery<Name extends RouteName> =
  undefined extends RouteQuery<Name>
    ? Nothing
    : Nothing extends RouteQuery<Name>
      ? { readonly query?: RouteQuery<Name> }
      : { readonly query: RouteQuery<Name> };
type WithBody<Name extends RouteName> =
  undefined extends RouteBody<Name>
    ? Nothing
    : Nothing extends RouteBody<Name>
      ? { readonly body?: RouteBody<Name> }
      : { readonly body: RouteBody<Name> };

/** What a route is given. */
export type ApiRequest<Name extends RouteName> = WithParameters<Name> &
  WithQuery<Name> &
  WithBody<Name> & {
    readonly signal?: AbortSignal;
    /** Where the route takes one: the same key with the same request makes nothing new. */
    readonly idempotencyKey?: string;
    /** Where the route takes one: the `etag` of what is to be changed. */
    readonly ifMatch?: string;
  };

/** A request that may be left out where nothing in it is needed. */
type RequestOf<Name extends RouteName> =
  Nothing extends ApiRequest<Name> ? [request?: ApiRequest<Name>] : [request: ApiRequest<Name>];

/** Routes that answer JSON, or nothing. */
export type CallableRoute = { [Name in RouteName]: RouteAnswer<Name> extends 'bytes' ? never : Name }[RouteName];
/** Routes that answer bytes, themselves or by leading to the bucket. */
export type BytesRoute = Exclude<RouteName, CallableRoute>;

export interface Api {
  /** Throws a `ClientError`: the service's own problem, or why there was no answer. */
  call<Name extends CallableRoute>(name: Name, ...request: RequestOf<Name>): Promise<RouteResponse<Name>>;
  /** The bytes of a download, a preview or an archive; redirects are followed. Throws as `call`. */
  open<Name extends BytesRoute>(name: Name, ...request: RequestOf<Name>): Promise<Response>;
  /** The address of a route, for links and images. */
  url<Name extends RouteName>(name: Name, ...request: RequestOf<Name>): string;
}

/** A long poll is held open for at most this long. */
const maxWaitMs = 25_000;

/** Throws a `TypeError` when `baseUrl` or `apiKey` cannot be one. */
export function createApi(options: ApiOptions = {}): Api {
  const fetch = options.fetch ?? ((...args: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...args));
  const service = createServiceConnection({ baseUrl: options.baseUrl ?? '', apiKey: options.apiKey, fetch });
  return {
    // The contract says what each route answers; the service's tests hold its answers to it.
    call: (name, ...[request]) => service.call(callOf(name, request)),
    open: (name, ...[request]) => service.open(callOf(name, request)),
    url: (name, ...[request]) => {
      const { path, query } = callOf(name, request);
      return service.url(path, query);
    },
  };
}

/** What any route may be given, without its own types. */
interface LooseRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  readonly ifMatch?: string;
}

function callOf(name: RouteName, request: LooseRequest = {}): ServiceCall {
  const { params = {}, query, ...rest } = request;
  const [method, path] = apiRoutes[name];
  return {
    method,
    path: path.replace(/\{(\w+)\}/g, (_whole, parameter: string) => encodeURIComponent(params[parameter] ?? '')),
    // Queries of the contract hold words and numbers.
    ...(query === undefined ? {} : { query: query as NonNullable<ServiceCall['query']> }),
    ...(name === 'getUpload' ? { waitMs: maxWaitMs } : {}),
    ...rest,
  };
}
