// Scrub finds every flipped byte, names the objects that it concerns, keeps to its rate, and goes on after a restart.

import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createBucket, patternBytes, put, readAll, storeError } from '../contract/store-under-test.ts';
import { DamageLog } from '../damage-log.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { openDiskStore } from '../disk-store.ts';
import { openLmdbIndex } from '../ordered-index/lmdb-index.ts';
import { damageBodies, damageKinds, fillForDamage, findDamagePlace } from '../testing/damage.ts';
import { blobPaths, flipByte, withDataFolder } from '../testing/data-folder.ts';
import { until } from '../testing/until.ts';
import { Scrubber, usualScrub } from './scrub.ts';

describe('scrub', () => {
  it('finds nothing in a store that is whole, and counts what it read', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const store = await openDiskStore({ directory });
      const summary = await store.scrub();
      assert.deepEqual({ ...summary, checkedBytes: 0 }, { segments: 1, blobs: 3, checkedBytes: 0, damaged: 0 });
      assert.ok(summary.checkedBytes > 1_700_000);
      assert.deepEqual(store.health().damage, []);
      assert.equal(store.health().scrub?.checkedBytes, summary.checkedBytes);
      await store.close();
    });
  });

  for (const kind of damageKinds) {
    it(`finds a flipped byte: ${kind}`, async () => {
      await withDataFolder(async (directory) => {
        await fillForDamage(directory);
        const place = await findDamagePlace(directory, kind);
        await flipByte(place.path, place.offset);
        const told: string[] = [];
        const store = await openDiskStore({ directory, log: (...line) => told.push(JSON.stringify(line)) });
        const { damaged } = await store.scrub();
        assert.equal(damaged, 1);
        const { damage = [], damageCount } = store.health();
        assert.equal(damageCount, damaged);
        for (const found of damage) {
          assert.ok(found.offset <= place.offset && place.offset < found.offset + found.sizeBytes);
          assert.deepEqual((found.objects ?? []).map(({ key }) => key).sort(), [...place.keys].sort());
          const aside = `${found.file.replaceAll('/', '-')}-${found.offset}-${found.sizeBytes}`;
          assert.ok((await readdir(join(directory, 'quarantine'))).includes(aside));
        }
        for (const key of place.keys)
          assert.ok(
            told.some((line) => line.includes(`bucket/${key}`)),
            key,
          );
        const body = kind.startsWith('blob') ? 'large' : 'small';
        if (place.refused) await assert.rejects(readAll(store, body), storeError('Corrupt'));
        else assert.ok((await readAll(store, body))?.equals(damageBodies[body]));
        assert.ok((await readAll(store, 'other'))?.equals(damageBodies.other));
        assert.equal((await store.scrub()).damaged, damaged, 'and again');
        // A flipped checksum is one place, the block that is refused for it another.
        assert.equal(store.health().damageCount, kind === 'blob checksums' ? 2 : 1, 'but counted once');
        await store.close();
      });
    });
  }

  it('finds a blob that is gone, and not one that nothing needs', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const store = await openDiskStore({ directory });
      for (const path of await blobPaths(directory)) await rm(path);
      await store.scrub();
      const keys = (store.health().damage ?? []).flatMap(({ objects = [] }) => objects.map(({ key }) => key));
      assert.deepEqual(keys.sort(), ['copy', 'large', 'parts', 'parts']);
      for (const key of ['copy', 'large', 'parts']) await store.deleteObject({ bucket: 'bucket', key });
      assert.equal((await store.scrub()).damaged, 0);
      await store.close();
    });
  });

  it('has a whole look at a file in which a read found damage', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const { path } = await findDamagePlace(directory, 'blob data');
      await flipByte(path, 10);
      await flipByte(path, 1_000_000);
      const store = await openDiskStore({ directory });
      await assert.rejects(readAll(store, 'large'), storeError('Corrupt'));
      const named = (): number => (store.health().damage ?? []).filter(({ objects }) => objects?.length === 2).length;
      const quarantined = async (): Promise<number> => (await readdir(join(directory, 'quarantine'))).length;
      await until(async () => named() >= 2 && (await quarantined()) >= 2, 'both places, with both objects and a copy');
      await store.close();
    });
  });

  it('keeps to its rate, stops at once, and goes on where it was after a restart', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory });
      await createBucket(store);
      for (let count = 0; count < 8; count += 1) await put(store, `large/${count}`, patternBytes(1_500_000, count));
      await store.close();
      const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
      const log = (): void => undefined;
      const damage = new DamageLog({ disk: nodeDisk, quarantineFolder: join(directory, 'quarantine'), log });
      let nowMs = 1_000_000;
      const settings = { ...usualScrub, bytesPerSecond: 1_000_000 };
      const slept: number[] = [];
      let stopAfterBytes = 6_000_000;
      const open = (): Scrubber => {
        const scrubber: Scrubber = new Scrubber({
          disk: nodeDisk,
          directory,
          index,
          damage,
          settings,
          clock: () => Math.floor(nowMs),
          log,
          checkIndex: async () => true,
          mayWrite: () => true,
          sleep: async (ms, signal) => {
            if (signal.aborted) return;
            nowMs += ms;
            slept.push(ms);
            if (scrubber.health.checkedBytes >= stopAfterBytes || scrubber.health.passesCompleted > 0)
              void scrubber.stop();
            await new Promise(setImmediate);
          },
        });
        return scrubber;
      };
      const whole = (await open().scrub()).checkedBytes;
      const first = open();
      first.start();
      await first.stop();
      const startMs = nowMs;
      assert.equal(first.health.checkedBytes, 0, 'stopped before the first delay is over');

      const second = open();
      second.start();
      await until(() => second.health.checkedBytes >= stopAfterBytes);
      await second.stop();
      assert.ok(second.health.running);
      const rate = second.health.checkedBytes / ((nowMs - startMs - 60_000) / 1000);
      assert.ok(Math.abs(rate / settings.bytesPerSecond - 1) < 0.2, `${rate} bytes a second`);

      stopAfterBytes = Number.POSITIVE_INFINITY;
      const third = open();
      third.start();
      await until(() => third.health.passesCompleted > 0);
      await third.stop();
      const both = second.health.checkedBytes + third.health.checkedBytes;
      assert.ok(both >= whole && both < whole + 1_600_000, `${both} of ${whole}: at most one blob is read again`);
      assert.equal(third.health.running, false);

      const completedAtMs = third.health.lastCompletedAtMs ?? 0;
      const fourth = open();
      fourth.start();
      await until(() => fourth.health.passesCompleted > 0);
      await fourth.stop();
      assert.ok((fourth.health.lastStartedAtMs ?? 0) >= completedAtMs + settings.pauseMs, 'the next pass waits');
      await index.close();
    });
  });
});
