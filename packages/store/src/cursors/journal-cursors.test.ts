// Cursors on a journal: restarts, crashes, power loss, damage, compaction.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf, readChanges, testCursors } from '../contract/cursors.contract.ts';
import { createBucket, listKeys, patternBytes, put } from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore, DiskStoreOptions } from '../disk-store-options.ts';
import type { ObjectStore } from '../object-store.ts';
import { copyAsCrashed, flipByte, segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import type { DiskOperation } from '../testing/disk-operation.ts';
import { faultyDisk } from '../testing/faulty-disk.ts';
import { drivenByItself } from '../testing/io-order.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from '../testing/simulated-disk.ts';
import { openSimulatedIndex } from '../testing/simulated-index.ts';
import type { Change } from './change-cursor.ts';

/** Segments of a few records each. */
const sizes = { segmentSizeBytes: 4000, zeroAheadBytes: 2048, maxInlineBytes: 3000, reserveSizeBytes: 4096 };

function openSmall(directory: string, more: Partial<DiskStoreOptions> = {}): Promise<DiskStore> {
  return openDiskStore({ directory, sizes, compaction: 'on demand', hashThreads: 0, ...more });
}

async function putMany(store: ObjectStore, prefix: string, count: number, sizeBytes = 500): Promise<void> {
  for (let index = 0; index < count; index += 1) await put(store, `${prefix}/${index}`, patternBytes(sizeBytes, index));
}

testCursors('disk store with small segments', async (clock) => {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-store-'));
  const store = await openSmall(join(folder, 'data'), { clock });
  return {
    store,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe('cursors on a journal', () => {
  it('go on where they were, after a restart, a crash, and the loss of the index', async () => {
    await withDataFolder(async (directory) => {
      let store = await openSmall(directory);
      await createBucket(store);
      const cursor = await store.openCursor('one', { start: 'now' });
      await putMany(store, 'a', 30);
      const changes = await readChanges(cursor, 30, 7);
      await cursor.acknowledge(changes[11]?.sequence ?? 0);
      const crashed = await copyAsCrashed(directory, 'crashed');
      await store.close();
      const unindexed = await copyAsCrashed(directory, 'unindexed');
      await rm(join(unindexed, 'index'), { recursive: true });

      for (const folder of [directory, crashed, unindexed]) {
        store = await openSmall(folder);
        const [status] = store.listCursors();
        assert.equal(status?.changes, 18);
        assert.equal(status?.oldestAtMs, changes[11]?.atMs);
        assert.ok((status?.bytes ?? 0) > 18 * 500);
        const again = await store.openCursor('one', { start: 'now' });
        assert.deepEqual(await readChanges(again, 18, 5), changes.slice(12));
        await put(store, 'after', 'x');
        assert.deepEqual(keysOf(await readChanges(again, 1)), ['after']);
        await store.close();
      }
    });
  });

  it('begin at the oldest change that is there, with names of buckets that are gone', async () => {
    await withDataFolder(async (directory) => {
      let store = await openSmall(directory);
      await createBucket(store, 'gone');
      await put(store, 'key', 'x', { bucket: 'gone' });
      await store.deleteObject({ bucket: 'gone', key: 'key' });
      await store.deleteBucket('gone');
      await createBucket(store, 'gone'); // another one of this name
      await put(store, 'other', 'x', { bucket: 'gone' });
      const expected = ['bucketCreated', 'key', 'key', 'bucketRemoved', 'bucketCreated', 'other'];
      for (const rebuilt of [false, true, false]) {
        await store.close();
        if (rebuilt) await rm(join(directory, 'index'), { recursive: true });
        store = await openSmall(directory);
        const cursor = await store.openCursor('from the start'.replaceAll(' ', '-'), { start: 'oldest' });
        assert.deepEqual(cursor.lag().changes, 6);
        const changes = await readChanges(cursor, 6, 2);
        assert.deepEqual(keysOf(changes), expected);
        assert.ok(changes.every((change) => 'bucket' in change && change.bucket === 'gone'));
        await cursor.remove();
      }
      await store.close();
    });
  });

  it('keep the segments that they need, also across restarts, and no others', async () => {
    await withDataFolder(async (directory) => {
      let store = await openSmall(directory);
      await createBucket(store);
      await putMany(store, 'before', 20);
      await store.openCursor('slow', { start: 'now' });
      const [pinned = 0] = (await segmentNumbers(directory)).slice(-1);
      await putMany(store, 'before', 20); // nothing of the first segments is live any more
      await putMany(store, 'before', 20); // nor of those that the cursor needs
      await store.compact();
      const standing = await segmentNumbers(directory);
      assert.deepEqual(standing.slice(0, 4), [pinned, pinned + 1, pinned + 2, pinned + 3]);
      await store.close();

      store = await openSmall(directory);
      await store.compact();
      assert.deepEqual((await segmentNumbers(directory)).slice(0, 4), standing.slice(0, 4));
      const again = await store.openCursor('slow', { start: 'now' });
      const changes = await readChanges(again, 40, 9);
      assert.deepEqual(keysOf(changes).slice(0, 2), ['before/0', 'before/1']);
      await again.acknowledge(changes[39]?.sequence ?? 0);
      await store.compact();
      assert.ok(((await segmentNumbers(directory))[0] ?? 0) > pinned + 2, 'they go once they are dealt with');
      await again.close();
      await store.close();
    });
  });

  it('let segments go that hold no changes for them, while they wait', async () => {
    await withDataFolder(async (directory) => {
      const store = await openSmall(directory);
      await createBucket(store);
      await putMany(store, 'live', 40);
      const cursor = await store.openCursor('waits', { start: 'now' });
      const stop = new AbortController();
      const waiting = assert.rejects(cursor.read({ limit: 1, signal: stop.signal }));
      const [pinned = 0] = (await segmentNumbers(directory)).slice(-1);
      // Compaction writes what is live again, and no changes.
      for (let round = 0; round < 20; round += 1) {
        await store.compact(await segmentNumbers(directory));
        await sleep(5);
      }
      assert.ok(!(await segmentNumbers(directory)).includes(pinned), `segment ${pinned} is still there`);
      assert.deepEqual(cursor.lag(), { changes: 0, bytes: 0 });
      await put(store, 'after', 'x');
      stop.abort();
      await waiting.catch(() => undefined);
      await store.close();
    });
  });

  it('know the name of a bucket whose own record is compacted away, after a rebuild', async () => {
    await withDataFolder(async (directory) => {
      let store = await openSmall(directory);
      await createBucket(store, 'gone');
      await createBucket(store);
      await putMany(store, 'fill', 30);
      const cursor = await store.openCursor('late', { start: 'now' });
      await put(store, 'key', 'x', { bucket: 'gone' });
      await store.deleteObject({ bucket: 'gone', key: 'key' });
      await store.deleteBucket('gone');
      const changes = await readChanges(cursor, 3);
      await store.compact((await segmentNumbers(directory)).slice(0, 2));
      await store.close();
      await rm(join(directory, 'index'), { recursive: true });
      store = await openSmall(directory);
      assert.deepEqual(await readChanges(await store.openCursor('late', { start: 'now' }), 3), changes);
      await store.close();
    });
  });

  it('begin behind what compaction has removed, and miss nothing from there', async () => {
    await withDataFolder(async (directory) => {
      const store = await openSmall(directory);
      await createBucket(store);
      await putMany(store, 'a', 40);
      const numbers = await segmentNumbers(directory);
      await store.compact(numbers.slice(2, 4));
      const cursor = await store.openCursor('late', { start: 'oldest' });
      const { changes: count } = cursor.lag();
      const changes = await readChanges(cursor, count);
      assert.ok(count > 5 && count < 40, `${count} changes`);
      assert.deepEqual(
        keysOf(changes),
        Array.from({ length: count }, (_, index) => `a/${40 - count + index}`),
      );
      await store.close();
    });
  });

  it('say so where the journal is damaged, and go on behind', async () => {
    await withDataFolder(async (directory) => {
      let store = await openSmall(directory);
      await createBucket(store);
      const cursor = await store.openCursor('one', { start: 'now' });
      await putMany(store, 'a', 40);
      const all = await readChanges(cursor, 40);
      await store.close();
      const paths = await segmentPaths(directory);
      const damaged = paths[2] ?? '';
      await flipByte(damaged, 64 + 40); // in the header of the first record
      await rm(paths[4] ?? '');

      for (const rebuilt of [false, true]) {
        if (rebuilt) await rm(join(directory, 'index'), { recursive: true });
        store = await openSmall(directory);
        const again = await store.openCursor('one', { start: 'now' });
        const changes: Change[] = [];
        while (changes.at(-1)?.sequence !== all.at(-1)?.sequence) changes.push(...(await again.read({ limit: 6 })));
        const told = changes.filter(({ type }) => type !== 'changesLost');
        const lost = changes.flatMap((change) => (change.type === 'changesLost' ? [change] : []));
        assert.equal(lost.length, 2);
        const isLost = ({ sequence }: Change): boolean =>
          lost.some((one) => one.firstSequence <= sequence && sequence <= one.sequence);
        assert.deepEqual(
          told,
          all.filter((change) => !isLost(change)),
        );
        assert.equal(all.length - told.length, all.filter(isLost).length);
        assert.ok(told.length < 39 && told.length > 20, `${told.length} of 40 are told`);
        assert.ok(
          changes.every(({ sequence }, index) => index === 0 || sequence > (changes[index - 1]?.sequence ?? 0)),
        );
        assert.ok(store.health().damage?.some(({ file }) => damaged.endsWith(file)));
        await store.close();
      }
    });
  });

  it('tell of an object whose bytes are damaged: the change is not', async () => {
    await withDataFolder(async (directory) => {
      let store = await openDiskStore({ directory });
      await createBucket(store);
      const cursor = await store.openCursor('one', { start: 'now' });
      await put(store, 'damaged', patternBytes(5000));
      await put(store, 'after', 'x');
      const changes = await readChanges(cursor, 2);
      await store.close();
      const [path = ''] = await segmentPaths(directory);
      await flipByte(path, 4000);
      store = await openDiskStore({ directory });
      assert.deepEqual(await readChanges(await store.openCursor('one', { start: 'now' }), 2), changes);
      await store.close();
    });
  });

  it('write acknowledgements down together', async () => {
    await withDataFolder(async (directory) => {
      let writes = 0;
      const record = ({ kind, path }: DiskOperation): undefined => {
        if (kind === 'write' && path.endsWith('.seg')) writes += 1;
      };
      const store = await openDiskStore({ directory, disk: faultyDisk(nodeDisk, record) });
      await createBucket(store);
      const cursor = await store.openCursor('one', { start: 'now' });
      await Promise.all(Array.from({ length: 500 }, (_, index) => put(store, `${index}`, 'x')));
      const changes = await readChanges(cursor, 500);
      writes = 0;
      await Promise.all(changes.map(({ sequence }) => cursor.acknowledge(sequence)));
      assert.ok(writes <= 3, `${writes} writes for 500 acknowledgements`);
      await store.close();
    });
  });

  it('deliver only what survives power loss, and forget no acknowledgement', async () => {
    const deliver = async (seed: number): Promise<void> => {
      const disk = new SimulatedDisk(simulated(seed));
      const options = { sizes, openIndex: openSimulatedIndex, hashThreads: 0, compaction: 'on demand' } as const;
      const store = await openDiskStore({ directory: '/data', disk, durability: { level: 'memory' }, ...options });
      await createBucket(store);
      const cursor = await store.openCursor('one', { start: 'now' });
      await putMany(store, 'a', seed % 17);
      const waiting = cursor.read({ limit: 1000 });
      waiting.catch(() => undefined); // its power goes
      await put(store, 'b', 'x');
      const wait = seed % 8 === 0 || seed === 17; // with one write alone, it takes a second
      const delivered = wait ? await waiting : [];
      const acknowledged = delivered.at(seed % 3)?.sequence ?? 0;
      if (acknowledged > 0) await cursor.acknowledge(acknowledged);
      const left = disk.powerLoss(simulated(seed + 1000));
      await store.close();

      const after = await openDiskStore({ directory: '/data', disk: left, ...options });
      const keys = listKeys(after);
      for (const key of keysOf(delivered)) assert.ok(keys.includes(key), `seed ${seed}: ${key}`);
      const [status] = after.listCursors();
      assert.ok((status?.acknowledged ?? 0) >= acknowledged, `seed ${seed}`);
      const rest = delivered.filter(({ sequence }) => sequence > acknowledged);
      if (rest.length > 0) {
        const again = await after.openCursor('one', { start: 'now' });
        assert.deepEqual(await readChanges(again, rest.length, rest.length), rest);
      }
      await after.close();
    };
    await Promise.all(Array.from({ length: 48 }, (_, seed) => deliver(seed + 1)));
  });

  it('make a replica of the store, whatever happens to it', async (context) => {
    const firstSeed = Math.floor(Math.random() * 2 ** 32);
    context.diagnostic(`seeds ${firstSeed} to ${firstSeed + 2}`);
    for (let seed = firstSeed; seed < firstSeed + 3; seed += 1) await replicate(seed);
  });
});

function simulated(seed: number): SimulatedDiskOptions {
  const random = new SeededRandom(seed);
  return { random, schedule: drivenByItself(random) };
}

async function segmentNumbers(directory: string): Promise<number[]> {
  return (await segmentPaths(directory)).map((path) => Number(path.slice(-10, -4)));
}

/** A consumer that keeps a copy of all keys follows a store that is written to, compacted, closed and killed. */
async function replicate(seed: number): Promise<void> {
  await withDataFolder(async (first) => {
    const random = new SeededRandom(seed);
    let directory = first;
    let store = await openSmall(directory);
    let cursor = await store.openCursor('replica', { start: 'now' });
    await createBucket(store);
    const replica = new Map<string, number>();
    const follow = async (all: boolean): Promise<void> => {
      // It is killed before it has acknowledged everything, and begins again.
      await cursor.close();
      cursor = await store.openCursor('replica', { start: 'now' });
      for (let unacknowledged = 0; cursor.lag().changes > unacknowledged; ) {
        const page = await cursor.read({ limit: random.between(1, 20), signal: AbortSignal.timeout(5000) });
        for (const change of page) {
          assert.notEqual(change.type, 'changesLost', `seed ${seed}`);
          if (change.type === 'objectCreated') replica.set(change.key, change.sequence);
          if (change.type === 'objectRemoved') replica.delete(change.key);
        }
        if (!all && random.chance(0.2)) return;
        const count = all ? page.length : random.below(page.length + 1);
        if (count > 0) await cursor.acknowledge(page[count - 1]?.sequence ?? 0);
        unacknowledged = count > 0 ? page.length - count : unacknowledged + page.length;
      }
    };
    for (let step = 0; step < 60; step += 1) {
      const action = random.pickWeighted({ write: 30, follow: 12, compact: 6, reopen: 3, crash: 2 });
      if (action === 'write') {
        await Promise.all(
          Array.from({ length: random.between(1, 6) }, async () => {
            const key = `key-${random.below(15)}`;
            if (random.chance(0.3)) await store.deleteObject({ bucket: 'bucket', key });
            else await put(store, key, patternBytes(random.below(1200), step));
          }),
        );
      } else if (action === 'follow') {
        await follow(false);
      } else if (action === 'compact') {
        await store.compact((await segmentNumbers(directory)).filter(() => random.chance(0.5)));
      } else {
        const crashed = action === 'crash' ? await copyAsCrashed(directory, `crash-${step}`) : directory;
        await store.close();
        directory = crashed;
        store = await openSmall(directory);
        cursor = await store.openCursor('replica', { start: 'now' });
      }
    }
    await follow(true);
    const objects = store.listObjects({ bucket: 'bucket', prefix: '', delimiter: '', after: '', limit: 1000 }).objects;
    assert.deepEqual(
      [...replica].sort(([a], [b]) => (a < b ? -1 : 1)),
      objects.map(({ key, sequence }) => [key, sequence]),
      `seed ${seed}`,
    );
    assert.deepEqual(cursor.lag(), { changes: 0, bytes: 0 });
    await store.close();
  });
}
