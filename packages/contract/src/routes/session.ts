// Signing in and out.

import { sessionSchema } from '../account.ts';
import { signInRequestSchema, signInWaysSchema } from '../identity.ts';
import type { Route } from './route.ts';

export const sessionRoutes = {
  signIn: {
    method: 'POST',
    path: '/v1/session',
    summary: 'Sign in, by a one-time token or by e-mail and password; sets the session cookie.',
    access: 'public',
    requires: null,
    body: signInRequestSchema,
    status: 200,
    response: sessionSchema,
    problems: ['sign-in-link-used', 'sign-in-failed', 'second-factor-required', 'second-factor-wrong'],
  },
  getSession: {
    method: 'GET',
    path: '/v1/session',
    summary: 'Who is calling, and what applies to them.',
    access: 'authenticated',
    requires: null,
    status: 200,
    response: sessionSchema,
    problems: [],
  },
  signOut: {
    method: 'DELETE',
    path: '/v1/session',
    summary: 'End the session.',
    access: 'authenticated',
    requires: null,
    status: 204,
    problems: [],
  },
  getSignInWays: {
    method: 'GET',
    path: '/v1/session/ways',
    summary: 'How one can sign in here.',
    access: 'public',
    requires: null,
    status: 200,
    response: signInWaysSchema,
    problems: [],
  },
} as const satisfies Record<string, Route>;
