// A handler's plain result as an HTTP response: JSON, a stream, or nothing; with the session cookie where it changes.

import type { Route } from '@stowage/contract';
import type { Reply } from './handler.ts';

interface RenderOptions {
  readonly request: Request;
  /** Whether browsers reach the service by https, whatever the request says: a proxy may stand before it. */
  readonly alwaysSecure: boolean;
  /** What the session's cookie is called. */
  readonly sessionCookie: string;
}

export function renderReply(route: Route, reply: Reply<unknown>, options: RenderOptions): Response {
  const { request, alwaysSecure, sessionCookie } = options;
  const headers = new Headers({ 'cache-control': 'no-store', ...reply.headers });
  const { session } = reply;
  if (session !== undefined) {
    const secure = alwaysSecure || new URL(request.url).protocol === 'https:' ? '; Secure' : '';
    const value = session === null ? '' : session.token;
    const seconds = session === null ? 0 : Math.floor(session.lifeMs / 1000);
    headers.append(
      'set-cookie',
      `${sessionCookie}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
    );
  }
  if (route.produces !== undefined) {
    headers.set('content-type', route.produces);
    return new Response(reply.stream ?? null, { status: route.status, headers });
  }
  if (route.response === undefined) return new Response(null, { status: route.status, headers });
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify(reply.body), { status: route.status, headers });
}
