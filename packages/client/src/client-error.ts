// Everything the client can fail with, as one table beside the service's own problems (contract: problem.ts).
// A code says what happened, `retryable` whether waiting can help, the message what to do.

import type { Problem, ProblemCode } from '@stowage/contract';

interface FaultRow {
  readonly message: string;
  /** Waiting and sending the same again may succeed. */
  readonly retryable: boolean;
}

/** Faults that the client finds itself; what the service refuses keeps the service's code. */
export const clientFaults = {
  network: { message: 'The connection was lost.', retryable: true },
  'service-unavailable': { message: 'The service does not answer at the moment.', retryable: true },
  'storage-busy': { message: 'The storage does not answer at the moment.', retryable: true },
  'storage-refused': { message: 'The storage refused the bytes.', retryable: false },
  'out-of-step': { message: 'The storage and the service do not agree about this upload.', retryable: false },
  'unexpected-answer': { message: 'The answer was not one this client understands.', retryable: false },
  'file-unreadable': {
    message: 'The file can no longer be read: it was changed, moved or deleted. Choose it again.',
    retryable: false,
  },
  'wrong-file': { message: 'This is not the file whose upload was begun. Choose the same file.', retryable: false },
  'upload-gone': { message: 'The upload was given up or took too long. Start it again.', retryable: false },
  rejected: { message: 'The file was refused after checking.', retryable: false },
  quarantined: { message: 'The file was found to be harmful and is locked away.', retryable: false },
  'scan-failed': { message: 'The file is stored but could not be checked.', retryable: false },
  cancelled: { message: 'The upload was cancelled.', retryable: false },
} as const satisfies Record<string, FaultRow>;

export type ClientFaultCode = keyof typeof clientFaults;
export type ClientErrorCode = ClientFaultCode | ProblemCode;

interface ClientErrorDetails {
  readonly message?: string;
  readonly status?: number;
  readonly problem?: Problem;
  readonly retryAfterMs?: number;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** The one error class of this package. Test `code`, not the message. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** HTTP status, when an answer came. */
  readonly status: number | undefined;
  /** What the service said, when it was the service that refused. */
  readonly problem: Problem | undefined;
  /** How long the other side asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** Waiting and sending the same again may succeed. The client has done so already, up to its limits. */
  readonly retryable: boolean;

  constructor(code: ClientErrorCode, details: ClientErrorDetails = {}) {
    const row: FaultRow | undefined = code in clientFaults ? clientFaults[code as ClientFaultCode] : undefined;
    super(details.message ?? row?.message ?? code, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.problem = details.problem;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.retryable ?? row?.retryable ?? false;
  }
}

/** Guards by name and shape, so that two copies of this package in one bundle agree. */
export function isClientError(error: unknown): error is ClientError {
  return error instanceof Error && error.name === 'ClientError' && 'code' in error;
}

/** Anything thrown, as a ClientError; what is not ours is an unexpected answer with its cause kept. */
export function asClientError(error: unknown): ClientError {
  return isClientError(error) ? error : new ClientError('unexpected-answer', { cause: error });
}
