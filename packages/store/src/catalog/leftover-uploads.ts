// What a bucket that is to be deleted still has of unfinished uploads, in slices. They go with their bucket, which is one
// record in the journal and one step of the committer; a hundred thousand of them in one step would hold everybody up for
// minutes. So when there are many, they are aborted first, a slice at a time, with other commits between two slices.

import type { UploadAddress } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { findBucket } from './buckets.ts';
import { afterPrefix, parseUploadKey, partKey, prefixedKey, uploadPrefix } from './index-keys.ts';
import { decodeUploadRow } from './upload-rows.ts';

/** Uploads and parts that go in one step. An upload that has more goes alone. */
const maxSliceRows = 256;

/**
 * The first uploads to abort before a bucket is deleted. None when it has few; and none when it has objects, or is not there:
 * deleting it will be refused then.
 */
export function leftoverUploads(index: IndexReader, bucketName: string): readonly UploadAddress[] {
  const bucket = findBucket(index, bucketName);
  if (bucket === undefined || hasRows(index, prefixedKey(bucket.id, ''))) return [];
  const found: { readonly address: UploadAddress; readonly sequence: number }[] = [];
  const uploads = uploadPrefix(bucket.id, '');
  index.scan({ from: uploads, to: afterPrefix(uploads) }, (key, value) => {
    const { keyBytes, uploadSequence: sequence } = parseUploadKey(key);
    const { uploadId } = decodeUploadRow(value);
    found.push({ address: { bucket: bucketName, key: keyBytes.toString(), uploadId }, sequence });
    return found.length <= maxSliceRows;
  });
  const slice: UploadAddress[] = [];
  let rows = 0;
  for (const { address, sequence } of found) {
    rows += 1 + countParts(index, sequence, maxSliceRows);
    if (rows > maxSliceRows && slice.length > 0) return slice;
    slice.push(address);
  }
  return rows > maxSliceRows ? slice : [];
}

function hasRows(index: IndexReader, prefix: Buffer): boolean {
  let found = false;
  index.scan({ from: prefix, to: afterPrefix(prefix) }, () => {
    found = true;
    return false;
  });
  return found;
}

/** Counts no further than `limit`. */
function countParts(index: IndexReader, uploadSequence: number, limit: number): number {
  const parts = partKey(uploadSequence, 0).subarray(0, 7);
  let count = 0;
  index.scan({ from: parts, to: afterPrefix(parts) }, () => {
    count += 1;
    return count < limit;
  });
  return count;
}
