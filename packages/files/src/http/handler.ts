// What a handler is. It takes parsed values and answers a plain result; it never sees the request.

import type { RouteBody, RouteGroups, RouteName, RouteQuery, RouteResponse } from '@stowage/contract';
import type { Access } from '../accounts/access.ts';
import type { Caller, RequestPlace } from '../accounts/caller.ts';
import type { NoteOf } from '../accounts/members.ts';

export interface Call<Name extends RouteName> {
  /** Throws `unauthenticated` when the caller was not recognised; the pipeline has refused such calls where it must. */
  readonly caller: Caller;
  /** What the caller may do where. What the request names was judged before; lists are the handler's to cut. */
  readonly access: Access;
  readonly requestId: string;
  /** Where the request came from. */
  readonly place: RequestPlace;
  /** Begins a note for the audit log, in the caller's name. */
  readonly note: NoteOf;
  readonly params: Readonly<Record<string, string>>;
  readonly query: RouteQuery<Name>;
  readonly body: RouteBody<Name>;
  readonly ifMatch: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** Asked by HEAD: headers are sent and nothing else, so that nothing is handed out and nothing counts. */
  readonly headersOnly: boolean;
  /** The session cookie as it came. */
  readonly sessionToken: string | undefined;
  /** A cookie of the request. */
  readonly cookie: (name: string) => string | undefined;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export interface Reply<Body> {
  readonly body: Body;
  /** Of a route that `produces` bytes. */
  readonly stream?: ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The session cookie to set; `null` takes it away. */
  readonly session?: { readonly token: string; readonly lifeMs: number } | null;
}

export type Handlers = {
  readonly [Name in RouteName]: (call: Call<Name>) => Promise<Reply<RouteResponse<Name>>>;
};

/** The handlers of one theme of the contract's routes. */
export type HandlersOf<Group extends keyof RouteGroups> = Pick<Handlers, RouteGroups[Group]>;

/** The `{id}` of a route that has one. */
export function idOf(call: Pick<Call<RouteName>, 'params'>): string {
  return call.params.id ?? '';
}
