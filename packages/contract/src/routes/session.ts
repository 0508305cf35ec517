// Signing in and out.

import { sessionSchema, signInRequestSchema } from '../account.ts';
import type { Route } from './route.ts';

export const sessionRoutes = {
  signIn: {
    method: 'POST',
    path: '/v1/session',
    summary: 'Sign in with a one-time token; sets the session cookie.',
    access: 'public',
    body: signInRequestSchema,
    status: 200,
    response: sessionSchema,
    problems: ['sign-in-link-used', 'cross-site'],
  },
  getSession: {
    method: 'GET',
    path: '/v1/session',
    summary: 'Who is calling, and what applies to them.',
    access: 'authenticated',
    status: 200,
    response: sessionSchema,
    problems: [],
  },
  signOut: {
    method: 'DELETE',
    path: '/v1/session',
    summary: 'End the session.',
    access: 'authenticated',
    status: 204,
    problems: ['cross-site'],
  },
} as const satisfies Record<string, Route>;
