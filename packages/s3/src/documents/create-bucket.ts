// CreateBucket may carry a `<CreateBucketConfiguration>`.

import { S3Error } from '../errors.ts';
import { checkChildren, childText, readXml } from '../xml-reader.ts';

/** What a new bucket is asked to be. */
export interface CreateBucketConfiguration {
  /** The region; absent when the request leaves the choice to the endpoint. */
  readonly locationConstraint?: string;
}

/** @throws S3Error `MalformedXML`; `NotImplemented` for directory buckets and for tags given with the creation. */
export function readCreateBucketDocument(bytes: Uint8Array): CreateBucketConfiguration {
  if (bytes.length === 0) return {};
  const root = readXml(bytes, 'CreateBucketConfiguration', { maxBytes: 65_536 });
  checkChildren(root, ['LocationConstraint', 'Location', 'Bucket', 'Tags']);
  for (const { name } of root.children) {
    if (name !== 'LocationConstraint') {
      throw new S3Error('NotImplemented', `CreateBucketConfiguration holds ${name}, which is not implemented.`);
    }
  }
  const locationConstraint = childText(root, 'LocationConstraint');
  return locationConstraint === undefined || locationConstraint === '' ? {} : { locationConstraint };
}
