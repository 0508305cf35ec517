// A bucket at an S3 endpoint: made ready once, then asked for objects and multipart uploads.

import type { FilesLog } from '../log.ts';
import type { Bucket } from './bucket.ts';
import { openBucketListing } from './bucket-listing.ts';
import { type BucketRequestsOptions, openBucketRequests } from './bucket-requests.ts';
import { openMultipartUploads } from './multipart-uploads.ts';
import { openObjects } from './objects.ts';
import { prepareBucket } from './prepare-bucket.ts';

interface S3BucketOptions extends BucketRequestsOptions {
  readonly log: FilesLog;
  /** Origins of pages that may send bytes to the bucket. */
  readonly origins: readonly string[];
}

export function openS3Bucket(options: S3BucketOptions): Bucket {
  const requests = openBucketRequests(options);
  let preparing: Promise<void> | undefined;

  return {
    prepare: () => {
      preparing ??= requests
        .ask('prepare', ({ sdk, client }) => prepareBucket({ sdk, client, ...options }))
        .catch((error: unknown) => {
          preparing = undefined;
          throw error;
        });
      return preparing;
    },
    ...openObjects(requests, options.limits),
    ...openMultipartUploads(requests, options.limits),
    ...openBucketListing(requests),
    close: requests.close,
  };
}
