// The contract of ObjectStore as one suite: every implementation runs it (memory-store.test.ts, disk-store.test.ts).

import { testBuckets } from './buckets.contract.ts';
import { testListing } from './listing.contract.ts';
import { testObjects } from './objects.contract.ts';
import type { OpenStoreUnderTest } from './store-under-test.ts';
import { testUploads } from './uploads.contract.ts';

export function testObjectStore(name: string, open: OpenStoreUnderTest): void {
  testBuckets(name, open);
  testObjects(name, open);
  testListing(name, open);
  testUploads(name, open);
}
