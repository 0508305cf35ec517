// Buckets in the catalog: finding, listing, and the operations that change them.

import type { Bucket, BucketList, JsonValue, ListBucketsPage, NewBucket } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import { type BucketRow, decodeBucketRow, encodeBucketRow } from './bucket-row.ts';
import { afterKey, afterPrefix, bucketKey, prefixedKey } from './index-keys.ts';
import type { Operation } from './operation.ts';

/** Beyond it, the oldest decoded row is forgotten. */
const maxDecodedBuckets = 1000;

/** Decoded rows by name. A row is decoded again when its bytes differ, so this holds for every reader of the index. */
const decodedBuckets = new WeakMap<IndexReader, Map<string, { readonly bytes: Buffer; readonly row: BucketRow }>>();

export function findBucket(index: IndexReader, name: string): BucketRow | undefined {
  const bytes = index.get(bucketKey(name));
  if (bytes === undefined) return undefined;
  return decodeCached(index, name, bytes);
}

/** @throws StoreError `NoSuchBucket`. */
export function requireBucket(index: IndexReader, name: string): BucketRow {
  const row = findBucket(index, name);
  if (row === undefined) throw new StoreError('NoSuchBucket', { details: { bucket: name } });
  return row;
}

export function listBuckets(index: IndexReader, page: ListBucketsPage): BucketList {
  const { prefix = '', after, owner, limit } = page;
  const buckets: Bucket[] = [];
  let more = false;
  if (limit < 1) return { buckets };
  const whole = bucketKey(prefix);
  const start = after === undefined ? whole : afterKey(bucketKey(after));
  const from = start.compare(whole) > 0 ? start : whole;
  index.scan({ from, to: afterPrefix(whole) }, (key, value) => {
    const row = decodeBucketRow(key.toString('utf8', 1), value);
    if (owner !== undefined && row.bucket.owner !== owner) return true;
    more = buckets.length === limit;
    if (!more) buckets.push(row.bucket);
    return !more;
  });
  const last = buckets.at(-1);
  return more && last !== undefined ? { buckets, next: last.name } : { buckets };
}

export function createBucket(bucket: NewBucket): Operation<Bucket> {
  return {
    frees: false,
    judge(view, { sequence, nowMs }) {
      const key = bucketKey(bucket.name);
      if (view.get(key) !== undefined) throw new StoreError('BucketExists', { details: { bucket: bucket.name } });
      const { name, owner, region } = bucket;
      const created: Bucket = { name, owner, region, createdAtMs: nowMs, configuration: {} };
      return {
        fact: { type: 'bucketPut', key, row: encodeBucketRow({ id: sequence, bucket: created }) },
        result: created,
      };
    },
  };
}

export function deleteBucket(name: string): Operation<void> {
  return {
    frees: true,
    judge(view) {
      const row = requireBucket(view, name);
      const objects = prefixedKey(row.id, '');
      view.scan({ from: objects, to: afterPrefix(objects) }, () => {
        throw new StoreError('BucketNotEmpty', { details: { bucket: name } });
      });
      const key = bucketKey(name);
      return { fact: { type: 'bucketDeleted', key, row: encodeBucketRow(row) }, result: undefined };
    },
  };
}

export function putBucketConfiguration(name: string, kind: string, document: JsonValue | undefined): Operation<void> {
  return {
    frees: false,
    judge(view) {
      const { id, bucket } = requireBucket(view, name);
      const { [kind]: _replaced, ...others } = bucket.configuration;
      const configuration = document === undefined ? others : { ...others, [kind]: document };
      const row = encodeBucketRow({ id, bucket: { ...bucket, configuration } });
      return { fact: { type: 'bucketPut', key: bucketKey(name), row }, result: undefined };
    },
  };
}

function decodeCached(index: IndexReader, name: string, bytes: Buffer): BucketRow {
  let cache = decodedBuckets.get(index);
  if (cache === undefined) {
    cache = new Map();
    decodedBuckets.set(index, cache);
  }
  const cached = cache.get(name);
  if (cached?.bytes.equals(bytes)) return cached.row;
  const row = decodeBucketRow(name, bytes);
  cache.delete(name);
  cache.set(name, { bytes, row });
  if (cache.size > maxDecodedBuckets) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  }
  return row;
}
