// Damage of a closed store's index costs no object and no blob: pages that do not fit are found before LMDB sees them, and
// rows that are missing or changed by the digest that was kept of them.

import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { keyspace, wholeKeyspace } from './catalog/index-keys.ts';
import { createBucket, patternBytes, put } from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore } from './disk-store-options.ts';
import { openLmdbIndex } from './ordered-index/lmdb-index.ts';
import type { IndexChange } from './ordered-index/ordered-index.ts';
import { blobPaths, withDataFolder } from './testing/data-folder.ts';
import { faultyDisk } from './testing/faulty-disk.ts';

const objects = 300;
const sizes = { maxInlineBytes: 1000 };

function open(directory: string): Promise<DiskStore> {
  return openDiskStore({ directory, sizes, durability: { level: 'memory' } });
}

/** Each object is a blob. */
async function fill(directory: string): Promise<void> {
  const store = await open(directory);
  await createBucket(store);
  const bytes = patternBytes(1500, 1);
  await Promise.all(Array.from({ length: objects }, (_, index) => put(store, `key/${index}`, bytes)));
  await store.close();
}

function listed(store: DiskStore): number {
  return store.listObjects({ bucket: 'bucket', prefix: '', delimiter: '', after: '', limit: 1000 }).objects.length;
}

describe('disk store with a damaged index', () => {
  it('loses nothing by a page that says that it has one row', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      const path = join(directory, 'index', 'data.mdb');
      const pages = await readFile(path);
      for (let page = 2; page * 4096 < pages.length; page += 1) {
        const isLeaf = pages.readUInt16LE(page * 4096 + 18) === 2 && pages.readUInt16LE(page * 4096 + 20) > 4;
        if (isLeaf) pages.writeUInt16LE(2, page * 4096 + 20);
      }
      await writeFile(path, pages);
      for (const _ of [1, 2]) {
        const store = await open(directory);
        await store.scrub();
        assert.equal(listed(store), objects);
        await store.close();
        assert.equal((await blobPaths(directory)).length, objects);
      }
      const kept = await readdir(join(directory, 'quarantine'));
      assert.deepEqual(kept, [], 'the journal is whole: nothing of the old index is needed');
    });
  });

  it('removes nothing while rows are missing, says so, and makes the index anew at the next opening', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      // Rows go behind the back of those who count them, as if a sound page had taken the place of another.
      const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
      const gone = new Map<string, IndexChange>();
      for (const space of [keyspace.object, keyspace.blob]) {
        index.scan(wholeKeyspace(space), (key) => {
          if (key.at(-1) === 0x39 || space === keyspace.blob)
            gone.set(key.toString('latin1'), { key, value: undefined });
          return true;
        });
      }
      index.apply(gone);
      await index.flush(async () => undefined);
      await index.close();

      let store = await open(directory);
      await store.deleteObject({ bucket: 'bucket', key: 'key/0' });
      await store.scrub();
      const damage = store.health().damage ?? [];
      assert.match(damage[0]?.description ?? '', /rows of kind object where 300 were written/);
      assert.equal(damage[0]?.file, 'index');
      await assert.rejects(store.compact([1, 2, 3]).then(() => Promise.reject(new Error('nothing to compact'))));
      await store.close();
      assert.equal((await blobPaths(directory)).length, objects, 'nothing was removed');

      for (const _ of [1, 2]) {
        store = await open(directory);
        await store.scrub();
        assert.equal(listed(store), objects - 1);
        assert.equal(store.health().damageCount, 0);
        await store.close();
      }
      assert.equal((await blobPaths(directory)).length, objects, 'after a rebuild no blob is taken for an orphan');
    });
  });

  it('finds rows that change while the store is open by a scrub', async () => {
    await withDataFolder(async (directory) => {
      let under: Awaited<ReturnType<typeof openLmdbIndex>> | undefined;
      const store = await openDiskStore({
        directory,
        openIndex: async (place) => {
          under = await openLmdbIndex(place);
          return under;
        },
      });
      await createBucket(store);
      await put(store, 'key', 'x');
      assert.equal((await store.scrub()).damaged, 0);
      const key = Buffer.of(keyspace.object, 0, 0, 0, 0, 0, 2, 0x61);
      under?.apply(new Map([['x', { key, value: Buffer.from('never written') }]]));
      assert.equal((await store.scrub()).damaged, 1);
      assert.match(store.health().damage?.[0]?.description ?? '', /2 rows of kind object where 1 were written/);
      await store.close();
    });
  });
});

describe('disk store on a disk that cannot read', () => {
  it('names the objects, serves the others, and goes on behind it in scrub and at opening', async () => {
    await withDataFolder(async (directory) => {
      let bad = (_path: string): boolean => false;
      const disk = faultyDisk(nodeDisk, ({ kind, path }) => (kind === 'read' && bad(path) ? 'EIO' : undefined));
      const options = { directory, disk, sizes: { segmentSizeBytes: 200_000, maxInlineBytes: 100_000 } };
      let store = await openDiskStore(options);
      await createBucket(store);
      for (const key of ['a', 'b', 'c']) await put(store, key, patternBytes(150_000, 1));
      for (let index = 0; index < 8; index += 1) await put(store, `small/${index}`, patternBytes(90_000, 2));
      const [blob = ''] = (await blobPaths(directory)).sort();
      bad = (path) => path === blob;
      const { damaged, blobs } = await store.scrub();
      assert.ok(damaged > 0);
      assert.equal(blobs, 3, 'those behind it are checked');
      const named = store.health().damage?.flatMap((one) => one.objects ?? []) ?? [];
      assert.deepEqual([...new Set(named.map(({ key }) => key))], ['a']);
      await store.close();

      bad = (path) => path.endsWith('000002.seg');
      await rm(join(directory, 'index'), { recursive: true });
      for (const _ of [1, 2]) {
        store = await openDiskStore(options);
        assert.ok((store.health().damageCount ?? 0) > 0, 'it is told of at each opening');
        assert.ok(store.headObject({ bucket: 'bucket', key: 'small/7' }) !== undefined, 'what is behind it is there');
        await put(store, 'later', 'x');
        await store.close();
      }
      bad = () => false;
      await rm(join(directory, 'index'), { recursive: true });
      store = await openDiskStore(options);
      assert.ok(store.headObject({ bucket: 'bucket', key: 'later' }) !== undefined);
      await store.close();
      assert.equal((await blobPaths(directory)).length, 3);
    });
  });
});
