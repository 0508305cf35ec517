// Contract suite: multipart uploads.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import type { CompleteUpload, CreateUpload, MultipartUpload, ObjectStore, Part } from '../object-store.ts';
import {
  createBucket,
  named,
  type OpenStoreUnderTest,
  patternBytes,
  plainAttributes,
  put,
  putPart,
  readAll,
  type StoreUnderTest,
  stage,
  storeError,
} from './store-under-test.ts';

export function testUploads(name: string, open: OpenStoreUnderTest): void {
  describe(`${name}: multipart uploads`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    before(async () => {
      subject = await open(() => 1_700_000_000_000);
      store = subject.store;
      await createBucket(store);
    });
    after(() => subject.close());

    const begin = (key: string, more: Partial<CreateUpload> = {}): Promise<MultipartUpload> =>
      store.createUpload({ bucket: 'bucket', key, attributes: plainAttributes, initiator: 'someone', ...more });
    const completion = (
      upload: MultipartUpload,
      parts: readonly Part[],
      more: Partial<CompleteUpload> = {},
    ): CompleteUpload => ({
      bucket: upload.bucket,
      key: upload.key,
      uploadId: upload.uploadId,
      parts: named(parts),
      minPartSizeBytes: 10,
      maxSizeBytes: 1024 ** 3,
      ...more,
    });

    it('goes from parts to an object', async () => {
      const attributes = { ...plainAttributes, userMetadata: { kind: 'joined' } };
      const upload = await begin('joined', { attributes, checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT' } });
      assert.deepEqual(store.getUpload(upload), upload);
      assert.equal(upload.initiatedAtMs, 1_700_000_000_000);
      const contents = [patternBytes(300_000, 1), patternBytes(1_500_000, 2), patternBytes(5, 3)];
      const parts: Part[] = [];
      for (const [index, content] of contents.entries()) parts.push(await putPart(store, upload, index + 1, content));
      assert.equal(store.headObject(upload), undefined);
      const version = await store.completeUpload(completion(upload, parts));
      const whole = Buffer.concat(contents);
      const partHashes = contents.map((content) => createHash('md5').update(content).digest());
      assert.equal(version.etag, `${createHash('md5').update(Buffer.concat(partHashes)).digest('hex')}-3`);
      assert.equal(version.sizeBytes, whole.length);
      assert.deepEqual(version.userMetadata, { kind: 'joined' });
      assert.deepEqual(version.checksum, { algorithm: 'CRC32', type: 'FULL_OBJECT', value: crc32Base64(whole) });
      assert.deepEqual(
        version.parts,
        contents.map((content, index) => ({
          partNumber: index + 1,
          sizeBytes: content.length,
          checksum: crc32Base64(content),
        })),
      );
      assert.deepEqual(store.headObject(upload), version);
      assert.ok((await readAll(store, 'joined'))?.equals(whole));
      const object = store.openObject(upload);
      for (const [start, end] of [
        [299_999, 300_000],
        [0, 0],
        [1_799_990, whole.length - 1],
        [290_000, 900_000],
      ] as const) {
        const read = Buffer.from((await object?.bytes({ start, end })) ?? []);
        assert.ok(read.equals(whole.subarray(start, end + 1)), `${start}-${end}`);
      }
      object?.close();
      assert.equal(store.getUpload(upload), undefined);
      assert.throws(() => store.listParts({ ...upload, after: 0, limit: 1 }), storeError('NoSuchUpload'));
    });

    it('forms composite checksums', async () => {
      const upload = await begin('composite', { checksum: { algorithm: 'CRC32', type: 'COMPOSITE' } });
      const contents = [patternBytes(20, 1), patternBytes(20, 2)];
      const parts = await Promise.all(contents.map((content, index) => putPart(store, upload, index + 1, content)));
      const joined = Buffer.concat(contents.map((content) => Buffer.from(crc32Base64(content), 'base64')));
      const expected = crc32Base64(joined);
      const wrong = completion(upload, parts, { checksum: 'AAAAAA==' });
      await assert.rejects(store.completeUpload(wrong), storeError('ChecksumMismatch'));
      const version = await store.completeUpload(completion(upload, parts, { checksum: expected }));
      assert.deepEqual(version.checksum, { algorithm: 'CRC32', type: 'COMPOSITE', value: `${expected}-2` });
    });

    it('answers a repeated completion with the same version while it is current', async () => {
      const upload = await begin('repeated');
      const parts = [await putPart(store, upload, 1, patternBytes(50))];
      const version = await store.completeUpload(completion(upload, parts));
      assert.deepEqual(await store.completeUpload(completion(upload, parts)), version);
      const others = completion(upload, parts, { parts: [{ partNumber: 2, etag: 'other' }] });
      await assert.rejects(store.completeUpload(others), storeError('NoSuchUpload'));
      const copied = await store.copyObject({
        bucket: 'bucket',
        key: 'copied',
        attributes: plainAttributes,
        source: version,
      });
      assert.deepEqual(copied.parts, version.parts);
      await put(store, 'repeated', 'replaced');
      await assert.rejects(store.completeUpload(completion(upload, parts)), storeError('NoSuchUpload'));
      assert.ok((await readAll(store, 'copied'))?.equals(patternBytes(50)));
    });

    it('replaces parts, drops those not named, and lists them', async () => {
      const upload = await begin('replaced');
      await putPart(store, upload, 1, patternBytes(20, 1));
      const second = await putPart(store, upload, 1, patternBytes(30, 2));
      await putPart(store, upload, 10_000, patternBytes(30, 3));
      const third = await putPart(store, upload, 3, patternBytes(30, 4));
      await assert.rejects(putPart(store, upload, 10_001, patternBytes(1)), RangeError);
      const page = store.listParts({ ...upload, after: 0, limit: 2 });
      assert.deepEqual(page, { parts: [second, third], next: 3 });
      const rest = store.listParts({ ...upload, after: 3, limit: 2 });
      assert.deepEqual([rest.parts.map(({ partNumber }) => partNumber), rest.next], [[10_000], undefined]);
      const version = await store.completeUpload(completion(upload, [second, third]));
      assert.equal(version.sizeBytes, 60);
      assert.equal(version.checksum, undefined);
      assert.ok((await readAll(store, 'replaced'))?.equals(Buffer.concat([patternBytes(30, 2), patternBytes(30, 4)])));
    });

    it('refuses completions that do not fit', async () => {
      const upload = await begin('refused');
      const parts = [
        await putPart(store, upload, 1, patternBytes(9)),
        await putPart(store, upload, 2, patternBytes(20)),
      ];
      const [first, second] = named(parts);
      assert.ok(first !== undefined && second !== undefined);
      const attempt = (more: Partial<CompleteUpload>): Promise<unknown> =>
        store.completeUpload(completion(upload, parts, { minPartSizeBytes: 1, ...more }));
      await assert.rejects(attempt({ minPartSizeBytes: 10 }), storeError('PartTooSmall'));
      await assert.rejects(attempt({ parts: [second, first] }), storeError('InvalidPartOrder'));
      await assert.rejects(attempt({ parts: [first, first] }), storeError('InvalidPartOrder'));
      await assert.rejects(attempt({ parts: [] }), storeError('InvalidPart'));
      await assert.rejects(attempt({ parts: [first, { partNumber: 3, etag: 'x' }] }), storeError('InvalidPart'));
      await assert.rejects(attempt({ parts: [{ ...first, etag: 'other' }] }), storeError('InvalidPart'));
      await assert.rejects(attempt({ parts: [{ ...first, checksum: 'AAAAAA==' }] }), storeError('InvalidPart'));
      await assert.rejects(attempt({ maxSizeBytes: 28 }), storeError('BodyTooLarge'));
      await assert.rejects(attempt({ uploadId: '0'.repeat(32) }), storeError('NoSuchUpload'));
      await assert.rejects(attempt({ uploadId: 'nonsense' }), storeError('NoSuchUpload'));
      await assert.rejects(attempt({ key: 'another' }), storeError('NoSuchUpload'));
      await put(store, 'refused', 'there already');
      await assert.rejects(attempt({ precondition: { ifNoneMatch: '*' } }), storeError('PreconditionFailed'));
      await attempt({ precondition: { ifMatch: '*' } });
      assert.equal(store.headObject(upload)?.sizeBytes, 29);
    });

    it('aborts, and takes nothing for an upload that is gone', async () => {
      const upload = await begin('aborted');
      const part = await putPart(store, upload, 1, patternBytes(2_000_000));
      await store.abortUpload(upload);
      await assert.rejects(store.abortUpload(upload), storeError('NoSuchUpload'));
      await assert.rejects(store.completeUpload(completion(upload, [part])), storeError('NoSuchUpload'));
      await assert.rejects(putPart(store, upload, 2, patternBytes(10)), storeError('NoSuchUpload'));
      await assert.rejects(putPart(store, upload, 2, patternBytes(2_000_000)), storeError('NoSuchUpload'));
      await assert.rejects(begin('x', { bucket: 'none' }), storeError('NoSuchBucket'));
    });

    it('lets one of two racing completions and aborts win', async () => {
      for (let round = 0; round < 5; round += 1) {
        const upload = await begin(`race-${round}`);
        const parts = [await putPart(store, upload, 1, patternBytes(50))];
        const [completed, aborted] = await Promise.allSettled([
          store.completeUpload(completion(upload, parts)),
          store.abortUpload(upload),
        ]);
        assert.notEqual(completed.status, aborted.status);
        assert.equal(store.headObject(upload) !== undefined, completed.status === 'fulfilled');
      }
    });

    it('lists uploads by key, then by initiation', async () => {
      await createBucket(store, 'listed');
      const uploads: MultipartUpload[] = [];
      for (const key of ['b', 'a/2', 'a', 'b', 'a\0', 'b', 'a/1']) uploads.push(await begin(key, { bucket: 'listed' }));
      const ids = (...indexes: number[]): (string | undefined)[] => indexes.map((index) => uploads[index]?.uploadId);
      const page = { bucket: 'listed', prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 100 };
      const list = (more: Partial<typeof page>): string[] =>
        store.listUploads({ ...page, ...more }).uploads.map(({ uploadId }) => uploadId);
      assert.deepEqual(list({}), ids(2, 4, 6, 1, 0, 3, 5));
      assert.deepEqual(list({ prefix: 'a/' }), ids(6, 1));
      assert.deepEqual(list({ afterKey: 'a' }), ids(4, 6, 1, 0, 3, 5));
      assert.deepEqual(list({ afterKey: 'b', afterUploadId: uploads[0]?.uploadId ?? '' }), ids(3, 5));
      assert.deepEqual(list({ afterKey: 'b' }), []);
      const grouped = store.listUploads({ ...page, delimiter: '/', limit: 3 });
      assert.deepEqual([grouped.uploads.map(({ uploadId }) => uploadId), grouped.commonPrefixes], [ids(2, 4), ['a/']]);
      assert.deepEqual(grouped.next, { key: 'a/', uploadId: '' });
      assert.deepEqual(list({ delimiter: '/', afterKey: 'a/' }), ids(0, 3, 5));
      const pages: string[] = [];
      let next: { key: string; uploadId: string } | undefined = { key: '', uploadId: '' };
      while (next !== undefined) {
        const step: ReturnType<ObjectStore['listUploads']> = store.listUploads({
          ...page,
          afterKey: next.key,
          afterUploadId: next.uploadId,
          limit: 2,
        });
        pages.push(...step.uploads.map(({ uploadId }) => uploadId));
        next = step.next;
      }
      assert.deepEqual(pages, ids(2, 4, 6, 1, 0, 3, 5));
      assert.throws(() => store.listUploads({ ...page, bucket: 'none' }), storeError('NoSuchBucket'));
    });

    it('keeps a part with its bytes, small or streamed', async () => {
      const upload = await begin('streamed');
      const { bucket, key, uploadId } = upload;
      const bytes = patternBytes(1_200_000, 5);
      const body = await stage(store, bytes, { known: false });
      const part = await store.putPart({
        bucket,
        key,
        uploadId,
        partNumber: 1,
        body,
        etag: createHash('md5').update(bytes).digest('hex'),
      });
      assert.equal(part.checksum, undefined);
      await store.completeUpload(completion(upload, [part]));
      assert.ok((await readAll(store, 'streamed'))?.equals(bytes));
    });
  });
}

function crc32Base64(bytes: Uint8Array): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
}
