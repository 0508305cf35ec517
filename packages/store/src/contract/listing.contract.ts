// Contract suite: listings, held against a naive model.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { ListObjectsPage, ObjectStore } from '../object-store.ts';
import { createBucket, type OpenStoreUnderTest, put, type StoreUnderTest, storeError } from './store-under-test.ts';

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
