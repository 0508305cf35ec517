// The unfinished upload that a request names by `uploadId`.

import { S3Error } from '@stowage/s3';
import type { MultipartUpload, UploadAddress } from '@stowage/store';
import type { EngineContext } from './engine-context.ts';
import { queryValue } from './query.ts';
import type { S3Request } from './s3-request.ts';

export function uploadAddress(request: S3Request): UploadAddress {
  return { bucket: request.bucket, key: request.key, uploadId: queryValue(request.query, 'uploadId') ?? '' };
}

/** @throws S3Error `NoSuchUpload`. */
export function findUpload(request: S3Request, engine: EngineContext): MultipartUpload {
  const address = uploadAddress(request);
  const upload = engine.store.getUpload(address);
  if (upload === undefined) throw new S3Error('NoSuchUpload', undefined, { details: { UploadId: address.uploadId } });
  return upload;
}
