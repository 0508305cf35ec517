// Contract suite: buckets and the life of a store.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ObjectStore } from '../object-store.ts';
import {
  createBucket,
  listKeys,
  type OpenStoreUnderTest,
  plainAttributes,
  put,
  putPart,
  type StoreUnderTest,
  storeError,
} from './store-under-test.ts';

export function testBuckets(name: string, open: OpenStoreUnderTest): void {
  describe(`${name}: buckets`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    before(async () => {
      subject = await open(() => 1_700_000_000_123);
      store = subject.store;
    });
    after(() => subject.close());

    it('creates, finds and removes', async () => {
      const created = await store.createBucket({ name: 'first', owner: 'owner-1', region: 'eu-central-1' });
      assert.deepEqual(created, {
        name: 'first',
        owner: 'owner-1',
        region: 'eu-central-1',
        createdAtMs: 1_700_000_000_123,
        configuration: {},
      });
      assert.deepEqual(store.getBucket('first'), created);
      await assert.rejects(store.createBucket({ name: 'first', owner: 'x', region: 'y' }), storeError('BucketExists'));
      await store.deleteBucket('first');
      assert.equal(store.getBucket('first'), undefined);
      await assert.rejects(store.deleteBucket('first'), storeError('NoSuchBucket'));
    });

    it('lists by name, prefix, owner and page', async () => {
      for (const [bucket, owner] of [
        ['zeta', 'a'],
        ['alpha', 'a'],
        ['alpine', 'b'],
        ['beta', 'a'],
      ] as const) {
        await store.createBucket({ name: bucket, owner, region: 'eu-central-1' });
      }
      const names = (page: Parameters<ObjectStore['listBuckets']>[0]): string[] =>
        store.listBuckets(page).buckets.map((bucket) => bucket.name);
      assert.deepEqual(names({ limit: 10 }), ['alpha', 'alpine', 'beta', 'zeta']);
      assert.deepEqual(names({ limit: 10, prefix: 'al' }), ['alpha', 'alpine']);
      assert.deepEqual(names({ limit: 10, owner: 'a', after: 'alpha' }), ['beta', 'zeta']);
      assert.deepEqual(store.listBuckets({ limit: 2 }).next, 'alpine');
      assert.equal(store.listBuckets({ limit: 4 }).next, undefined);
      assert.deepEqual(store.listBuckets({ limit: 0 }), { buckets: [] });
    });

    it('keeps configuration documents by kind', async () => {
      await createBucket(store, 'configured');
      await store.putBucketConfiguration('configured', 'cors', { rules: [{ origins: ['*'], maxAge: 3 }] });
      await store.putBucketConfiguration('configured', 'website', 'index.html');
      await store.putBucketConfiguration('configured', 'website', undefined);
      assert.deepEqual(store.getBucket('configured')?.configuration, {
        cors: { rules: [{ origins: ['*'], maxAge: 3 }] },
      });
      await assert.rejects(store.putBucketConfiguration('none', 'cors', null), storeError('NoSuchBucket'));
    });

    it('removes only empty buckets, and unfinished uploads with them', async () => {
      await createBucket(store, 'full');
      await put(store, 'key', 'x', { bucket: 'full' });
      await assert.rejects(store.deleteBucket('full'), storeError('BucketNotEmpty'));
      await store.deleteObject({ bucket: 'full', key: 'key' });
      const upload = await store.createUpload({
        bucket: 'full',
        key: 'k',
        attributes: plainAttributes,
        initiator: 'i',
      });
      await store.deleteBucket('full');
      await createBucket(store, 'full');
      assert.equal(store.getUpload(upload), undefined);
      assert.deepEqual(listKeys(store, 10, 'full'), []);
    });

    it('removes a bucket with many unfinished uploads in slices, and keeps them all when it is not empty', async () => {
      await createBucket(store, 'many');
      const uploads = await Promise.all(
        Array.from({ length: 600 }, (_, index) =>
          store.createUpload({ bucket: 'many', key: `k${index}`, attributes: plainAttributes, initiator: 'i' }),
        ),
      );
      const [first] = uploads;
      assert.ok(first !== undefined);
      const content = Buffer.from('x');
      await Promise.all(Array.from({ length: 260 }, (_, index) => putPart(store, first, index + 1, content)));
      await put(store, 'key', 'x', { bucket: 'many' });
      await assert.rejects(store.deleteBucket('many'), storeError('BucketNotEmpty'));
      for (const upload of uploads) assert.notEqual(store.getUpload(upload), undefined);
      await store.deleteObject({ bucket: 'many', key: 'key' });
      await Promise.all([store.abortUpload(first), store.deleteBucket('many')]);
      assert.equal(store.getBucket('many'), undefined);
      await createBucket(store, 'many');
      for (const upload of uploads) assert.equal(store.getUpload(upload), undefined);
      await store.deleteBucket('many');
    });

    it('says ok', () => {
      assert.equal(store.health().status, 'ok');
    });
  });

  describe(`${name}: closing`, () => {
    it('refuses everything afterwards, and closes twice without harm', async () => {
      const { store, close } = await open(Date.now);
      await createBucket(store);
      const writer = store.stageBody({ maxSizeBytes: 10, digests: [] });
      await writer.write(Buffer.from('late'));
      const body = await writer.finish();
      await store.close();
      await store.close();
      await assert.rejects(createBucket(store, 'other'), storeError('Closed'));
      await assert.rejects(
        store.putObject({ bucket: 'bucket', key: 'k', body, etag: 'e', attributes: plainAttributes }),
        storeError('Closed'),
      );
      assert.throws(() => store.getBucket('bucket'), storeError('Closed'));
      assert.throws(() => store.stageBody({ maxSizeBytes: 1, digests: [] }), storeError('Closed'));
      await close();
    });

    it('finishes what was begun', async () => {
      const { store, close } = await open(Date.now);
      await createBucket(store);
      const puts = Promise.all(Array.from({ length: 20 }, (_, index) => put(store, `key-${index}`, 'content')));
      await puts;
      const deleted = store.deleteObject({ bucket: 'bucket', key: 'key-0' });
      await store.close();
      assert.equal((await deleted)?.key, 'key-0');
      await close();
    });
  });
}
