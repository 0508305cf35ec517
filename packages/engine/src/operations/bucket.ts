// DeleteBucket, HeadBucket and GetBucketLocation: what is asked of a bucket as a whole.

import { writeBucketLocationDocument } from '@stowage/s3';
import { durabilityHeader, formatDurability } from '../durability-header.ts';
import type { Handler } from '../handler.ts';
import { documentResult, emptyResult } from '../result.ts';
import { noSuchBucket } from '../screen.ts';

export const deleteBucket: Handler = async (request, engine) => {
  await engine.store.deleteBucket(request.bucket);
  return emptyResult(204);
};

export const headBucket: Handler = (request, engine) => {
  const bucket = engine.store.getBucket(request.bucket);
  if (bucket === undefined) throw noSuchBucket(request.bucket);
  return emptyResult(200, [
    'x-amz-bucket-region',
    bucket.region,
    'x-amz-access-point-alias',
    'false',
    durabilityHeader,
    formatDurability(engine.store.durabilityOf(bucket.name)),
  ]);
};

export const getBucketLocation: Handler = (request, engine) => {
  const bucket = engine.store.getBucket(request.bucket);
  if (bucket === undefined) throw noSuchBucket(request.bucket);
  return documentResult(writeBucketLocationDocument(bucket.region));
};
