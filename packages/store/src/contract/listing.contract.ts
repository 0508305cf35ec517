// Contract suite: listings, held against a naive model.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { ListObjectsPage, ListUploadsPage, ObjectStore } from '../object-store.ts';
import {
  createBucket,
  type OpenStoreUnderTest,
  plainAttributes,
  put,
  type StoreUnderTest,
  storeError,
} from './store-under-test.ts';

/** Longer than a key; around what an index on disk takes (1978, less what stands before a key); far beyond. */
const longSizes = [1025, 1970, 1971, 1972, 1977, 1978, 2100, 5000, 20_000];

export function testListing(name: string, open: OpenStoreUnderTest): void {
  describe(`${name}: listing`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    before(async () => {
      subject = await open(Date.now);
      store = subject.store;
      await createBucket(store);
    });
    after(() => subject.close());

    it('groups by delimiter and goes on behind a group', async () => {
      for (const key of ['a/1', 'a/2', 'a/b/3', 'b', 'c/1', 'd']) await put(store, key, 'x');
      const page = { bucket: 'bucket', prefix: '', delimiter: '/', after: '', limit: 2 };
      const first = store.listObjects(page);
      assert.deepEqual([first.commonPrefixes, first.objects.map(({ key }) => key), first.next], [['a/'], ['b'], 'b']);
      const second = store.listObjects({ ...page, after: 'b' });
      assert.deepEqual(
        [second.commonPrefixes, second.objects.map(({ key }) => key), second.next],
        [['c/'], ['d'], undefined],
      );
      assert.deepEqual(store.listObjects({ ...page, after: 'a/1' }).commonPrefixes, ['c/']);
      assert.deepEqual(store.listObjects({ ...page, prefix: 'a/', limit: 3 }).commonPrefixes, ['a/b/']);
      assert.deepEqual(store.listObjects({ ...page, limit: 0 }), { objects: [], commonPrefixes: [] });
      assert.throws(() => store.listObjects({ ...page, bucket: 'none' }), storeError('NoSuchBucket'));
    });

    it('shows what a listing needs of each object', async () => {
      const written = await put(store, 'shown', 'bytes');
      const { systemMetadata: _system, userMetadata: _user, ...summary } = written;
      const { objects } = store.listObjects({ bucket: 'bucket', prefix: 'shown', delimiter: '', after: '', limit: 1 });
      assert.deepEqual(objects, [summary]);
    });

    it('takes prefixes, markers and names of any length', async () => {
      await createBucket(store, 'long');
      const keys = ['a', 'a'.repeat(1024), `${'a'.repeat(1023)}b`, 'b'];
      for (const key of keys) await put(store, key, 'x', { bucket: 'long' });
      const upload = { bucket: 'long', key: 'a'.repeat(1024), attributes: plainAttributes, initiator: 'owner-1' };
      const { uploadId } = await store.createUpload(upload);
      const page = { bucket: 'long', prefix: '', delimiter: '', after: '', limit: 10 };
      const uploads = { bucket: 'long', prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 10 };
      const names = (query: Partial<ListObjectsPage>): string[] =>
        store.listObjects({ ...page, ...query }).objects.map(({ key }) => key);
      const uploadNames = (query: Partial<ListUploadsPage>): string[] =>
        store.listUploads({ ...uploads, ...query }).uploads.map(({ key }) => key);
      for (const sizeBytes of longSizes) {
        const long = 'a'.repeat(sizeBytes);
        assert.deepEqual(names({ prefix: long }), [], `prefix of ${sizeBytes}`);
        assert.deepEqual(names({ delimiter: long }), keys, `delimiter of ${sizeBytes}`);
        assert.deepEqual(names({ after: long }), keys.slice(2), `marker of ${sizeBytes}`);
        assert.deepEqual(names({ after: long, prefix: 'b' }), ['b']);
        assert.deepEqual(names({ after: `b${long}` }), []);
        assert.deepEqual(uploadNames({ prefix: long }), []);
        for (const afterUploadId of ['', uploadId, 'f'.repeat(32), 'no id']) {
          assert.deepEqual(uploadNames({ afterKey: long, afterUploadId }), [], `upload marker of ${sizeBytes}`);
          assert.deepEqual(uploadNames({ afterKey: `A${long}`, afterUploadId }), [upload.key]);
        }
        assert.deepEqual(store.listBuckets({ prefix: long, limit: 10 }).buckets, []);
        assert.ok(store.listBuckets({ after: long, limit: 10 }).buckets.some(({ name }) => name === 'long'));
        assert.equal(store.getBucket(long), undefined);
        assert.equal(store.headObject({ bucket: long, key: 'a' }), undefined);
        assert.throws(() => store.listObjects({ ...page, bucket: long }), storeError('NoSuchBucket'));
        await assert.rejects(createBucket(store, long), RangeError);
        await assert.rejects(put(store, long, 'x', { bucket: 'long' }), RangeError);
      }
      // Nothing of it has done any harm.
      assert.deepEqual(names({}), keys);
      await put(store, 'b', 'again', { bucket: 'long' });
    });

    it('agrees with a model on every page', async () => {
      const keyPart = fc.constantFrom('a', 'b', '/', '//', 'é', '\0', 'ÿ', '𐀀', '\uFFFD', 'ab');
      const key = fc.array(keyPart, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
      let count = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.record({
            prefix: fc.oneof(fc.constant(''), keyPart, key),
            delimiter: fc.constantFrom('', '/', 'b', '//', 'é'),
            after: fc.oneof(fc.constant(''), key),
            limit: fc.integer({ min: 1, max: 4 }),
          }),
          async (keys, query) => {
            count += 1;
            const bucket = `model-${count}`;
            await createBucket(store, bucket);
            await Promise.all(keys.map((each) => put(store, each, '', { bucket })));
            assert.deepEqual(walk(store, { ...query, bucket }), model(keys, query));
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}

type Entry = readonly ['key' | 'prefix', string];

/** All entries from `after` on, page by page. */
function walk(store: ObjectStore, query: ListObjectsPage): Entry[] {
  const entries: Entry[] = [];
  let after: string | undefined = query.after;
  while (after !== undefined) {
    const page: ReturnType<ObjectStore['listObjects']> = store.listObjects({ ...query, after });
    const found: Entry[] = [
      ...page.objects.map(({ key }): Entry => ['key', key]),
      ...page.commonPrefixes.map((prefix): Entry => ['prefix', prefix]),
    ];
    assert.ok(found.length <= query.limit);
    if (page.next !== undefined) assert.equal(found.length, query.limit);
    entries.push(...found.sort(byBytes));
    after = page.next;
  }
  return entries;
}

function model(keys: readonly string[], query: Pick<ListObjectsPage, 'prefix' | 'delimiter' | 'after'>): Entry[] {
  const entries = new Map<string, Entry>();
  for (const key of keys) {
    if (!key.startsWith(query.prefix)) continue;
    const at = query.delimiter === '' ? -1 : key.indexOf(query.delimiter, query.prefix.length);
    const entry: Entry = at < 0 ? ['key', key] : ['prefix', key.slice(0, at + query.delimiter.length)];
    const behind = query.after === '' || Buffer.compare(Buffer.from(entry[1]), Buffer.from(query.after)) > 0;
    // A common prefix that the marker lies in is not listed again.
    const passed = entry[0] === 'prefix' && query.after.startsWith(entry[1]);
    if (behind && !passed) entries.set(entry.join(' '), entry);
  }
  return [...entries.values()].sort(byBytes);
}

function byBytes(a: Entry, b: Entry): number {
  return Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])) || a[0].localeCompare(b[0]);
}
