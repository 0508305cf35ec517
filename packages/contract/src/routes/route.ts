// What a route is: one row of the tables beside this file. And what of its refusals follows from the row itself, because whatever stands
// before all handlers gives them: who asks, from where, how often, with what body.

import type { z } from 'zod';
import type { ProblemCode } from '../problem.ts';
import type { Action } from '../rights.ts';

interface RouteShape {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  /** With `{id}`-style parameters (OpenAPI). */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anyone; a session, API key or token; or only a person who is signed in, by a session. */
  readonly access: 'public' | 'authenticated' | 'person';
  /** The least that the caller must be allowed. `null`: nothing, what is asked concerns the caller alone or everybody. */
  readonly requires: Action | null;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** A header that it reads beside the common ones. */
  readonly header?: 'Idempotency-Key' | 'If-Match';
  /** Status of success. */
  readonly status: 200 | 201 | 204 | 302;
  /** What success answers where it is a stream of bytes and not JSON. */
  readonly produces?: 'application/zip' | 'text/csv';
  /** Body of success; absent for 204, 302 and streams. */
  readonly response?: z.ZodType;
}

const always = (): boolean => true;

/** Which routes give a problem whatever their handler does. */
const followsFrom = {
  // A query that nobody knows is refused everywhere.
  'invalid-request': always,
  // Credentials that are shown are judged also where none are needed.
  unauthenticated: always,
  'tenant-suspended': always,
  'provider-unavailable': always,
  'too-many-requests': always,
  'internal-error': always,
  'database-unavailable': always,
  forbidden: ({ access, requires }) => access === 'person' || requires !== null,
  // Reading can be forged, and is no harm: the page that asks does not see the answer.
  'cross-site': ({ method }) => method !== 'GET',
  'request-too-large': ({ body }) => body !== undefined,
  'precondition-failed': ({ header }) => header === 'If-Match',
  'not-found': ({ path }) => path.includes('{'),
} as const satisfies { readonly [Code in ProblemCode]?: (route: RouteShape) => boolean };

/** What only a handler knows; `not-found` also of what a query or a body names. */
type HandlerProblem = Exclude<ProblemCode, keyof typeof followsFrom> | 'not-found';

export interface Route extends RouteShape {
  /** Problems beside those that follow from the rest of the row. */
  readonly problems: readonly HandlerProblem[];
}

/** Every problem that the route may answer, each once. */
export function problemsOf(route: Route): readonly ProblemCode[] {
  const following = (Object.keys(followsFrom) as (keyof typeof followsFrom)[]).filter((code) =>
    followsFrom[code](route),
  );
  return [...new Set([...following, ...route.problems])];
}
