// What a store's refusal means to an S3 client: one row for every StoreError. Refusals that say something about this
// server rather than about the request become InternalError, with the cause kept for the log.

import { S3Error, type S3ErrorCode } from '@stowage/s3';
import type { StoreError, StoreErrorCode } from '@stowage/store';

const refusals: Readonly<Record<StoreErrorCode, S3ErrorCode>> = {
  BucketExists: 'BucketAlreadyExists',
  BucketNotEmpty: 'BucketNotEmpty',
  NoSuchBucket: 'NoSuchBucket',
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  PreconditionFailed: 'PreconditionFailed',
  SourceChanged: 'ConditionalRequestConflict',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  PartTooSmall: 'EntityTooSmall',
  ChecksumMismatch: 'BadDigest',
  BodyTooLarge: 'EntityTooLarge',
  BodySizeMismatch: 'IncompleteBody',
  DiskFull: 'InsufficientStorage',
  Overloaded: 'SlowDown',
  ReadOnly: 'ServiceUnavailable',
  Corrupt: 'InternalError',
  NoSuchCursor: 'InternalError',
  CursorInUse: 'InternalError',
  TooManyCursors: 'InternalError',
  Locked: 'InternalError',
  Scattered: 'InternalError',
  NotAStore: 'InternalError',
  UnsupportedFormat: 'InternalError',
  Closed: 'ServiceUnavailable',
};

/** The S3 error that answers a store's refusal. */
export function explainRefusal(refusal: StoreError): S3Error {
  const code = refusals[refusal.code];
  const details = code === 'InternalError' ? {} : titled(refusal.details);
  return new S3Error(code, undefined, { details, cause: refusal });
}

// S3 writes the elements of an error document in PascalCase.
function titled(details: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]),
  );
}
