import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkedClock } from './checked-clock.ts';
import { createBucket, put } from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import { openMemoryStore } from './memory-store.ts';
import { withDataFolder } from './testing/data-folder.ts';

const refusal = {
  name: 'RangeError',
  message: /^The clock that was passed in says .*: expected milliseconds since 1970/,
};
const impossible = [-1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY];

describe('a clock that is passed in', () => {
  it('says whole milliseconds that can be written down', () => {
    for (const [says, is] of [
      [0, 0],
      [1.5, 1],
      [2 ** 48 - 1, 2 ** 48 - 1],
    ] as const) {
      assert.equal(checkedClock(() => says)(), is);
    }
    for (const nowMs of impossible)
      assert.throws(
        checkedClock(() => nowMs),
        refusal,
      );
  });

  it('is refused by a store when it cannot be right', async () => {
    for (const nowMs of impossible) {
      const clock = (): number => nowMs;
      assert.throws(() => openMemoryStore({ clock }), refusal);
      await withDataFolder(async (directory) => {
        await assert.rejects(openDiskStore({ directory, clock }), refusal);
        await (await openDiskStore({ directory })).close(); // nothing was locked, nor left
      });
    }
  });

  it('writes no wrong time when it goes wrong later', async () => {
    let nowMs = 1000;
    const store = openMemoryStore({ clock: () => nowMs });
    await createBucket(store);
    nowMs = Number.NaN;
    await assert.rejects(put(store, 'key', 'bytes'), refusal);
    nowMs = 2000.75;
    assert.equal((await put(store, 'key', 'bytes')).lastModifiedMs, 2000);
    await store.close();
  });
});
