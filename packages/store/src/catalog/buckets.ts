// Buckets in the catalog: finding, listing, and the operations that change them.

import { durabilityDocument, durabilityKind, readDurability } from '../durability.ts';
import type { Bucket, BucketList, JsonValue, ListBucketsPage, NewBucket } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import { type BucketRow, decodeBucketRow, encodeBucketRow } from './bucket-row.ts';
import { afterKey, afterPrefix, bucketKey, prefixedKey, requireBucketName } from './index-keys.ts';
import type { Operation } from './operation.ts';

/** What was made of a row, for as long as the index hands out the same bytes. */
const decodedBuckets = new WeakMap<Buffer, BucketRow>();

export function findBucket(index: IndexReader, name: string): BucketRow | undefined {
  const bytes = index.get(bucketKey(name));
  if (bytes === undefined) return undefined;
  return decodeCached(name, bytes);
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
    bucket: bucket.name,
    judge(view, { sequence, nowMs }) {
      requireBucketName(bucket.name);
      const key = bucketKey(bucket.name);
      if (view.get(key) !== undefined) throw new StoreError('BucketExists', { details: { bucket: bucket.name } });
      const { name, owner, region, durability } = bucket;
      const configuration = durability === undefined ? {} : { [durabilityKind]: durabilityDocument(durability) };
      const created: Bucket = { name, owner, region, createdAtMs: nowMs, configuration };
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
    bucket: name,
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

interface BucketConfiguration {
  readonly bucket: string;
  readonly kind: string;
  /** Absent: the document of this kind goes. */
  readonly document: JsonValue | undefined;
}

export function putBucketConfiguration(change: BucketConfiguration): Operation<void> {
  const { bucket: name, kind, document } = change;
  return {
    frees: false,
    bucket: name,
    judge(view) {
      const { id, bucket } = requireBucket(view, name);
      if (kind === durabilityKind && document !== undefined) readDurability(document);
      const { [kind]: _replaced, ...others } = bucket.configuration;
      const configuration = document === undefined ? others : { ...others, [kind]: document };
      const row = encodeBucketRow({ id, bucket: { ...bucket, configuration } });
      return { fact: { type: 'bucketPut', key: bucketKey(name), row }, result: undefined };
    },
  };
}

function decodeCached(name: string, bytes: Buffer): BucketRow {
  let row = decodedBuckets.get(bytes);
  if (row === undefined) {
    row = decodeBucketRow(name, bytes);
    decodedBuckets.set(bytes, row);
  }
  return row;
}
