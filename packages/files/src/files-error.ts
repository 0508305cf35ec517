// What the file service can refuse. The code is a row of the contract's table of problems, which also holds the status.

import { type ProblemCode, problems } from '@stowage/contract';

export interface FilesErrorOptions {
  /** What came, what was expected, what to do. Shown to the caller. */
  readonly detail?: string;
  /** Where in the request the fault lies, one entry a fault. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  /** Seconds after which the caller may try again. */
  readonly retryAfterSeconds?: number;
  /** What made it happen. Logged, never shown. */
  readonly cause?: unknown;
}

/** Any refusal of the file service. `code` says which. */
export class FilesError extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: FilesErrorOptions['errors'];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, options: FilesErrorOptions = {}) {
    super(options.detail ?? problems[code].title, { cause: options.cause });
    this.name = 'FilesError';
    this.code = code;
    this.detail = options.detail;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Whether a caught value is a FilesError; tests the code, so that two copies of this package agree. */
export function isFilesError(value: unknown): value is FilesError {
  return value instanceof Error && value.name === 'FilesError' && 'code' in value && String(value.code) in problems;
}
