// One page of a bucket's keys, grouped by a delimiter. A group costs one seek, however many keys it holds: the scan goes
// on behind it. Spec: ListObjectsV2, "prefix" and "delimiter".

import type { ListObjectsPage, ObjectList, ObjectSummary } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { requireBucket } from './buckets.ts';
import { afterKey, afterPrefix, keyBytesOf, keyTextOf, prefixedKey } from './index-keys.ts';
import { decodeSummary } from './version-row.ts';

/** @throws StoreError `NoSuchBucket`. */
export function listObjects(index: IndexReader, page: ListObjectsPage): ObjectList {
  const { id } = requireBucket(index, page.bucket);
  const objects: ObjectSummary[] = [];
  const commonPrefixes: string[] = [];
  if (page.limit < 1) return { objects, commonPrefixes };
  const whole = prefixedKey(id, page.prefix);
  const to = afterPrefix(whole);
  const groups = new KeyGroups(page);
  let from: Buffer | undefined = groups.startAfter(prefixedKey(id, ''), whole, page.after);
  let last = '';
  let more = false;
  while (from !== undefined && !more && from.compare(to) < 0) {
    const start: Buffer = from;
    from = undefined;
    index.scan({ from: start, to }, (key, value) => {
      more = objects.length + commonPrefixes.length === page.limit;
      if (more) return false;
      const group = groups.any ? groups.groupOf(keyBytesOf(key)) : undefined;
      if (group === undefined) {
        last = keyTextOf(key);
        objects.push(decodeSummary(value, page.bucket, last));
        return true;
      }
      last = group.toString();
      commonPrefixes.push(last);
      from = afterPrefix(prefixedKey(id, last));
      return false;
    });
  }
  return more ? { objects, commonPrefixes, next: last } : { objects, commonPrefixes };
}

/** How keys under a prefix are grouped by a delimiter. */
export class KeyGroups {
  readonly #prefixSizeBytes: number;
  readonly #delimiter: Buffer;

  constructor({ prefix, delimiter }: { readonly prefix: string; readonly delimiter: string }) {
    this.#prefixSizeBytes = Buffer.byteLength(prefix);
    this.#delimiter = Buffer.from(delimiter);
  }

  /** Whether there are groups at all. */
  get any(): boolean {
    return this.#delimiter.length > 0;
  }

  /** The common prefix that a key belongs to, or `undefined` when it stands for itself. */
  groupOf(key: Buffer): Buffer | undefined {
    if (this.#delimiter.length === 0) return undefined;
    const at = key.indexOf(this.#delimiter, this.#prefixSizeBytes);
    return at < 0 ? undefined : key.subarray(0, at + this.#delimiter.length);
  }

  /**
   * Where a listing of the keys after `after` begins. `space` is the index key of the bucket's first key, `whole` that of
   * the listing's prefix. A group that `after` lies in, or is, is skipped whole.
   */
  startAfter(space: Buffer, whole: Buffer, after: string): Buffer {
    if (after === '') return whole;
    const marker = Buffer.from(after);
    const own = Buffer.concat([space, marker]);
    if (own.compare(whole) < 0) return whole;
    const inside = own.subarray(0, whole.length).equals(whole);
    const group = inside ? this.groupOf(marker) : undefined;
    return group === undefined ? afterKey(own) : afterPrefix(Buffer.concat([space, group]));
  }
}
