// What a store does when whole files of it are gone: it never takes what is left for all there was. Nothing that the index or
// the blobs still have is removed, and fsck brings back what can be had.

import assert from 'node:assert/strict';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sweptKey } from './applied-mark.ts';
import { checkStore } from './checking/check-store.ts';
import { rebuildStore } from './checking/rebuild-store.ts';
import { createBucket, largeSizeBytes, patternBytes, put, readAll, storeError } from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore } from './disk-store-options.ts';
import { CountedIndex } from './ordered-index/counted-index.ts';
import { openLmdbIndex } from './ordered-index/lmdb-index.ts';
import { blobPaths, copyAsCrashed, segmentPaths, withDataFolder } from './testing/data-folder.ts';

const sizes = { segmentSizeBytes: 200_000 };

function open(directory: string): Promise<DiskStore> {
  return openDiskStore({ directory, sizes, compaction: 'on demand' });
}

/** Small objects in a first segment; in later ones large ones, made by a second opening, whose blobs only those name. */
async function fill(directory: string): Promise<void> {
  let store = await open(directory);
  await createBucket(store);
  for (let index = 0; index < 5; index += 1) await put(store, `small/${index}`, patternBytes(50_000, index + 1));
  await store.close();
  store = await open(directory);
  for (let index = 0; index < 3; index += 1)
    await put(store, `large/${index}`, patternBytes(largeSizeBytes, index + 1));
  await store.close();
}

async function removeLastSegment(directory: string): Promise<void> {
  await rm((await segmentPaths(directory)).at(-1) ?? '');
}

/** Opens, lets all sweeps end, and closes. */
async function openOnce(directory: string): Promise<number> {
  const store = await open(directory);
  await store.scrub();
  const { damageCount = 0 } = store.health();
  await store.close();
  return damageCount;
}

describe('disk store whose files are gone', () => {
  it('is not opened without the last segment while the index knows more; a repair loses nothing', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      await removeLastSegment(directory);
      const before = await readdir(join(directory, 'index'));
      for (const _ of [1, 2]) await assert.rejects(open(directory), storeError('Corrupt'));
      assert.deepEqual(await readdir(join(directory, 'index')), before, 'the index is left alone');
      assert.equal((await blobPaths(directory)).length, 3);
      await assert.rejects(rebuildStore({ directory }), storeError('Corrupt'));

      const found = await checkStore({ directory });
      assert.equal(found.counts.journalDamage, 1);
      assert.ok(found.findings.some(({ objects }) => objects?.some(({ key }) => key === 'large/2')));
      await checkStore({ directory, repair: true });
      const again = await checkStore({ directory });
      assert.deepEqual(
        again.findings.filter(({ kind }) => kind !== 'bodyDamage'),
        [],
      );
      const store = await open(directory);
      for (let index = 0; index < 3; index += 1) {
        assert.ok((await readAll(store, `large/${index}`))?.equals(patternBytes(largeSizeBytes, index + 1)));
      }
      await store.close();
    });
  });

  it('is not opened without a journal, or without FORMAT, beside blobs or an index', async () => {
    const losses = [
      ['journal'],
      ['journal', 'blobs'],
      ['journal', 'index'],
      ['FORMAT'],
      ['FORMAT', 'journal'],
      ['FORMAT', 'journal', 'index'],
      ['FORMAT', 'journal', 'blobs'],
    ];
    for (const lost of losses) {
      await withDataFolder(async (directory) => {
        await fill(directory);
        for (const name of lost) await rm(join(directory, name), { recursive: true });
        const blobs = lost.includes('blobs') ? 0 : 3;
        for (const _ of [1, 2]) await assert.rejects(open(directory), storeError('Corrupt'), lost.join());
        if (blobs > 0) assert.equal((await blobPaths(directory)).length, blobs);
      });
    }
  });

  it('is mended without any segment, from what the index has', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      await rm(join(directory, 'journal'), { recursive: true });
      await checkStore({ directory, repair: true });
      const store = await open(directory);
      assert.ok((await readAll(store, 'large/1'))?.equals(patternBytes(largeSizeBytes, 2)));
      await assert.rejects(readAll(store, 'small/1'), storeError('Corrupt'), 'it stays listed');
      await store.close();
      const { findings } = await checkStore({ directory });
      assert.deepEqual([...new Set(findings.map(({ kind }) => kind))], ['bodyDamage']);
    });
  });

  it('keeps all blobs for good when the end of the journal is lost with the index', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      await removeLastSegment(directory);
      await rm(join(directory, 'index'), { recursive: true });
      const damage: number[] = [];
      for (const _ of [1, 2, 3]) {
        damage.push(await openOnce(directory));
        assert.equal((await blobPaths(directory)).length, 3);
      }
      assert.ok(
        damage.every((count) => count > 0),
        `it is told of each time: ${damage.join()}`,
      );
    });
  });

  it('gives no blob the name of one that is there when journal and index are from an older copy', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      const copy = join(directory, '..', 'copy');
      for (const name of ['journal', 'index']) await cp(join(directory, name), join(copy, name), { recursive: true });
      let store = await open(directory);
      await put(store, 'later', patternBytes(largeSizeBytes, 9));
      await store.close();
      for (const name of ['journal', 'index']) {
        await rm(join(directory, name), { recursive: true });
        await cp(join(copy, name), join(directory, name), { recursive: true });
      }
      for (const key of ['new-a', 'new-b']) {
        store = await open(directory);
        assert.ok((store.health().damageCount ?? 0) > 0, 'the loss is told of');
        await put(store, key, patternBytes(largeSizeBytes, 10));
        assert.equal(store.health().status, 'ok');
        await store.close();
      }
      assert.equal((await blobPaths(directory)).length, 6, 'what only the lost records named is kept');
    });
  });

  it('keeps what was committed in a segment that went with the power', async () => {
    await withDataFolder(async (directory) => {
      await fill(directory);
      const store = await open(directory);
      await put(store, 'fill', patternBytes(300_000, 3)); // the checkpoint stays in the segment before
      await put(store, 'last', patternBytes(largeSizeBytes, 4));
      const crashed = await copyAsCrashed(directory, 'crashed');
      await store.close();
      await removeLastSegment(crashed);
      for (const _ of [1, 2]) {
        await openOnce(crashed);
        const orphans = await readdir(join(crashed, 'quarantine', 'orphans')).catch(() => []);
        assert.equal((await blobPaths(crashed)).length + orphans.length, 4, 'nothing is gone');
      }
    });
  });

  it('keeps a blob that was never committed for a week, and says its name', async () => {
    await withDataFolder(async (directory) => {
      let nowMs = 1_000_000;
      const told: string[] = [];
      const orphans = (): Promise<string[]> => readdir(join(directory, 'quarantine', 'orphans'));
      const openAndClose = async (): Promise<void> => {
        const log = (level: string, message: string, fields?: object): void => {
          told.push(`${level} ${message} ${JSON.stringify(fields)}`);
        };
        const store = await openDiskStore({ directory, clock: () => nowMs, log });
        await store.scrub();
        await new Promise((resolve) => setTimeout(resolve, 50));
        await store.close();
      };
      await fill(directory);
      const orphan = '00000000000100000077';
      await mkdir(join(directory, 'blobs', '000000000001', '000000'), { recursive: true });
      await writeFile(join(directory, 'blobs', '000000000001', '000000', orphan), 'never committed');
      // Openings after the one that it is of have been swept; the next one has not.
      const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
      CountedIndex.over(index).apply(new Map([['swept', { key: sweptKey, value: undefined }]]));
      await index.flush(async () => undefined);
      await index.close();
      await openAndClose();
      assert.deepEqual(await orphans(), [`1000000-${orphan}`]);
      assert.ok(
        told.some((line) => line.startsWith('warn') && line.includes(orphan)),
        told.join(),
      );
      nowMs += 6 * 24 * 60 * 60 * 1000;
      await openAndClose();
      assert.equal((await orphans()).length, 1);
      nowMs += 2 * 24 * 60 * 60 * 1000;
      await openAndClose();
      assert.deepEqual(await orphans(), []);
      assert.equal((await blobPaths(directory)).length, 3);
    });
  });
});
