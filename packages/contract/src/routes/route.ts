// What a route is: one row of the tables beside this file.

import type { z } from 'zod';
import type { ProblemCode } from '../problem.ts';
import type { Action } from '../rights.ts';

export interface Route {
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
  /**
   * Problems beside invalid-request, unauthenticated, too-many-requests, internal-error and database-unavailable, which any route may
   * answer.
   */
  readonly problems: readonly ProblemCode[];
}
