// Durability per bucket, on a disk that loses what was not made durable, and one that keeps count of its syncs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
} from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore } from './disk-store-options.ts';
import type { Durability, ObjectStore } from './object-store.ts';
import { withDataFolder } from './testing/data-folder.ts';
import type { DiskOperation } from './testing/disk-operation.ts';
import { faultyDisk } from './testing/faulty-disk.ts';
import { drivenByItself } from './testing/io-order.ts';
import { SeededRandom } from './testing/seeded-random.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from './testing/simulated-disk.ts';
import { openSimulatedIndex } from './testing/simulated-index.ts';

const strict: Durability = { level: 'strict' };
const memory: Durability = { level: 'memory' };
const sizes = { segmentSizeBytes: 20_000, zeroAheadBytes: 4096, maxInlineBytes: 3000, reserveSizeBytes: 4096 };
const seeds = 60;

function simulated(seed: number): SimulatedDiskOptions {
  const random = new SeededRandom(seed);
  return { random, schedule: drivenByItself(random) };
}

function openOn(disk: SimulatedDisk, durability: Durability = strict): Promise<DiskStore> {
  const options = { openIndex: openSimulatedIndex, sizes, hashThreads: 0, compaction: 'on demand' } as const;
  return openDiskStore({ directory: '/data', disk, durability, ...options });
}

/** Runs on a disk, cuts the power, and looks at what the next opening finds; once for each seed. */
async function afterPowerLoss(
  durability: Durability,
  run: (store: DiskStore, seed: number) => Promise<void>,
  check: (store: DiskStore, seed: number) => Promise<void>,
): Promise<void> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const disk = new SimulatedDisk(simulated(seed));
    const lost = await openOn(disk, durability);
    await run(lost, seed);
    const left = disk.powerLoss(simulated(seed + 1000));
    await lost.close();
    const store = await openOn(left, durability);
    await check(store, seed);
    await store.close();
  }
}

function createAt(store: ObjectStore, name: string, durability: Durability): Promise<unknown> {
  return store.createBucket({ name, owner: 'owner-1', region: 'eu-central-1', durability });
}

/** So many small objects, one after the other. */
async function fill(store: ObjectStore, bucket: string, count: number, prefix = 'key'): Promise<void> {
  for (let index = 0; index < count; index += 1) await put(store, `${prefix}/${index}`, patternBytes(600), { bucket });
}

describe('durability per bucket', () => {
  for (const usual of [strict, memory]) {
    it(`keeps a strict write, and all before it, when weaker ones precede it (usual: ${usual.level})`, async () => {
      await afterPowerLoss(
        usual,
        async (store, seed) => {
          await createAt(store, 'weak', memory);
          await createAt(store, 'strict', strict);
          // Over one or several segments, and with the strict write alone or among weak ones of the same batch.
          await fill(store, 'weak', seed % 45);
          const among =
            seed % 3 === 0 ? [0, 1, 2].map((index) => put(store, `b/${index}`, 'y', { bucket: 'weak' })) : [];
          await Promise.all([...among, put(store, 'key', patternBytes(700, seed), { bucket: 'strict' })]);
        },
        async (store, seed) => {
          assert.ok((await readAll(store, 'key', 'strict'))?.equals(patternBytes(700, seed)), `seed ${seed}`);
          assert.equal(listKeys(store, 1000, 'weak').length, (seed % 45) + (seed % 3 === 0 ? 3 : 0), `seed ${seed}`);
        },
      );
    });
  }

  it('may lose weak writes, the latest first, and never half of one', async () => {
    let lost = 0;
    await afterPowerLoss(
      strict,
      async (store) => {
        await createAt(store, 'weak', memory);
        await fill(store, 'weak', 20, 'a');
        await put(store, 'b', 'y', { bucket: 'weak' });
      },
      async (store, seed) => {
        const keys = listKeys(store, 1000, 'weak');
        const expected = Array.from({ length: Math.min(keys.length, 20) }, (_, index) => `a/${index}`).sort();
        assert.deepEqual(keys.slice(0, 20), expected, `seed ${seed}`);
        for (const key of expected) assert.ok((await readAll(store, key, 'weak'))?.equals(patternBytes(600)));
        assert.deepEqual(store.health().damage, [], `seed ${seed}`);
        if (keys.length < 21) lost += 1;
      },
    );
    assert.ok(lost > 0, 'no power loss took anything: the test shows nothing');
  });

  it('has interval writes on the disk in time', async () => {
    await afterPowerLoss(
      memory,
      async (store) => {
        await createAt(store, 'soon', { level: 'interval', intervalMs: 5 });
        await fill(store, 'soon', 3);
        // Many short waits: on a busy machine a long one may end before what was due within it.
        for (let turn = 0; turn < 10; turn += 1) await sleep(3);
      },
      async (store, seed) => assert.equal(listKeys(store, 1000, 'soon').length, 3, `seed ${seed}`),
    );
  });

  it('makes large bodies durable before a stronger bucket names them', async () => {
    const bytes = patternBytes(9000);
    await afterPowerLoss(
      strict,
      async (store) => {
        await createAt(store, 'weak', memory);
        await createBucket(store);
        const large = await put(store, 'large', bytes, { bucket: 'weak' });
        const create = { bucket: 'weak', key: 'parts', attributes: plainAttributes, initiator: 'i' };
        const upload = await store.createUpload(create);
        const parts = [await putPart(store, upload, 1, bytes), await putPart(store, upload, 2, bytes)];
        const whole = await store.completeUpload(completionOf(upload, parts));
        const late = await store.createUpload({ ...create, key: 'late' });
        const part = await putPart(store, late, 1, bytes);
        for (const source of [large, whole]) {
          await store.copyObject({ bucket: 'bucket', key: source.key, source, attributes: plainAttributes });
        }
        await store.putBucketConfiguration('weak', 'durability', { level: 'strict' });
        await store.completeUpload(completionOf(late, [part]));
      },
      async (store, seed) => {
        assert.ok((await readAll(store, 'large'))?.equals(bytes), `seed ${seed}`);
        assert.ok((await readAll(store, 'parts'))?.equals(Buffer.concat([bytes, bytes])), `seed ${seed}`);
        assert.ok((await readAll(store, 'late', 'weak'))?.equals(bytes), `seed ${seed}`);
      },
    );
  });

  it('syncs as much as each bucket asks for, and no more', async () => {
    await withDataFolder(async (directory) => {
      const syncs: string[] = [];
      const record = ({ kind, path }: DiskOperation): undefined => {
        if (kind === 'sync') syncs.push(path.slice(directory.length + 1));
      };
      const store = await openDiskStore({ directory, disk: faultyDisk(nodeDisk, record), compaction: 'on demand' });
      await createAt(store, 'weak', memory);
      await createAt(store, 'soon', { level: 'interval', intervalMs: 60_000 });
      await createBucket(store);
      const syncsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
        syncs.length = 0;
        await work();
        return syncs.map((path) => path.split('/')[0] ?? '');
      };
      const large = patternBytes(largeSizeBytes);
      // A strict write after strict ones goes through to the disk by itself.
      assert.deepEqual(await syncsOf(() => put(store, 'key', 'x')), []);
      assert.deepEqual(await syncsOf(() => put(store, 'large', large)), ['blobs']);
      assert.deepEqual(await syncsOf(() => put(store, 'key', 'x', { bucket: 'weak' })), []);
      assert.deepEqual(await syncsOf(() => put(store, 'large', large, { bucket: 'weak' })), []);
      assert.deepEqual(await syncsOf(() => put(store, 'key', 'x', { bucket: 'soon' })), []);
      assert.deepEqual(await syncsOf(() => put(store, 'key', 'x')), ['journal']);
      assert.deepEqual(await syncsOf(() => put(store, 'key', 'x')), []);
      await store.close();
    });
  });

  it('remembers and shows the level of a bucket, and refuses what is none', async () => {
    await withDataFolder(async (directory) => {
      const interval: Durability = { level: 'interval', intervalMs: 50 };
      let store = await openDiskStore({ directory });
      await createBucket(store);
      await createAt(store, 'weak', memory);
      await createAt(store, 'soon', interval);
      await store.close();
      store = await openDiskStore({ directory, durability: { level: 'interval', intervalMs: 7 } });
      assert.deepEqual(store.durabilityOf('weak'), memory);
      assert.deepEqual(store.durabilityOf('soon'), interval);
      assert.deepEqual(store.durabilityOf('bucket'), { level: 'interval', intervalMs: 7 });
      assert.deepEqual(store.health().bucketDurabilities, [
        { bucket: 'soon', durability: interval },
        { bucket: 'weak', durability: memory },
      ]);
      for (const wrong of ['strict', { level: 'soon' }, { level: 'interval' }, { level: 'interval', intervalMs: 0 }]) {
        await assert.rejects(store.putBucketConfiguration('weak', 'durability', wrong), /is no durability/);
      }
      await store.putBucketConfiguration('weak', 'durability', undefined);
      await store.deleteBucket('soon');
      assert.deepEqual(store.health().bucketDurabilities, []);
      await store.close();
    });
  });
});
