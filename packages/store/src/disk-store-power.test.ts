// What the power-loss simulator has found (tests/store/power-loss), each as a test of its own.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBucket, plainAttributes, put, readAll, storeError } from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore, DiskStoreOptions } from './disk-store-options.ts';
import { SpaceReserve } from './space-reserve.ts';
import { isStoreError } from './store-error.ts';
import { usualSizes } from './store-sizes.ts';
import type { DiskOperation, Fault } from './testing/disk-operation.ts';
import { drivenByItself } from './testing/io-order.ts';
import { SeededRandom } from './testing/seeded-random.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from './testing/simulated-disk.ts';
import { openSimulatedIndex } from './testing/simulated-index.ts';
import { until } from './testing/until.ts';

const directory = '/above/data';
/** Chance decides what power loss leaves: each test takes some of it. */
const seeds = 8;

function diskOptions(seed: number, fault?: Fault): SimulatedDiskOptions {
  const random = new SeededRandom(seed);
  return { random, schedule: drivenByItself(random), ...(fault === undefined ? undefined : { fault }) };
}

function openOn(disk: SimulatedDisk, options: Partial<DiskStoreOptions> = {}): Promise<DiskStore> {
  const sizes = { reserveSizeBytes: 64 * 1024, zeroAheadBytes: 8192 };
  return openDiskStore({ directory, disk, openIndex: openSimulatedIndex, sizes, hashThreads: 0, ...options });
}

/** Has one operation fail, once it is armed. */
function oneFailure(matches: (operation: DiskOperation) => boolean): { readonly fault: Fault; arm(): void } {
  let armed = false;
  return {
    fault: (operation) => {
      if (!armed || !matches(operation)) return undefined;
      armed = false;
      return 'EIO';
    },
    arm: () => {
      armed = true;
    },
  };
}

describe('disk store and the loss of power', () => {
  it('is there when whoever made its folders died before their names were durable', async () => {
    for (let seed = 0; seed < seeds; seed += 1) {
      const first = new SimulatedDisk(diskOptions(seed));
      await first.createFolder('/above');
      await first.createFolder(directory);
      const disk = first.processEnd(diskOptions(seed));
      const store = await openOn(disk);
      await createBucket(store);
      await put(store, 'key', 'durable');
      const again = await openOn(disk.powerLoss(diskOptions(seed)));
      assert.equal(String(await readAll(again, 'key')), 'durable');
      await again.close();
    }
  });

  it('acknowledges nothing beside a sync of the journal that fails', async () => {
    for (let seed = 0; seed < seeds; seed += 1) {
      const failure = oneFailure(({ kind, path }) => kind === 'sync' && path.endsWith('.seg'));
      const disk = new SimulatedDisk(diskOptions(seed, failure.fault));
      const store = await openOn(disk, { durability: { level: 'interval', intervalMs: 5 } });
      await createBucket(store);
      await store.createBucket({ name: 'strict', owner: 'o', region: 'r', durability: { level: 'strict' } });
      await put(store, 'weak', 'in the cache alone');
      failure.arm();
      // The sync of the interval fails while strict writes are under way.
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, async (_, index) => {
          await new Promise((resolve) => setTimeout(resolve, index));
          await put(store, `key ${index}`, 'strict', { bucket: 'strict' });
        }),
      );
      const again = await openOn(disk.powerLoss(diskOptions(seed)));
      for (const [index, { status }] of results.entries()) {
        if (status === 'rejected') continue;
        assert.equal(String(await readAll(again, `key ${index}`, 'strict')), 'strict', `key ${index}, seed ${seed}`);
      }
      await again.close();
    }
  });

  it('writes again what a failed sync has left in the cache, when it is opened anew', async () => {
    for (let seed = 0; seed < seeds; seed += 1) {
      const failure = oneFailure(({ kind, path }) => kind === 'write' && path.endsWith('.seg'));
      const disk = new SimulatedDisk(diskOptions(seed, failure.fault));
      const store = await openOn(disk);
      await createBucket(store);
      failure.arm();
      await put(store, 'doubtful', 'x'.repeat(3000)).catch(() => undefined); // what becomes of it, the next opening decides
      const reopenedOn = disk.processEnd(diskOptions(seed));
      const reopened = await openOn(reopenedOn);
      const shown = await readAll(reopened, 'doubtful');
      await put(reopened, 'later', 'durable');
      const again = await openOn(reopenedOn.powerLoss(diskOptions(seed)));
      assert.deepEqual(again.health().damage, []);
      assert.deepEqual(await readAll(again, 'doubtful'), shown);
      assert.equal(String(await readAll(again, 'later')), 'durable');
      await again.close();
    }
  });

  it('rests nothing on a sync of its folder beside one that fails for somebody else', async () => {
    let failures = 0;
    for (let seed = 0; seed < seeds; seed += 1) {
      // For the list of removed segments, while new segments are begun: the name of one that nothing is in yet may go, too.
      let isLedgerNamed = false;
      const fault: Fault = ({ kind, path }) => {
        if (kind === 'rename' && path.endsWith('/removed')) isLedgerNamed = true;
        if (!isLedgerNamed || kind !== 'syncFolder' || !path.endsWith('/journal')) return undefined;
        isLedgerNamed = false;
        failures += 1;
        return 'EIO';
      };
      const disk = new SimulatedDisk(diskOptions(seed, fault));
      const store = await openOn(disk, { sizes: { segmentSizeBytes: 512, zeroAheadBytes: 1024 } });
      await createBucket(store);
      for (let index = 0; index < 3; index += 1) await put(store, 'replaced', 'x'.repeat(900));
      const compacting = store.compact([1, 2]).catch(() => undefined); // the store stops, and is asked why below
      const acknowledged: string[] = [];
      for (let index = 0; index < 100 && store.health().status === 'ok'; index += 1) {
        const key = `key ${index}`;
        await put(store, key, 'x'.repeat(900)).then(
          () => acknowledged.push(key),
          (cause: unknown) => assert.equal(isStoreError(cause) ? cause.code : cause, 'ReadOnly'),
        );
      }
      await compacting;
      await store.compact().catch(() => undefined);
      const again = await openOn(disk.powerLoss(diskOptions(seed)));
      assert.deepEqual(again.health().damage, [], `seed ${seed}`);
      for (const key of acknowledged) assert.equal((await readAll(again, key))?.length, 900, `${key}, seed ${seed}`);
      await again.close();
    }
    assert.equal(failures, seeds);
  });

  it('writes a loose body again that is copied to where more is promised, if an earlier opening may have failed to', async () => {
    for (let seed = 0; seed < seeds; seed += 1) {
      const failure = oneFailure(({ kind, path }) => kind === 'sync' && path.includes('/blobs/'));
      const disk = new SimulatedDisk(diskOptions(seed, failure.fault));
      const sizes = { maxInlineBytes: 100, reserveSizeBytes: 64 * 1024, zeroAheadBytes: 8192 };
      const store = await openOn(disk, { sizes });
      await createBucket(store);
      await store.createBucket({ name: 'loose', owner: 'o', region: 'r', durability: { level: 'memory' } });
      const body = Buffer.alloc(5000, 1);
      const { sequence } = await put(store, 'key', body, { bucket: 'loose' });
      const copy = (at: DiskStore, key: string): Promise<unknown> =>
        at.copyObject({
          bucket: 'bucket',
          key,
          source: { bucket: 'loose', key: 'key', sequence },
          attributes: plainAttributes,
        });
      failure.arm();
      await assert.rejects(copy(store, 'refused'), storeError('ReadOnly'));
      // The process is started again, the machine is not: the system takes the body for written.
      const reopenedOn = disk.processEnd(diskOptions(seed));
      const reopened = await openOn(reopenedOn, { sizes });
      await copy(reopened, 'copied');
      const again = await openOn(reopenedOn.powerLoss(diskOptions(seed)), { sizes });
      assert.deepEqual(await readAll(again, 'copied'), body, `seed ${seed}`);
      await again.close();
    }
  });

  it('stops writing when a folder cannot be synced after bodies were removed from it', async () => {
    const failure = oneFailure(({ kind, path }) => kind === 'syncFolder' && path.includes('/blobs/'));
    const store = await openOn(new SimulatedDisk(diskOptions(1, failure.fault)), { sizes: { maxInlineBytes: 100 } });
    await createBucket(store);
    await put(store, 'large', Buffer.alloc(5000, 1));
    failure.arm();
    await store.deleteObject({ bucket: 'bucket', key: 'large' });
    await until(() => store.health().status !== 'ok', 'it stops writing');
    await assert.rejects(put(store, 'later', 'x'), storeError('ReadOnly'));
    await store.close();
  });
});

describe('space reserve', () => {
  async function openReserve(): Promise<{ reserve: SpaceReserve; disk: SimulatedDisk }> {
    const disk = new SimulatedDisk(diskOptions(1));
    await disk.createFolder('/above');
    await disk.createFolder(directory);
    const options = { disk, directory, clock: () => 0, random: (sizeBytes: number) => Buffer.alloc(sizeBytes) };
    const reserve = new SpaceReserve({ ...options, sizes: { ...usualSizes, reserveSizeBytes: 8192 } });
    await reserve.restore();
    return { reserve, disk };
  }

  const full = (): never => {
    throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
  };

  it('is given up for all who find no room at the same time', async () => {
    const { reserve, disk } = await openReserve();
    let attempts = 0;
    const work = async (): Promise<string> => {
      attempts += 1;
      return disk.usedBytes > 0 ? full() : 'done';
    };
    assert.deepEqual(await Promise.all([reserve.spend(work), reserve.spend(work)]), ['done', 'done']);
    assert.equal(attempts, 4);
  });

  it('is given up only once the writes of puts have ended, and to none of them', async () => {
    const { reserve, disk } = await openReserve();
    const writing = Promise.withResolvers<void>();
    const put = reserve.use(() => writing.promise);
    let attempts = 0;
    const deletion = reserve.spend(async () => {
      attempts += 1;
      return attempts === 1 ? full() : disk.usedBytes;
    });
    await new Promise(setImmediate);
    assert.ok(disk.usedBytes > 0, 'a put is under way');
    await assert.rejects(
      reserve.use(async () => assert.fail('nobody may write')),
      { code: 'ENOSPC' },
    );
    writing.resolve();
    await put;
    assert.equal(await deletion, 0);
  });

  it('counts as given up for work that had begun before', async () => {
    const { reserve } = await openReserve();
    let attempts = 0;
    const result = await reserve.spend(async () => {
      attempts += 1;
      if (attempts > 1) return 'done';
      assert.equal(await reserve.release(), true, 'somebody else');
      return full();
    });
    assert.equal(result, 'done');
    await assert.rejects(
      reserve.spend(async () => full()),
      { code: 'ENOSPC' },
    );
  });
});
