// ListBuckets: the requester's own buckets, by name, in pages. Without `max-buckets` or a token, all of them up to 10,000.
// A region filter is applied to each page after it is read, so a filtered page may be short; the token goes on from it.

import { decodeContinuationToken, encodeContinuationToken, S3Error, writeListBucketsDocument } from '@stowage/s3';
import type { Handler } from '../handler.ts';
import { queryPageSize, queryValue } from '../query.ts';
import { documentResult } from '../result.ts';

export const listBuckets: Handler = (request, engine) => {
  const { query, requester } = request;
  if (requester === undefined) throw new S3Error('AccessDenied');
  const prefix = queryValue(query, 'prefix');
  const token = queryValue(query, 'continuation-token');
  const region = queryValue(query, 'bucket-region');
  const limit = queryPageSize(query, 'max-buckets', engine.limits.pageBuckets);
  if (limit === 0) {
    throw new S3Error(
      'InvalidArgument',
      `Argument max-buckets must be an integer between 1 and ${engine.limits.pageBuckets}`,
      {
        details: { ArgumentName: 'max-buckets', ArgumentValue: '0' },
      },
    );
  }
  const page = engine.store.listBuckets({
    owner: requester.id,
    limit,
    ...(prefix === undefined ? {} : { prefix }),
    ...(token === undefined || token === '' ? {} : { after: decodeContinuationToken(token) }),
  });
  return documentResult(
    writeListBucketsDocument({
      owner: { id: requester.id, displayName: requester.displayName },
      buckets: region === undefined ? page.buckets : page.buckets.filter((bucket) => bucket.region === region),
      prefix,
      continuationToken: page.next === undefined ? undefined : encodeContinuationToken(page.next),
    }),
  );
};
