// What a store does when part of its journal is damaged or gone: it says so, and removes no blob that may still be needed.

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createBucket, largeSizeBytes, patternBytes, put, readAll, storeError } from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import { usualSizes } from './store-sizes.ts';
import { blobPaths, flipByte, segmentPaths, withDataFolder } from './testing/data-folder.ts';
import { faultyDisk } from './testing/faulty-disk.ts';
import { until } from './testing/until.ts';

const smallSizeBytes = 1_000_000;

/** A store of two segments with one blob named in each; closed again. */
async function fillTwoSegments(directory: string): Promise<void> {
  const store = await openDiskStore({ directory });
  await createBucket(store);
  await put(store, 'first', patternBytes(largeSizeBytes, 1));
  const bytes = patternBytes(smallSizeBytes, 2);
  for (let index = 0; index * smallSizeBytes <= usualSizes.segmentSizeBytes; index += 1)
    await put(store, `fill/${index}`, bytes);
  await put(store, 'last', patternBytes(largeSizeBytes, 3));
  await store.close();
}

/** Opens and closes twice, since what one opening keeps the next must keep too. */
async function openTwice(directory: string): Promise<number> {
  let damage = 0;
  for (const _ of [1, 2]) {
    const store = await openDiskStore({ directory });
    damage += store.health().damage?.length ?? 0;
    await store.close();
  }
  return damage;
}

describe('disk store with a damaged journal', () => {
  it('keeps the blob of a record that cannot be read any more', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory });
      await createBucket(store);
      for (const key of ['key-a', 'key-b', 'key-c']) await put(store, key, patternBytes(largeSizeBytes, 1));
      await store.close();
      const [segment = ''] = await segmentPaths(directory);
      await flipByte(segment, (await readFile(segment)).indexOf('key-b'));
      await rm(join(directory, 'index'), { recursive: true });

      assert.ok((await openTwice(directory)) > 0, 'the damage is reported');
      assert.equal((await blobPaths(directory)).length, 3);
      const again = await openDiskStore({ directory });
      assert.deepEqual(await readAll(again, 'key-c'), patternBytes(largeSizeBytes, 1));
      await again.close();
    });
  });

  it('reports a first segment that is gone, and keeps all blobs', async () => {
    await withDataFolder(async (directory) => {
      await fillTwoSegments(directory);
      const [segment = ''] = await segmentPaths(directory);
      await rm(segment);
      await rm(join(directory, 'index'), { recursive: true });
      assert.ok((await openTwice(directory)) > 0);
      assert.equal((await blobPaths(directory)).length, 2);
    });
  });

  it('is not opened without its last segment while the index remembers it, and keeps all blobs', async () => {
    await withDataFolder(async (directory) => {
      await fillTwoSegments(directory);
      await rm((await segmentPaths(directory)).at(-1) ?? '');
      await assert.rejects(openTwice(directory), storeError('Corrupt'));
      assert.equal((await blobPaths(directory)).length, 2);
    });
  });
});

describe('disk store whose checkpoint fails', () => {
  it('stops writing when a sync fails, and removes nothing on the strength of it', async () => {
    await withDataFolder(async (directory) => {
      let failing = false;
      const disk = faultyDisk(nodeDisk, ({ kind, path }) =>
        failing && kind === 'sync' && path.includes('checkpoint') ? 'EIO' : undefined,
      );
      const store = await openDiskStore({ directory, disk });
      await createBucket(store);
      await put(store, 'large', patternBytes(largeSizeBytes));
      failing = true;
      await store.deleteObject({ bucket: 'bucket', key: 'large' });
      await until(() => store.health().status !== 'ok', 'it stops writing');
      assert.equal((await blobPaths(directory)).length, 1);
      await assert.rejects(put(store, 'other', 'x'));
      await store.close();
    });
  });

  it('goes on when there was only no room for it', async () => {
    await withDataFolder(async (directory) => {
      let failures = 0;
      const disk = faultyDisk(nodeDisk, ({ kind, path }) => {
        if (kind !== 'write' || !path.includes('checkpoint') || failures !== 1) return undefined;
        failures += 1;
        return 'ENOSPC';
      });
      const store = await openDiskStore({ directory, disk });
      await createBucket(store);
      await put(store, 'large', patternBytes(largeSizeBytes));
      failures = 1;
      await store.deleteObject({ bucket: 'bucket', key: 'large' });
      await until(async () => (await blobPaths(directory)).length === 0, 'the blob is removed');
      assert.equal(store.health().status, 'ok');
      assert.equal(failures, 2, 'the checkpoint found no room once');
      await store.close();
    });
  });
});
