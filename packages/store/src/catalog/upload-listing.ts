// One page of a bucket's unfinished uploads, in order of key and then of initiation. Spec: ListMultipartUploads.

import type { ListUploadsPage, MultipartUpload, UploadList } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { requireBucket } from './buckets.ts';
import { afterKey, afterPrefix, isObjectKey, parseUploadKey, uploadKey, uploadPrefix } from './index-keys.ts';
import { KeyGroups } from './listing.ts';
import { decodeUploadRow, sequenceOfUploadId } from './upload-rows.ts';
import { describeUpload } from './uploads.ts';

/** @throws StoreError `NoSuchBucket`. */
export function listUploads(index: IndexReader, page: ListUploadsPage): UploadList {
  const { id } = requireBucket(index, page.bucket);
  const uploads: MultipartUpload[] = [];
  const commonPrefixes: string[] = [];
  if (page.limit < 1) return { uploads, commonPrefixes };
  const to = afterPrefix(uploadPrefix(id, page.prefix));
  const groups = new KeyGroups(page);
  let from: Buffer | undefined = startAfter(id, groups, page);
  let last = { key: '', uploadId: '' };
  let more = false;
  while (from !== undefined && !more && from.compare(to) < 0) {
    const start: Buffer = from;
    from = undefined;
    index.scan({ from: start, to }, (indexKey, value) => {
      more = uploads.length + commonPrefixes.length === page.limit;
      if (more) return false;
      const { keyBytes } = parseUploadKey(indexKey);
      const group = groups.groupOf(keyBytes)?.toString();
      if (group === undefined) {
        const upload = describeUpload(page.bucket, keyBytes.toString(), decodeUploadRow(value));
        last = { key: upload.key, uploadId: upload.uploadId };
        uploads.push(upload);
        return true;
      }
      last = { key: group, uploadId: '' };
      commonPrefixes.push(group);
      from = afterPrefix(uploadPrefix(id, group));
      return false;
    });
  }
  return more ? { uploads, commonPrefixes, next: last } : { uploads, commonPrefixes };
}

function startAfter(bucketId: number, groups: KeyGroups, page: ListUploadsPage): Buffer {
  const whole = uploadPrefix(bucketId, page.prefix);
  if (page.afterKey === '') return whole;
  const own = uploadPrefix(bucketId, page.afterKey);
  if (own.compare(whole) < 0) return whole;
  const inside = own.subarray(0, whole.length).equals(whole);
  const group = inside ? groups.groupOf(Buffer.from(page.afterKey))?.toString() : undefined;
  if (group !== undefined) return afterPrefix(uploadPrefix(bucketId, group));
  const sequence = sequenceOfUploadId(page.afterUploadId);
  // A marker may be longer than any key: it has no uploads, whatever id comes with it.
  if (sequence !== undefined && isObjectKey(page.afterKey))
    return afterKey(uploadKey(bucketId, page.afterKey, sequence));
  // Behind all uploads of this very key, which a zero byte ends, and before longer keys that begin with it.
  return Buffer.concat([own, Buffer.of(1)]);
}
