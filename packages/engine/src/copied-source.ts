// The source of CopyObject and UploadPartCopy: found, allowed, and judged by the conditions that the request puts on it.

import {
  type CopySource,
  checkObjectKey,
  judgeCopySource,
  parseCopySource,
  parseCopySourceConditions,
  type RequestHeaders,
  S3Error,
} from '@stowage/s3';
import type { ObjectVersion, OpenObject } from '@stowage/store';
import { authorizeOwner } from './authorize.ts';
import type { EngineContext } from './engine-context.ts';
import { noSuchKey } from './operations/get-object.ts';
import type { S3Request } from './s3-request.ts';
import { checkExpectedOwner, checkVersionId, noSuchBucket } from './screen.ts';

/**
 * The version that a copy is made of.
 * @throws S3Error `InvalidArgument`, `KeyTooLongError`, `NoSuchBucket`, `AccessDenied`, `NoSuchKey`, `PreconditionFailed`.
 */
export function findCopySource(request: S3Request, engine: EngineContext): ObjectVersion {
  const source = allowedSource(request, engine);
  const version = engine.store.headObject(source);
  if (version === undefined) throw noSuchKey(source.key);
  judge(request.headers, version);
  return version;
}

/**
 * As `findCopySource`, with the bytes of that very version: it may be overwritten at any moment, and what was judged must be
 * what is read. The caller closes it.
 */
export function openCopySource(request: S3Request, engine: EngineContext): OpenObject {
  const source = allowedSource(request, engine);
  const object = engine.store.openObject(source);
  if (object === undefined) throw noSuchKey(source.key);
  try {
    judge(request.headers, object.version);
  } catch (refusal) {
    object.close();
    throw refusal;
  }
  return object;
}

/** What the request names, which the requester may read. */
function allowedSource({ headers, requester }: S3Request, engine: EngineContext): CopySource {
  const source = parseCopySource(headers['x-amz-copy-source'] ?? '');
  checkObjectKey(source.key);
  const bucket = engine.store.getBucket(source.bucket);
  if (bucket === undefined) throw noSuchBucket(source.bucket);
  authorizeOwner(requester, bucket);
  checkExpectedOwner(bucket, headers['x-amz-source-expected-bucket-owner']);
  if (source.versionId !== undefined) checkVersionId(source.versionId);
  return source;
}

function judge(headers: RequestHeaders, version: ObjectVersion): void {
  const conditions = parseCopySourceConditions(headers);
  if (conditions !== undefined) judgeCopySource(conditions, version);
}

export function copySourceTooLarge(maxBytes: number): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${maxBytes}`,
  );
}
