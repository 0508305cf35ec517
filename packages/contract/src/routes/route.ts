// What a route is: one row of the tables beside this file.

import type { z } from 'zod';
import type { ProblemCode } from '../problem.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  /** With `{id}`-style parameters (OpenAPI). */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anyone, or a session or API key. */
  readonly access: 'public' | 'authenticated';
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** A header that it reads beside the common ones. */
  readonly header?: 'Idempotency-Key' | 'If-Match';
  /** Status of success. */
  readonly status: 200 | 201 | 204 | 302;
  /** What success answers where it is a stream of bytes and not JSON. */
  readonly produces?: 'application/zip';
  /** Body of success; absent for 204, 302 and streams. */
  readonly response?: z.ZodType;
  /** Problems beside invalid-request, unauthenticated, too-many-requests and internal-error, which any route may answer. */
  readonly problems: readonly ProblemCode[];
}
