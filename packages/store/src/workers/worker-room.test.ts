import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { storeError } from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { SpaceReserve } from '../space-reserve.ts';
import { usualSizes } from '../store-sizes.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { SharedCounters } from './shared-counters.ts';
import { workerRoom } from './worker-room.ts';

interface Parts {
  readonly reserve: SpaceReserve;
  readonly counters: SharedCounters;
  /** Whether the reserve lies on the disk. */
  isHeld(): Promise<boolean>;
}

async function withReserve(use: (parts: Parts) => Promise<void>): Promise<void> {
  await withDataFolder(async (directory) => {
    await mkdir(directory, { recursive: true });
    const counters = SharedCounters.create(2);
    const reserve = new SpaceReserve({
      disk: nodeDisk,
      directory,
      clock: () => 0,
      random: (sizeBytes) => Buffer.alloc(sizeBytes, 7),
      sizes: { ...usualSizes, reserveSizeBytes: 65_536, roomForPutsBytes: 4096 },
      onChange: (full) => {
        counters.full = full;
      },
      othersEnded: () => counters.writesEnded(),
    });
    await reserve.open(0);
    await use({ reserve, counters, isHeld: async () => (await readdir(directory)).includes('RESERVE') });
    await reserve.close();
  });
}

describe('the room of a worker', () => {
  it('is not the reserve, which is given up once the writes of all workers have ended', async () => {
    await withReserve(async ({ reserve, counters, isHeld }) => {
      const seats = [1, 2].map((seat) =>
        // As another thread has it: over the same memory.
        workerRoom({ counters: new SharedCounters(counters.memory), seat, askForRoom: () => undefined }),
      );
      const ends: (() => void)[] = [];
      const writes = seats.map((room) => room.use(() => new Promise<void>((resolve) => ends.push(resolve))));
      const released = reserve.release();
      for (const end of ends) {
        await delay(50);
        assert.ok(await isHeld(), 'a write is under way that would take it');
        for (const room of seats)
          await assert.rejects(
            room.use(async () => undefined),
            storeError('DiskFull'),
          );
        end();
      }
      assert.equal(await released, true);
      assert.equal(await isHeld(), false);
      await Promise.all(writes);
    });
  });

  it('is nobody’s concern when its thread has ended in the middle of a write', async () => {
    await withReserve(async ({ reserve, counters, isHeld }) => {
      counters.beginWrite(1);
      const released = reserve.release();
      await delay(50);
      assert.ok(await isHeld());
      counters.forgetWrites(1);
      assert.equal(await released, true);
      assert.equal(await isHeld(), false);
    });
  });

  it('is asked for while there is none', async () => {
    await withReserve(async ({ counters }) => {
      let asked = 0;
      const askForRoom = (): void => {
        asked += 1;
      };
      const room = workerRoom({ counters, seat: 1, askForRoom });
      await room.admit();
      counters.full = true;
      await room.admit();
      assert.equal(asked, 1);
    });
  });
});
