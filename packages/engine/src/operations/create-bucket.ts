// CreateBucket. A bucket may be made in any region that a client names: the name is kept and shown, nothing else depends
// on it. Buckets have no ACLs yet, so `bucketDefaults` changes nothing so far.

import { checkBucketName, readCreateBucketDocument, S3Error } from '@stowage/s3';
import { isStoreError, ownDurability } from '@stowage/store';
import { readDocument } from '../document-body.ts';
import { formatDurability, parseDurabilityHeader } from '../durability-header.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Handler } from '../handler.ts';
import { emptyResult } from '../result.ts';
import { ownerOf } from './put-object.ts';

export const createBucket: Handler = async (request, engine) => {
  checkBucketName(request.bucket);
  const document = readCreateBucketDocument(await readDocument(request, { maxBytes: engine.limits.documentBytes }));
  const region = regionOf(document.locationConstraint, engine);
  const owner = ownerOf(request);
  const durability = parseDurabilityHeader(request.headers);
  const created = emptyResult(200, ['location', `/${request.bucket}`]);
  try {
    const bucket = { name: request.bucket, owner, region };
    await engine.store.createBucket(durability === undefined ? bucket : { ...bucket, durability });
    return created;
  } catch (cause) {
    if (!isStoreError(cause) || cause.code !== 'BucketExists') throw cause;
    const existing = engine.store.getBucket(request.bucket);
    if (existing?.owner !== owner) throw cause;
    // "in us-east-1 … Amazon S3 returns 200 OK and resets the bucket access control lists": for older clients. But another
    // durability than the bucket has is not taken for granted.
    const own = ownDurability(existing) ?? engine.store.durabilityOf(existing.name);
    const sameDurability = durability === undefined || formatDurability(durability) === formatDurability(own);
    if (region === 'us-east-1' && sameDurability) return created;
    throw new S3Error('BucketAlreadyOwnedByYou', undefined, { details: { BucketName: request.bucket }, cause });
  }
};

function regionOf(locationConstraint: string | undefined, engine: EngineContext): string {
  if (locationConstraint === undefined) return engine.region;
  // An old name that AWS still takes.
  if (locationConstraint === 'EU') return 'eu-west-1';
  if (locationConstraint === engine.region || /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/.test(locationConstraint))
    return locationConstraint;
  throw new S3Error('InvalidLocationConstraint', undefined, { details: { LocationConstraint: locationConstraint } });
}
