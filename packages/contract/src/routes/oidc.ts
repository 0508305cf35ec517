// Signing in at another place, by OpenID Connect: the authorization code flow with PKCE.

import { z } from 'zod';
import type { Route } from './route.ts';

/** Providers add parameters of their own: what is not known is passed over. */
const callbackQuery = z.object({
  code: z.string().max(4096).exactOptional(),
  state: z.string().max(512).exactOptional(),
  error: z.string().max(512).exactOptional(),
  error_description: z.string().max(4096).exactOptional(),
  iss: z.string().max(2048).exactOptional(),
  session_state: z.string().max(2048).exactOptional(),
});

export const oidcRoutes = {
  beginOidcSignIn: {
    method: 'GET',
    path: '/v1/session/oidc/{provider}',
    summary: 'Redirects the browser to the provider, to sign in there.',
    access: 'public',
    requires: null,
    status: 302,
    problems: [],
  },
  finishOidcSignIn: {
    method: 'GET',
    path: '/v1/session/oidc/{provider}/callback',
    summary: 'Where the provider sends the browser back to; sets the session cookie and redirects to the console.',
    access: 'public',
    requires: null,
    query: callbackQuery,
    status: 302,
    problems: ['sign-in-failed'],
  },
} as const satisfies Record<string, Route>;
