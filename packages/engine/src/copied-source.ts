// The source of CopyObject and UploadPartCopy: found, allowed, and judged by the conditions that the request puts on it.

import { judgeCopySource, parseCopySource, parseCopySourceConditions, S3Error } from '@stowage/s3';
import type { ObjectVersion } from '@stowage/store';
import { authorizeOwner } from './authorize.ts';
import type { EngineContext } from './engine-context.ts';
import { noSuchKey } from './operations/get-object.ts';
import type { S3Request } from './s3-request.ts';
import { checkExpectedOwner, checkVersionId, noSuchBucket } from './screen.ts';

/**
 * The version that a copy reads.
 * @throws S3Error `InvalidArgument`, `NoSuchBucket`, `AccessDenied`, `NoSuchKey`, `PreconditionFailed`.
 */
export function findCopySource(request: S3Request, engine: EngineContext): ObjectVersion {
  const { headers } = request;
  const source = parseCopySource(headers['x-amz-copy-source'] ?? '');
  const bucket = engine.store.getBucket(source.bucket);
  if (bucket === undefined) throw noSuchBucket(source.bucket);
  authorizeOwner(request.requester, bucket);
  checkExpectedOwner(bucket, headers['x-amz-source-expected-bucket-owner']);
  if (source.versionId !== undefined) checkVersionId(source.versionId);
  const version = engine.store.headObject(source);
  if (version === undefined) throw noSuchKey(source.key);
  const conditions = parseCopySourceConditions(headers);
  if (conditions !== undefined) judgeCopySource(conditions, version);
  return version;
}

export function copySourceTooLarge(maxBytes: number): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${maxBytes}`,
  );
}
