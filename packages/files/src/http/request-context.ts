// What every answer is made from: the request as Hono has it, and what the pipeline puts beside it.

import type { Context } from 'hono';
import type { RequestPlace } from '../accounts/caller.ts';
import { FilesError } from '../files-error.ts';
import { addressClass } from './rate-limit.ts';

export interface AppEnvironment {
  /** The client's address; absent where the caller of `fetch` did not say. */
  readonly clientAddress?: string;
  /** Whether a proxy stands before the service, as its public address shows. Then nobody counts as local by their address alone. */
  readonly proxied?: boolean;
}

export interface HonoTypes {
  Bindings: AppEnvironment;
  Variables: {
    requestId: string;
    /** What answers, for logs, metrics and traces: a route's name, or a word for what is no route. Never an address as it came. */
    answeredBy: string;
    /** Of whom usage is counted. */
    tenantId: string | undefined;
  };
}

export type AppContext = Context<HonoTypes>;

/**
 * What the session's cookie is called. A browser keeps cookies by host, whatever the port (RFC 6265 §8.5): two services of one machine
 * would sign each other out, so a port of the public address that is not the scheme's own stands in the name.
 */
export function sessionCookieName(publicUrl: string | undefined): string {
  const port = publicUrl === undefined ? '' : new URL(publicUrl).port;
  return port === '' ? 'stowage_session' : `stowage_session_${port}`;
}

/** Which address a request is limited by. */
export function addressOf(context: AppContext): string {
  const address = context.env?.clientAddress;
  return address === undefined ? 'unknown' : addressClass(address);
}

export function placeOf(context: AppContext): RequestPlace {
  return {
    address: context.env?.clientAddress ?? null,
    userAgent: context.req.header('user-agent') ?? null,
    requestId: context.get('requestId'),
  };
}

/** What there is of a caller who was recognised. The pipeline has refused others where it must. */
export function recognised<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new FilesError('unauthenticated');
  return part;
}
