// What the disk store finds again after a crash, damage, or the loss of its index; and who may open it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  completionOf,
  createBucket,
  largeSizeBytes,
  listKeys,
  patternBytes,
  plainAttributes,
  put,
  putPart,
  readAll,
  storeError,
} from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import type { ObjectStore } from './object-store.ts';
import { blobPaths, copyAsCrashed, flipByte, segmentPaths, withDataFolder } from './testing/data-folder.ts';
import { until } from './testing/until.ts';

/** Puts something of everything into a store. */
async function fill(store: ObjectStore): Promise<void> {
  await createBucket(store);
  for (let index = 0; index < 20; index += 1) await put(store, `small/${index}`, patternBytes(index * 500, index));
  await put(store, 'large', patternBytes(largeSizeBytes, 100));
  await put(store, 'replaced', patternBytes(largeSizeBytes, 101));
  await put(store, 'replaced', 'short');
  const source = await put(store, 'copied/source', patternBytes(largeSizeBytes, 102));
  await store.copyObject({ bucket: 'bucket', key: 'copied/target', attributes: plainAttributes, source });
  await store.deleteObject({ bucket: 'bucket', key: 'copied/source' });
  await store.deleteObject({ bucket: 'bucket', key: 'small/3' });
  const upload = await store.createUpload({
    bucket: 'bucket',
    key: 'parts',
    attributes: plainAttributes,
    initiator: 'i',
  });
  const parts = [
    await putPart(store, upload, 1, patternBytes(100_000, 1)),
    await putPart(store, upload, 2, patternBytes(9, 2)),
  ];
  await store.completeUpload(completionOf(upload, parts));
  const open = await store.createUpload({ bucket: 'bucket', key: 'open', attributes: plainAttributes, initiator: 'i' });
  await putPart(store, open, 7, patternBytes(2_000_000, 3));
  await store.putBucketConfiguration('bucket', 'cors', { rules: [] });
}

/** All that a reader can see of a store. */
async function look(store: ObjectStore): Promise<unknown> {
  const objects = [];
  for (const key of listKeys(store)) {
    const bytes = await readAll(store, key);
    objects.push({ head: store.headObject({ bucket: 'bucket', key }), bytes: bytes?.toString('base64') });
  }
  const page = { bucket: 'bucket', prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 100 };
  const { uploads } = store.listUploads(page);
  const parts = uploads.map((upload) => store.listParts({ ...upload, after: 0, limit: 100 }));
  return { bucket: store.getBucket('bucket'), objects, uploads, parts };
}

describe('disk store recovery', () => {
  it('is the same after closing, after a crash, and with its index rebuilt', async () => {
    await withDataFolder(async (directory) => {
      let store = await openDiskStore({ directory });
      await fill(store);
      const seen = await look(store);
      const crashed = await openDiskStore({ directory: await copyAsCrashed(directory, 'crashed') });
      assert.deepEqual(await look(crashed), seen);
      await crashed.close();
      await store.close();
      store = await openDiskStore({ directory });
      assert.deepEqual(await look(store), seen);
      await store.close();
      await rm(join(directory, 'index'), { recursive: true });
      store = await openDiskStore({ directory });
      assert.deepEqual(await look(store), seen);
      assert.deepEqual(store.health().damage, []);
      await put(store, 'after', 'rebuilding');
      await store.close();
      await writeFile(join(directory, 'index', 'data.mdb'), 'nonsense');
      store = await openDiskStore({ directory });
      assert.equal(String(await readAll(store, 'after')), 'rebuilding');
      await store.close();
    });
  });

  it('goes on with what a crash interrupted: an open upload is completed, a repeated completion answered', async () => {
    await withDataFolder(async (directory) => {
      const before = await openDiskStore({ directory });
      await fill(before);
      const copy = await copyAsCrashed(directory, 'crashed');
      await before.close();
      const store = await openDiskStore({ directory: copy });
      const page = { bucket: 'bucket', prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 100 };
      const [upload] = store.listUploads(page).uploads;
      assert.ok(upload !== undefined);
      const { parts } = store.listParts({ ...upload, after: 0, limit: 10 });
      const complete = completionOf(upload, parts);
      const version = await store.completeUpload(complete);
      await store.close();
      const again = await openDiskStore({ directory: copy });
      assert.deepEqual(await again.completeUpload(complete), version);
      assert.ok((await readAll(again, 'open'))?.equals(patternBytes(2_000_000, 3)));
      await again.close();
    });
  });

  it('removes blobs that no commit took, and those that nothing needs any more', async () => {
    await withDataFolder(async (directory) => {
      let store = await openDiskStore({ directory });
      await fill(store);
      const writer = store.stageBody({ maxSizeBytes: 1e9, digests: [] });
      await writer.write(patternBytes(largeSizeBytes));
      const staged = await writer.finish(); // and never committed
      const copy = await copyAsCrashed(directory, 'crashed');
      const referenced = 5; // large, copied/target, two parts, one part of the open upload
      assert.ok((await blobPaths(copy)).length > referenced);
      await staged.discard();
      await store.close();
      store = await openDiskStore({ directory: copy });
      await until(async () => (await blobPaths(copy)).length === referenced);
      assert.ok((await readAll(store, 'copied/target'))?.equals(patternBytes(largeSizeBytes, 102)));
      await store.deleteObject({ bucket: 'bucket', key: 'copied/target' });
      await store.deleteBucket('bucket').catch(() => undefined);
      await until(async () => (await blobPaths(copy)).length === referenced - 1);
      await store.close();
    });
  });

  it('serves no damaged small object, and all others', async () => {
    for (const rebuilt of [false, true]) {
      await withDataFolder(async (directory) => {
        let store = await openDiskStore({ directory });
        await fill(store);
        await store.close();
        const [segment = ''] = await segmentPaths(directory);
        await flipByte(segment, (await readFile(segment)).indexOf(patternBytes(3000, 6)) + 1234);
        if (rebuilt) await rm(join(directory, 'index'), { recursive: true });
        store = await openDiskStore({ directory });
        if (rebuilt) assert.match(store.health().damage?.[0]?.description ?? '', /fails its checksum/);
        await assert.rejects(readAll(store, 'small/6'), { ...storeError('Corrupt'), message: /^bucket\/small\/6: / });
        assert.equal(store.health().damage?.length, 1);
        assert.deepEqual(store.health().damage?.[0]?.objects, [{ bucket: 'bucket', key: 'small/6' }]);
        assert.ok((await readAll(store, 'small/7'))?.equals(patternBytes(3500, 7)));
        assert.equal(listKeys(store).length, 23);
        await put(store, 'small/6', 'mended');
        assert.equal(String(await readAll(store, 'small/6')), 'mended');
        await store.close();
      });
    }
  });

  it('sets a damaged record aside, reports it, and keeps the rest', async () => {
    await withDataFolder(async (directory) => {
      let store = await openDiskStore({ directory });
      await fill(store);
      const keys = listKeys(store);
      await store.close();
      const [segment = ''] = await segmentPaths(directory);
      await flipByte(segment, (await readFile(segment)).indexOf('small/9'));
      // The index still knows the object: damage to what only a rebuild reads is found by a rebuild.
      store = await openDiskStore({ directory });
      assert.ok((await readAll(store, 'small/9'))?.equals(patternBytes(4500, 9)));
      await store.close();
      await rm(join(directory, 'index'), { recursive: true });
      const told: string[] = [];
      store = await openDiskStore({ directory, log: (level, message) => told.push(`${level} ${message}`) });
      assert.deepEqual(
        listKeys(store),
        keys.filter((key) => key !== 'small/9'),
      );
      const [damage] = store.health().damage ?? [];
      assert.equal(damage?.file, 'journal/000001.seg');
      assert.ok(told.some((line) => line.startsWith('error Stored bytes are damaged: record')));
      const aside = join(directory, 'quarantine', `journal-000001.seg-${damage?.offset}-${damage?.sizeBytes}`);
      assert.equal((await stat(aside)).size, damage?.sizeBytes);
      await store.close();
    });
  });

  it('refuses the damaged block of a blob and serves the others', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory });
      await createBucket(store);
      const bytes = patternBytes(largeSizeBytes);
      await put(store, 'large', bytes);
      const [blob = ''] = await blobPaths(directory);
      await flipByte(blob, 1_000_000);
      const object = store.openObject({ bucket: 'bucket', key: 'large' });
      assert.ok(object !== undefined);
      await assert.rejects(readAll(store, 'large'), storeError('Corrupt'));
      await assert.rejects(async () => object.bytes({ start: 1_000_000, end: 1_000_001 }), storeError('Corrupt'));
      const block = 30 * 32 * 1024;
      await assert.rejects(async () => object.bytes({ start: block, end: block }), storeError('Corrupt'));
      assert.ok(
        Buffer.from(await object.bytes({ start: block - 100, end: block - 1 })).equals(
          bytes.subarray(block - 100, block),
        ),
      );
      assert.ok(
        Buffer.from(await object.bytes({ start: 1_400_000, end: 1_500_000 })).equals(
          bytes.subarray(1_400_000, 1_500_001),
        ),
      );
      assert.equal(store.health().damage?.length, 1);
      await truncate(blob, 500_000);
      await assert.rejects(async () => object.bytes({ start: 1_400_000, end: 1_500_000 }), storeError('Corrupt'));
      object.close();
      await rm(blob);
      await store.close();
      const reopened = await openDiskStore({ directory });
      await assert.rejects(readAll(reopened, 'large'), storeError('Corrupt'));
      assert.equal(reopened.headObject({ bucket: 'bucket', key: 'large' })?.sizeBytes, largeSizeBytes);
      await reopened.close();
    });
  });

  it('keeps what each durability promises across closing', async () => {
    for (const durability of [{ level: 'interval', intervalMs: 20 }, { level: 'memory' }] as const) {
      await withDataFolder(async (directory) => {
        let store = await openDiskStore({ directory, durability });
        assert.deepEqual(store.health().durability, durability);
        await fill(store);
        const seen = await look(store);
        await store.close();
        store = await openDiskStore({ directory, durability });
        assert.deepEqual(await look(store), seen);
        await store.close();
      });
    }
  });

  it('is opened once, by one process', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory });
      await assert.rejects(openDiskStore({ directory }), storeError('Locked'));
      const script = `import { openDiskStore } from ${JSON.stringify(join(import.meta.dirname, 'disk-store.ts'))};
        await openDiskStore({ directory: ${JSON.stringify(directory)} }).catch((error) => console.log(error.code));`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
      assert.equal(stdout.trim(), 'Locked');
      await store.close();
      await (await openDiskStore({ directory })).close();
    });
  });

  it('refuses a newer format and a folder without FORMAT', async () => {
    await withDataFolder(async (directory) => {
      await (await openDiskStore({ directory })).close();
      const path = join(directory, 'FORMAT');
      const format = await readFile(path);
      await writeFile(path, '{"format":2}');
      await assert.rejects(openDiskStore({ directory }), {
        ...storeError('UnsupportedFormat'),
        message: /format 2.*newer/,
      });
      await writeFile(path, 'nonsense');
      await assert.rejects(openDiskStore({ directory }), storeError('Corrupt'));
      await rm(path);
      await assert.rejects(openDiskStore({ directory }), storeError('Corrupt'));
      await writeFile(path, format);
      await (await openDiskStore({ directory })).close();
    });
  });
});
