import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeDisk } from '../disk/node-disk.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import type { Fault } from '../testing/disk-operation.ts';
import { faultyDisk } from '../testing/faulty-disk.ts';
import { drivenByItself } from '../testing/io-order.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { SimulatedDisk } from '../testing/simulated-disk.ts';
import { type RemovedRange, RemovedSegments } from './removed-segments.ts';

/** Segment `number` holds ten records. */
function one(number: number): RemovedRange {
  return { firstSegment: number, lastSegment: number, firstLsn: number * 10, lastLsn: number * 10 + 9 };
}

describe('ledger of removed segments', () => {
  it('remembers what was removed, neighbours as one', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      const place = { disk: nodeDisk, folder };
      const empty = await RemovedSegments.read(place);
      assert.deepEqual([empty.last, empty.has(1), empty.skip(10)], [undefined, false, 10]);
      await empty.add([one(5), one(2)]);
      await empty.add([one(3), one(9)]);
      await empty.add([one(4)]);
      for (const ledger of [empty, await RemovedSegments.read(place)]) {
        assert.equal(ledger.damaged, false);
        assert.deepEqual(
          [1, 2, 3, 4, 5, 6, 8, 9, 10].filter((number) => ledger.has(number)),
          [2, 3, 4, 5, 9],
        );
        assert.deepEqual(
          [19, 20, 37, 59, 60, 90, 100].map((lsn) => ledger.skip(lsn)),
          [19, 60, 60, 60, 60, 100, 100],
        );
        assert.deepEqual(ledger.last, { segment: 9, lsn: 99 });
        assert.deepEqual([ledger.firstLsnOf(2), ledger.firstLsnOf(3), ledger.firstLsnOf(9)], [20, undefined, 90]);
      }
      // A header, two ranges, and a checksum.
      assert.equal((await readFile(join(folder, 'removed'))).length, 12 + 2 * 20 + 4);
    });
  });

  it('knows when it is damaged', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      const place = { disk: nodeDisk, folder };
      await (await RemovedSegments.read(place)).add([one(1), one(5)]);
      const path = join(folder, 'removed');
      const whole = await readFile(path);
      for (let at = 0; at < whole.length; at += 1) {
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        await writeFile(path, flipped);
        assert.equal((await RemovedSegments.read(place)).damaged, true, `flipped at ${at}`);
        await writeFile(path, whole.subarray(0, at));
        assert.equal((await RemovedSegments.read(place)).damaged, true, `cut at ${at}`);
      }
    });
  });

  it('is durable once it was written again, whatever an earlier opening could not make durable', async () => {
    for (let seed = 0; seed < 8; seed += 1) {
      const random = new SeededRandom(seed);
      const options = { random, schedule: drivenByItself(random) };
      let isFailing = false;
      const fault: Fault = ({ kind }) => (isFailing && kind === 'syncFolder' ? 'EIO' : undefined);
      const failing = new SimulatedDisk({ ...options, fault });
      const ledger = await RemovedSegments.read({ disk: failing, folder: '/' });
      await ledger.add([one(1)]);
      isFailing = true;
      await assert.rejects(ledger.add([one(2)]), { code: 'EIO' });
      assert.equal(ledger.has(2), false);
      // The process ends, and the machine goes on: the ledger is seen as it was to be.
      const disk = failing.processEnd(options);
      const seen = await RemovedSegments.read({ disk, folder: '/' });
      assert.equal(seen.has(2), true);
      await seen.writeAgain();
      const left = await RemovedSegments.read({ disk: disk.powerLoss(options), folder: '/' });
      assert.equal(left.has(2), true, `seed ${seed}`);
    }
  });

  it('is as before when it cannot be written', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      let failing: string | undefined;
      const disk = faultyDisk(nodeDisk, ({ kind }) => (kind === failing ? 'EIO' : undefined));
      const ledger = await RemovedSegments.read({ disk, folder });
      await ledger.add([one(1)]);
      for (const kind of ['create', 'write', 'sync', 'rename', 'syncFolder']) {
        failing = kind;
        await assert.rejects(ledger.add([one(2)]), { code: 'EIO' });
        assert.equal(ledger.has(2), false);
      }
      failing = undefined;
      await ledger.add([one(2)]);
      assert.equal((await RemovedSegments.read({ disk: nodeDisk, folder })).has(2), true);
    });
  });
});
