// ListBuckets answers with `<ListAllMyBucketsResult>`.

import { writeDocument, writeElement, writeTime } from '../xml-writer.ts';
import { type Owner, writeOwner } from './owner.ts';

/** One page of the buckets of an account. */
export interface ListBucketsDocument {
  readonly owner: Owner;
  readonly buckets: readonly ListedBucket[];
  /** Repeated from the request. */
  readonly prefix?: string | undefined;
  /** Where the next page begins; absent on the last. */
  readonly continuationToken?: string | undefined;
}

/** A bucket as a listing shows it. */
export interface ListedBucket {
  readonly name: string;
  readonly createdAtMs: number;
  readonly region: string;
}

export function writeListBucketsDocument(page: ListBucketsDocument): string {
  let buckets = '';
  for (const bucket of page.buckets) {
    buckets +=
      '<Bucket>' +
      writeElement('Name', bucket.name) +
      writeTime('CreationDate', bucket.createdAtMs) +
      writeElement('BucketRegion', bucket.region) +
      '</Bucket>';
  }
  return writeDocument(
    'ListAllMyBucketsResult',
    `${writeOwner('Owner', page.owner)}<Buckets>${buckets}</Buckets>` +
      writeElement('ContinuationToken', page.continuationToken) +
      writeElement('Prefix', page.prefix),
  );
}
