// What the service can refuse, as one table, and its shape on the wire: RFC 9457 `application/problem+json`.
// docs/errors.md is generated from it.

import { z } from 'zod';

interface ProblemRow {
  readonly status: number;
  readonly title: string;
}

export const problems = {
  'invalid-request': { status: 400, title: 'The request does not have the expected shape.' },
  unauthenticated: { status: 401, title: 'Sign in, or send an API key.' },
  'sign-in-link-used': { status: 401, title: 'This sign-in link was used already or has expired; ask for a new one.' },
  'sign-in-failed': { status: 401, title: 'Nobody can be signed in by this.' },
  'second-factor-required': { status: 401, title: 'A code of the authenticator is needed too.' },
  'second-factor-wrong': { status: 401, title: 'The code is not a right one, or was used already.' },
  forbidden: { status: 403, title: 'This is not allowed for you.' },
  'tenant-suspended': { status: 403, title: 'This tenant is suspended.' },
  'cross-site': { status: 403, title: 'The request came from another site.' },
  'not-found': { status: 404, title: 'There is nothing here.' },
  'share-ended': { status: 410, title: 'This link has expired, was used up or taken back, or what it showed is gone.' },
  'password-wrong': { status: 403, title: 'The password is not the right one.' },
  'wrong-state': { status: 409, title: 'The file is in a state that does not allow this.' },
  'bytes-missing': { status: 409, title: 'The bytes of this file are missing from the object storage.' },
  retained: { status: 409, title: 'The file must be kept for longer.' },
  'parts-missing': { status: 409, title: 'The bucket does not hold all parts yet.' },
  'checksum-wrong': { status: 409, title: 'The bytes that were sent are not those that were announced.' },
  'name-taken': { status: 409, title: 'There is something of this name already.' },
  'last-owner': { status: 409, title: 'A tenant needs one owner who can sign in.' },
  'second-factor-exists': { status: 409, title: 'There is an authenticator already; take it away first.' },
  'folder-cycle': { status: 409, title: 'A folder cannot lie within itself.' },
  'reconcile-running': { status: 409, title: 'Bucket and database are being compared already.' },
  'idempotency-conflict': { status: 409, title: 'This Idempotency-Key was used with another request.' },
  'precondition-failed': { status: 412, title: 'The file has changed meanwhile.' },
  'file-too-large': { status: 413, title: 'The file is larger than allowed.' },
  'archive-too-large': { status: 413, title: 'The archive would hold more files than allowed.' },
  'request-too-large': { status: 413, title: 'The request body is larger than allowed.' },
  'type-not-allowed': { status: 415, title: 'Files of this type are not allowed.' },
  'quota-exceeded': { status: 422, title: 'There is not enough room left.' },
  'too-many-requests': { status: 429, title: 'Too many requests; wait a moment.' },
  'internal-error': { status: 500, title: 'Something went wrong on our side.' },
  'too-busy': { status: 503, title: 'Too much of this is going on already; try again in a while.' },
  'provider-unavailable': { status: 503, title: 'The place where one signs in does not answer as it should.' },
  'database-unavailable': { status: 503, title: 'The database of the service does not answer; try again in a moment.' },
  'storage-unavailable': { status: 503, title: 'The object storage does not answer.' },
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof problems;

/** RFC 9457 problem details. `type` is `urn:stowage:problem:<code>`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** What came, what was expected, what to do. */
  readonly detail?: string;
  /** Where in the request the fault lies, one entry a fault. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly requestId?: string;
}

export const problemSchema: z.ZodType<Problem> = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string().exactOptional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).exactOptional(),
  requestId: z.string().exactOptional(),
});
