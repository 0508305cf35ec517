// Errors as RFC 9457 problems: the one place where they are rendered. What is not ours becomes `internal-error`; its text goes to
// the log with the request's id, never to the caller.

import { type Problem, type ProblemCode, problems } from '@stowage/contract';
import { isFilesError } from '../files-error.ts';

export function problemResponse(error: unknown, requestId: string): Response {
  const problem = problemOf(error, requestId);
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (isFilesError(error) && error.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(error.retryAfterSeconds);
  // RFC 9110 §11.6.1 wants a challenge with every 401.
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="stowage"';
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** The error as what a caller is told of it. */
export function problemOf(error: unknown, requestId?: string): Problem {
  const code: ProblemCode = isFilesError(error) ? error.code : 'internal-error';
  const { status, title } = problems[code];
  const problem = {
    type: `urn:stowage:problem:${code}`,
    title,
    status,
    code,
    ...(requestId === undefined ? {} : { requestId }),
  };
  if (!isFilesError(error)) return problem;
  return {
    ...problem,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}
