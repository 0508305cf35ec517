// Compaction as a user of the store meets it: room comes back, readers and writers notice nothing, and neither a crash nor
// damage in the middle of it loses anything. That a rebuild comes to the same rows is compaction/rebuild-after-compaction.

import assert from 'node:assert/strict';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { createBucket, listKeys, patternBytes, put, readAll, storeError } from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore, DiskStoreOptions } from './disk-store-options.ts';
import { copyAsCrashed, flipByte, segmentPaths, withDataFolder } from './testing/data-folder.ts';
import { faultyDisk } from './testing/faulty-disk.ts';
import { until } from './testing/until.ts';

const sizes = {
  segmentSizeBytes: 20_000,
  zeroAheadBytes: 2048,
  reserveSizeBytes: 64 * 1024,
  roomForPutsBytes: 16 * 1024,
};
const bodySizeBytes = 2000;

function open(directory: string, options: Partial<DiskStoreOptions> = {}): Promise<DiskStore> {
  return openDiskStore({ directory, sizes, compaction: 'on demand', ...options });
}

/** Objects 0 to `count`, about ten to a segment. */
async function fill(store: DiskStore, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await put(store, `key-${index}`, contentOf(index));
}

function contentOf(index: number): Buffer {
  return patternBytes(bodySizeBytes, index);
}

async function checkContents(store: DiskStore, indexes: readonly number[]): Promise<void> {
  assert.deepEqual(listKeys(store), indexes.map((index) => `key-${index}`).sort());
  for (const index of indexes) assert.ok((await readAll(store, `key-${index}`))?.equals(contentOf(index)), `${index}`);
}

const everyFifth = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55];

/** Sixty objects, of which one in five is left: every segment is mostly dead. */
async function fillAndThin(store: DiskStore): Promise<void> {
  await createBucket(store);
  await fill(store, 60);
  for (let index = 0; index < 60; index += 1) {
    if (index % 5 !== 0) await store.deleteObject({ bucket: 'bucket', key: `key-${index}` });
  }
}

async function numbersOf(directory: string): Promise<number[]> {
  return (await segmentPaths(directory)).map((path) => Number.parseInt(basename(path), 10));
}

describe('disk store compaction', () => {
  it('gives the room of deleted and replaced objects back', async () => {
    await withDataFolder(async (directory) => {
      let store = await open(directory);
      await fillAndThin(store);
      const before = (await segmentPaths(directory)).length;
      const result = await store.compact();
      assert.ok(result.removedSegments >= before - 3, `${result.removedSegments} of ${before}`);
      assert.ok(result.writtenBytes < result.removedBytes / 2);
      const { compaction } = store.health();
      assert.equal(compaction?.removedSegments, result.removedSegments);
      assert.equal(compaction?.running, false);
      await checkContents(store, everyFifth);
      await store.close();
      store = await open(directory);
      await checkContents(store, everyFifth);
      for (let round = 0; round < 5; round += 1) {
        for (const index of everyFifth) await put(store, `key-${index}`, contentOf(index));
      }
      await store.compact();
      assert.ok((await segmentPaths(directory)).length <= 5);
      await checkContents(store, everyFifth);
      await store.close();
      await rm(join(directory, 'index'), { recursive: true });
      store = await open(directory);
      assert.deepEqual(store.health().damage, []);
      await checkContents(store, everyFifth);
      await store.close();
    });
  });

  it('leaves segments alone that are mostly live', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory);
      await createBucket(store);
      await fill(store, 40);
      assert.deepEqual(await store.compact(), { removedSegments: 0, removedBytes: 0, writtenBytes: 0 });
      await store.close();
    });
  });

  it('runs by itself', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory, { compaction: 'background' });
      await fillAndThin(store);
      await until(() => (store.health().compaction?.removedSegments ?? 0) > 0, 'a segment is removed');
      await checkContents(store, everyFifth);
      await store.close();
    });
  });

  it('waits for readers that have an old place, and holds no writer up', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory);
      await fillAndThin(store);
      const object = store.openObject({ bucket: 'bucket', key: 'key-0' });
      assert.ok(object !== undefined);
      const before = await numbersOf(directory);
      const compacting = store.compact();
      for (let count = 0; count < 20; count += 1) await put(store, `during-${count}`, contentOf(count));
      assert.deepEqual((await numbersOf(directory)).slice(0, before.length), before, 'a reader is still there');
      assert.ok(contentOf(0).equals(Buffer.from(await object.bytes())));
      object.close();
      assert.ok((await compacting).removedSegments > 0);
      assert.ok((await readAll(store, 'key-0'))?.equals(contentOf(0)));
      assert.ok((await readAll(store, 'during-7'))?.equals(contentOf(7)));
      await store.close();
    });
  });

  it('stops when the store is closed, whatever it waits for', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory);
      await fillAndThin(store);
      const object = store.openObject({ bucket: 'bucket', key: 'key-0' });
      const compacting = store.compact();
      const refused = assert.rejects(compacting, storeError('Closed'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      const closing = store.close();
      await refused;
      object?.close();
      await closing;
      const again = await open(directory);
      await checkContents(again, everyFifth);
      await again.close();
    });
  });

  it('writes nothing a second time when a segment that was moved could not go at once', async () => {
    await withDataFolder(async (directory) => {
      let failing = false;
      const noRoom = { code: /^(ENOSPC|DiskFull)$/ };
      const disk = faultyDisk(nodeDisk, ({ kind, path }) =>
        failing && kind === 'write' && path.includes('checkpoint') ? 'ENOSPC' : undefined,
      );
      const store = await open(directory, { disk });
      await fillAndThin(store);
      failing = true;
      await assert.rejects(store.compact([1, 2]), noRoom);
      const written = store.health().compaction?.writtenBytes;
      assert.ok(written !== undefined && written > 0);
      for (let count = 0; count < 5; count += 1) await assert.rejects(store.compact([1, 2]), noRoom);
      assert.equal(store.health().compaction?.writtenBytes, written);
      assert.equal(store.health().compaction?.removedSegments, 0);
      failing = false;
      assert.ok((await store.compact()).removedSegments > 4);
      await checkContents(store, everyFifth);
      await store.close();
    });
  });

  it('loses nothing when it is killed at any point', async () => {
    await withDataFolder(async (root) => {
      const prepared = await open(`${root}-prepared`);
      await fillAndThin(prepared);
      await prepared.close();
      let finished = false;
      for (let killedAt = 1; !finished; killedAt += 1 + (killedAt >> 2)) {
        const directory = await copyAsCrashed(`${root}-prepared`, `killed-${killedAt}`);
        let operations = Number.NEGATIVE_INFINITY;
        const disk = faultyDisk(nodeDisk, ({ kind }) => {
          if (kind !== 'read') operations += 1;
          return operations >= killedAt ? 'EIO' : undefined;
        });
        const store = await open(directory, { disk });
        operations = 0;
        await store.compact().catch(() => undefined);
        finished = operations < killedAt;
        operations = killedAt;
        await store.close().catch(() => undefined); // the disk fails at that, too
        for (const rebuilt of [false, true]) {
          if (rebuilt) await rm(join(directory, 'index'), { recursive: true });
          const again = await open(directory);
          assert.deepEqual(again.health().damage, [], `killed at ${killedAt}`);
          await checkContents(again, everyFifth);
          await again.compact();
          await checkContents(again, everyFifth);
          await again.close();
        }
      }
    });
  });
});

describe('disk store compaction and damage', () => {
  it('keeps a segment with a damaged body until nobody needs it, and says so', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory);
      await fillAndThin(store);
      const [first = ''] = await segmentPaths(directory);
      await flipByte(first, (await readFile(first)).indexOf(contentOf(5)) + 100);
      await store.compact();
      assert.equal((await segmentPaths(directory))[0], first, 'the segment stays');
      assert.ok((await numbersOf(directory)).length <= 4, 'the others go');
      assert.match(store.health().damage?.[0]?.description ?? '', /fails its checksum; the segment is not compacted/);
      assert.equal(store.health().compaction?.keptSegments, 1);
      await assert.rejects(readAll(store, 'key-5'), storeError('Corrupt'));
      assert.ok((await readAll(store, 'key-0'))?.equals(contentOf(0)));
      await put(store, 'key-5', contentOf(5));
      await store.compact();
      assert.notEqual((await segmentPaths(directory))[0], first);
      await checkContents(store, everyFifth);
      await store.close();
    });
  });

  it('keeps a segment with a record that cannot be read', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory);
      await fillAndThin(store);
      const [first = '', second = '', third = ''] = await segmentPaths(directory);
      await flipByte(first, (await readFile(first)).indexOf('key-3'));
      await flipByte(third, 10); // its header, which also tells where the second one ends
      await store.compact();
      assert.deepEqual((await segmentPaths(directory)).slice(0, 3), [first, second, third]);
      assert.match(store.health().damage?.[0]?.description ?? '', /cannot be read; the segment is not compacted/);
      await checkContents(store, everyFifth);
      await store.close();
    });
  });

  it('keeps a segment that the disk cannot read, and goes on with the others', async () => {
    await withDataFolder(async (directory) => {
      const disk = faultyDisk(nodeDisk, ({ kind, path, sizeBytes }) =>
        kind === 'read' && path.endsWith('000001.seg') && sizeBytes > 1000 ? 'EIO' : undefined,
      );
      const store = await open(directory, { disk });
      await fillAndThin(store);
      await store.compact();
      const numbers = await numbersOf(directory);
      assert.equal(numbers[0], 1);
      assert.ok(numbers.length <= 4, numbers.join());
      assert.equal(store.health().status, 'ok');
      assert.match(store.health().damage?.[0]?.description ?? '', /cannot be read.*not compacted/);
      await store.close();
    });
  });

  it('takes a gap that was written down for meant, and any other for damage', async () => {
    await withDataFolder(async (directory) => {
      let store = await open(directory);
      await fillAndThin(store);
      const paths = await segmentPaths(directory);
      await store.compact([2, 3]);
      assert.deepEqual((await numbersOf(directory)).slice(0, 2), [1, 4]);
      await store.close();
      const rebuild = async (): Promise<number> => {
        await rm(join(directory, 'index'), { recursive: true });
        store = await open(directory);
        await checkContents(store, everyFifth);
        const damage = store.health().damage?.length ?? 0;
        await store.close();
        return damage;
      };
      assert.equal(await rebuild(), 0);
      const ledger = join(directory, 'journal', 'removed');
      const written = await readFile(ledger);
      await copyFile(ledger, `${ledger}.kept`);
      await rm(ledger);
      assert.equal(await rebuild(), 1, 'the gap is not explained');
      await copyFile(`${ledger}.kept`, ledger);
      await flipByte(ledger, written.length - 1);
      assert.equal(await rebuild(), 2, 'neither the gap nor the ledger holds');
      await copyFile(`${ledger}.kept`, ledger);
      await copyFile(paths[3] ?? '', paths[1] ?? '');
      assert.equal(await rebuild(), 0, 'a removed segment that is there again is not read');
      assert.deepEqual((await numbersOf(directory)).slice(0, 2), [1, 4]);
    });
  });

  it('gives no number a second time when the journal has lost its end', async () => {
    await withDataFolder(async (directory) => {
      let store = await open(directory);
      await fillAndThin(store);
      const numbers = await numbersOf(directory);
      const last = numbers.at(-1) ?? 0;
      await store.compact(numbers.slice(1));
      await store.close();
      for (const path of (await segmentPaths(directory)).slice(1)) await rm(path);
      await rm(join(directory, 'index'), { recursive: true });
      store = await open(directory);
      assert.ok(store.health().damage?.some(({ description }) => description.includes('ends in segment 1')));
      await put(store, 'after', 'x');
      await store.close();
      assert.ok((await numbersOf(directory)).every((number) => number === 1 || number >= last));
      store = await open(directory);
      assert.equal(String(await readAll(store, 'after')), 'x');
      await store.close();
    });
  });
});
