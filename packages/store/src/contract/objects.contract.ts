// Contract suite: objects, their bytes, preconditions and races.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { ObjectStore } from '../object-store.ts';
import {
  createBucket,
  largeSizeBytes,
  listKeys,
  type OpenStoreUnderTest,
  patternBytes,
  plainAttributes,
  put,
  readAll,
  type StoreUnderTest,
  stage,
  storeError,
} from './store-under-test.ts';

export function testObjects(name: string, open: OpenStoreUnderTest): void {
  describe(`${name}: objects`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    let nowMs = 1_700_000_000_000;
    before(async () => {
      subject = await open(() => nowMs);
      store = subject.store;
      await createBucket(store);
    });
    after(() => subject.close());

    const sizes = [0, 1, 32 * 1024, 32 * 1024 + 1, 100_000, 1024 * 1024, 1024 * 1024 + 1, largeSizeBytes];
    for (const known of [true, false]) {
      it(`keeps bodies of every size, ${known ? 'known' : 'unknown'} in advance`, async () => {
        for (const sizeBytes of sizes) {
          const bytes = patternBytes(sizeBytes, sizeBytes);
          const written = await put(store, `size-${sizeBytes}`, bytes, { known });
          assert.equal(written.sizeBytes, sizeBytes);
          assert.equal(written.etag, createHash('md5').update(bytes).digest('hex'));
          assert.deepEqual(store.headObject({ bucket: 'bucket', key: `size-${sizeBytes}` }), written);
          assert.ok((await readAll(store, `size-${sizeBytes}`))?.equals(bytes), `${sizeBytes} bytes read back`);
        }
      });
    }

    it('reads ranges, small at once and large by chunks', async () => {
      for (const sizeBytes of [100_000, 1024 * 1024, largeSizeBytes]) {
        const bytes = patternBytes(sizeBytes, 7);
        await put(store, 'ranges', bytes);
        const object = store.openObject({ bucket: 'bucket', key: 'ranges' });
        assert.ok(object !== undefined);
        assert.equal(object.small, sizeBytes <= 1024 * 1024);
        const last = sizeBytes - 1;
        for (const [start, end] of [
          [0, 0],
          [last, last],
          [32_767, 32_768],
          [5, 70_000],
          [last - 40_000, last],
          [0, last],
        ] as const) {
          const expected = bytes.subarray(start, end + 1);
          if (expected.length <= 1024 * 1024) {
            assert.ok(
              Buffer.from(await object.bytes({ start, end })).equals(expected),
              `bytes ${start}-${end} of ${sizeBytes}`,
            );
          }
          const chunks: Uint8Array[] = [];
          for await (const chunk of object.chunks({ start, end })) chunks.push(chunk);
          assert.ok(Buffer.concat(chunks).equals(expected), `chunks ${start}-${end} of ${sizeBytes}`);
          const pieces: Buffer[] = [];
          const reader = object.pieces({ start, end });
          for (let next = reader.next(); next !== undefined; next = reader.next()) {
            const piece = await next;
            pieces.push(Buffer.from(piece.bytes));
            piece.giveBack();
          }
          assert.ok(Buffer.concat(pieces).equals(expected), `pieces ${start}-${end} of ${sizeBytes}`);
        }
        await assert.rejects(async () => object.bytes({ start: 0, end: sizeBytes }), RangeError);
        object.close();
      }
    });

    it('keeps attributes as given', async () => {
      const attributes = {
        systemMetadata: { 'content-type': 'text/plain', 'cache-control': 'no-cache' },
        userMetadata: { name: 'Ünïcodé ✓', empty: '', __proto__: 'p', constructor: 'c' },
        storageClass: 'SOMETHING_ELSE',
        owner: 'owner-2',
      };
      const written = await put(store, 'attributes', 'x', { attributes });
      const head = store.headObject({ bucket: 'bucket', key: 'attributes' });
      assert.deepEqual(head, written);
      assert.deepEqual(head?.systemMetadata, attributes.systemMetadata);
      assert.deepEqual({ ...head?.userMetadata }, attributes.userMetadata);
      assert.equal(head?.storageClass, 'SOMETHING_ELSE');
      assert.deepEqual(head?.checksum, { algorithm: 'CRC32', type: 'FULL_OBJECT', value: 'jNwWgw==' });
      const body = await stage(store, Buffer.from('y'));
      const odd = { bucket: 'bucket', key: 'odd', body, attributes, etag: 'an opaque "etag"' };
      assert.equal((await store.putObject(odd)).etag, 'an opaque "etag"');
      assert.equal(store.headObject({ bucket: 'bucket', key: 'odd' })?.etag, 'an opaque "etag"');
    });

    it('takes every key for what it is', async () => {
      await createBucket(store, 'keys');
      const keys = [
        'a',
        'a/b',
        'a/b/',
        '..',
        '.',
        '../a',
        '/',
        '//',
        '\0',
        'a\0',
        'a\0b',
        'ÿ',
        '\u{10FFFF}',
        '\uFFFD',
        '\uE000',
        '𐀀',
        'é',
        'e\u0301',
        'x'.repeat(1024),
        'é'.repeat(512),
        '\0'.repeat(1024),
        '\u202Eevil',
      ];
      for (const key of keys) await put(store, key, `of ${key}`, { bucket: 'keys' });
      for (const key of keys) assert.equal(String(await readAll(store, key, 'keys')), `of ${key}`);
      const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(listKeys(store, 3, 'keys'), byBytes);
      await assert.rejects(put(store, 'x'.repeat(1025), '', { bucket: 'keys' }), RangeError);
      await assert.rejects(put(store, '', '', { bucket: 'keys' }), RangeError);
      await assert.rejects(put(store, '\uD800', '', { bucket: 'keys' }), RangeError);
    });

    it('overwrites and deletes, each version newer than the last', async () => {
      nowMs += 5000;
      const first = await put(store, 'changing', 'first');
      nowMs += 5000;
      const second = await put(store, 'changing', patternBytes(largeSizeBytes));
      assert.ok(second.sequence > first.sequence);
      assert.equal(second.lastModifiedMs, first.lastModifiedMs + 5000);
      assert.deepEqual(await store.deleteObject({ bucket: 'bucket', key: 'changing' }), second);
      assert.equal(store.headObject({ bucket: 'bucket', key: 'changing' }), undefined);
      assert.equal(store.openObject({ bucket: 'bucket', key: 'changing' }), undefined);
      assert.equal(await store.deleteObject({ bucket: 'bucket', key: 'changing' }), undefined);
    });

    it('says which bucket is not there', async () => {
      await assert.rejects(put(store, 'k', 'x', { bucket: 'none' }), storeError('NoSuchBucket'));
      await assert.rejects(
        put(store, 'k', patternBytes(largeSizeBytes), { bucket: 'none' }),
        storeError('NoSuchBucket'),
      );
      await assert.rejects(store.deleteObject({ bucket: 'none', key: 'k' }), storeError('NoSuchBucket'));
      assert.equal(store.headObject({ bucket: 'none', key: 'k' }), undefined);
    });

    it('holds bodies to their limits', async () => {
      const writer = store.stageBody({ maxSizeBytes: 10, digests: [] });
      assert.throws(() => writer.write(Buffer.alloc(11)), storeError('BodyTooLarge'));
      await writer.discard();
      assert.throws(
        () => store.stageBody({ sizeBytes: 11, maxSizeBytes: 10, digests: [] }),
        storeError('BodyTooLarge'),
      );
      for (const sizeBytes of [5, largeSizeBytes]) {
        const short = store.stageBody({ sizeBytes: sizeBytes + 1, maxSizeBytes: 1024 ** 3, digests: [] });
        await short.write(Buffer.alloc(sizeBytes));
        await assert.rejects(short.finish(), storeError('BodySizeMismatch'));
        const long = store.stageBody({ sizeBytes, maxSizeBytes: 1024 ** 3, digests: [] });
        await long.write(Buffer.alloc(sizeBytes));
        assert.throws(() => long.write(Buffer.alloc(1)), storeError('BodySizeMismatch'));
        await long.discard();
      }
    });

    it('uses a staged body once, and discards what is not wanted', async () => {
      const body = await stage(store, Buffer.from('once'));
      const request = { bucket: 'bucket', key: 'once', body, etag: 'e', attributes: plainAttributes };
      await store.putObject(request);
      await assert.rejects(store.putObject(request), TypeError);
      await body.discard();
      assert.equal(String(await readAll(store, 'once')), 'once');
      for (const sizeBytes of [10, largeSizeBytes]) {
        const unwanted = await stage(store, Buffer.alloc(sizeBytes));
        await unwanted.discard();
        await assert.rejects(store.putObject({ ...request, body: unwanted }), TypeError);
        const writer = store.stageBody({ maxSizeBytes: largeSizeBytes, digests: ['MD5'] });
        await writer.write(Buffer.alloc(sizeBytes));
        await writer.discard();
        await writer.discard();
      }
    });

    it('computes every digest asked for', async () => {
      for (const sizeBytes of [4096, largeSizeBytes]) {
        const bytes = patternBytes(sizeBytes, 3);
        const writer = store.stageBody({
          maxSizeBytes: largeSizeBytes,
          digests: ['MD5', 'SHA256', 'SHA1', 'CRC64NVME'],
        });
        for (let at = 0; at < sizeBytes; at += 65_536) await writer.write(bytes.subarray(at, at + 65_536));
        const body = await writer.finish();
        for (const [algorithm, hash] of [
          ['MD5', 'md5'],
          ['SHA256', 'sha256'],
          ['SHA1', 'sha1'],
        ] as const) {
          assert.deepEqual(Buffer.from(body.digests.get(algorithm) ?? []), createHash(hash).update(bytes).digest());
        }
        assert.equal(body.digests.get('CRC64NVME')?.length, 8);
        await body.discard();
      }
    });

    it('judges preconditions of puts', async () => {
      const etag = (await put(store, 'guarded', 'x')).etag;
      const attempt = (precondition: object): Promise<unknown> => put(store, 'guarded', 'x', { precondition });
      await assert.rejects(attempt({ ifNoneMatch: '*' }), storeError('PreconditionFailed'));
      await assert.rejects(attempt({ ifNoneMatch: etag }), storeError('PreconditionFailed'));
      await attempt({ ifNoneMatch: 'another' });
      await assert.rejects(attempt({ ifMatch: 'another' }), storeError('PreconditionFailed'));
      await attempt({ ifMatch: etag });
      await attempt({ ifMatch: '*' });
      const nothing = put(store, 'nothing', 'x', { precondition: { ifMatch: etag } });
      await assert.rejects(nothing, storeError('NoSuchKey'));
      await put(store, 'new', patternBytes(largeSizeBytes), { precondition: { ifNoneMatch: '*' } });
      const late = put(store, 'new', patternBytes(largeSizeBytes), { precondition: { ifNoneMatch: '*' } });
      await assert.rejects(late, storeError('PreconditionFailed'));
    });

    it('judges preconditions of deletes', async () => {
      const { etag, lastModifiedMs, sizeBytes } = await put(store, 'guarded', 'delete me');
      const attempt = (precondition: object, key = 'guarded'): Promise<unknown> =>
        store.deleteObject({ bucket: 'bucket', key, precondition });
      await assert.rejects(attempt({ ifMatch: 'another' }), storeError('PreconditionFailed'));
      await assert.rejects(attempt({ ifMatchSizeBytes: sizeBytes + 1 }), storeError('PreconditionFailed'));
      await assert.rejects(attempt({ ifMatchLastModifiedMs: lastModifiedMs + 1000 }), storeError('PreconditionFailed'));
      await assert.rejects(attempt({ ifMatch: etag }, 'nothing'), storeError('NoSuchKey'));
      const wholeSecond = Math.floor(lastModifiedMs / 1000) * 1000;
      await attempt({ ifMatch: etag, ifMatchSizeBytes: sizeBytes, ifMatchLastModifiedMs: wholeSecond });
      assert.equal(store.headObject({ bucket: 'bucket', key: 'guarded' }), undefined);
    });

    it('lets one of many racing writers win', async () => {
      for (const sizeBytes of [10, 1024 * 1024 + 1]) {
        const key = `race-${sizeBytes}`;
        const attempts = Array.from({ length: 12 }, (_, index) =>
          put(store, key, patternBytes(sizeBytes, index), { precondition: { ifNoneMatch: '*' } }),
        );
        const outcomes = await Promise.allSettled(attempts);
        const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
        assert.equal(won.length, 1);
        assert.deepEqual(store.headObject({ bucket: 'bucket', key }), won[0]?.value);
        const etag = won[0]?.value.etag ?? '';
        const swaps = await Promise.allSettled(
          Array.from({ length: 12 }, (_, index) =>
            put(store, key, `swap ${index}`, { precondition: { ifMatch: etag } }),
          ),
        );
        assert.equal(swaps.filter(({ status }) => status === 'fulfilled').length, 1);
        const current = store.headObject({ bucket: 'bucket', key })?.etag ?? '';
        const deletes = await Promise.allSettled(
          Array.from({ length: 12 }, () =>
            store.deleteObject({ bucket: 'bucket', key, precondition: { ifMatch: current } }),
          ),
        );
        assert.equal(deletes.filter(({ status }) => status === 'fulfilled').length, 1);
      }
    });

    it('keeps the bytes of open objects through overwrite and delete', async () => {
      for (const sizeBytes of [100, largeSizeBytes]) {
        const bytes = patternBytes(sizeBytes, 9);
        const written = await put(store, 'pinned', bytes);
        const object = store.openObject({ bucket: 'bucket', key: 'pinned' });
        assert.ok(object !== undefined);
        const chunks = object.chunks()[Symbol.asyncIterator]();
        const first = await chunks.next();
        await put(store, 'pinned', 'other');
        await store.deleteObject({ bucket: 'bucket', key: 'pinned' });
        await put(store, 'elsewhere', patternBytes(largeSizeBytes, 10));
        const read: Uint8Array[] = [first.value ?? new Uint8Array()];
        for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) read.push(next.value);
        assert.ok(Buffer.concat(read).equals(bytes));
        assert.deepEqual(object.version, written);
        object.close();
        assert.throws(() => object.close(), TypeError);
      }
    });

    it('copies small and large objects, sharing or repeating their bytes', async () => {
      for (const sizeBytes of [0, 50, largeSizeBytes]) {
        const bytes = patternBytes(sizeBytes, 11);
        const source = await put(store, 'source', bytes);
        const attributes = { ...plainAttributes, userMetadata: { copied: 'yes' } };
        const target = { bucket: 'bucket', key: 'copies/one', attributes };
        const copied = await store.copyObject({ ...target, source });
        assert.equal(copied.etag, source.etag);
        assert.deepEqual(copied.checksum, source.checksum);
        assert.deepEqual(copied.userMetadata, { copied: 'yes' });
        await store.copyObject({ ...target, key: 'copies/two', source: copied, etag: 'new-etag' });
        await store.deleteObject({ bucket: 'bucket', key: 'source' });
        await store.deleteObject({ bucket: 'bucket', key: 'copies/one' });
        assert.ok((await readAll(store, 'copies/two'))?.equals(bytes));
        assert.equal(store.headObject({ bucket: 'bucket', key: 'copies/two' })?.etag, 'new-etag');
      }
    });

    it('copies an object onto itself with other attributes', async () => {
      for (const sizeBytes of [50, largeSizeBytes]) {
        const bytes = patternBytes(sizeBytes, 12);
        let source = await put(store, 'self', bytes);
        for (const round of ['1', '2']) {
          const attributes = { ...plainAttributes, userMetadata: { round } };
          source = await store.copyObject({ bucket: 'bucket', key: 'self', attributes, source });
        }
        assert.deepEqual(store.headObject({ bucket: 'bucket', key: 'self' })?.userMetadata, { round: '2' });
        assert.ok((await readAll(store, 'self'))?.equals(bytes));
      }
    });

    it('refuses to copy what is not there any more', async () => {
      const source = await put(store, 'moving', 'one');
      const target = { bucket: 'bucket', key: 'target', attributes: plainAttributes };
      await put(store, 'moving', 'two');
      await assert.rejects(store.copyObject({ ...target, source }), storeError('SourceChanged'));
      await store.deleteObject({ bucket: 'bucket', key: 'moving' });
      await assert.rejects(store.copyObject({ ...target, source }), storeError('NoSuchKey'));
      const other = await put(store, 'moving', 'three');
      const guarded = { ...target, key: 'moving', source: other, precondition: { ifNoneMatch: '*' } };
      await assert.rejects(store.copyObject(guarded), storeError('PreconditionFailed'));
      await assert.rejects(store.copyObject({ ...target, bucket: 'none', source: other }), storeError('NoSuchBucket'));
    });
  });
}
