import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkStore } from './checking/check-store.ts';
import { rebuildStore } from './checking/rebuild-store.ts';
import { createBucket, put, storeError } from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import { requireOneFileSystem } from './one-file-system.ts';
import { withDataFolder } from './testing/data-folder.ts';
import { drivenByItself } from './testing/io-order.ts';
import { SeededRandom } from './testing/seeded-random.ts';
import { SimulatedDisk } from './testing/simulated-disk.ts';

/** A folder on another file system than temporary ones, where this machine has one. */
async function otherFileSystem(): Promise<string | undefined> {
  const own = (await stat(tmpdir())).dev;
  for (const path of ['/dev/shm', '/run', '/var/tmp']) {
    try {
      if ((await stat(path)).dev !== own) return await mkdtemp(join(path, 'stowage-other-'));
    } catch {
      // not there, or not ours to write to: the next one
    }
  }
  return undefined;
}

describe('folders of a store on another file system', () => {
  it('are refused before anything is written', async (test) => {
    const other = await otherFileSystem();
    if (other === undefined) return test.skip('all that can be written to is one file system');
    try {
      await withDataFolder(async (directory) => {
        const store = await openDiskStore({ directory });
        await createBucket(store);
        await put(store, 'key', 'bytes');
        await store.close();
        for (const name of ['journal', 'blobs', 'index', 'quarantine']) {
          const here = join(directory, name);
          const there = join(other, name);
          await cp(here, there, { recursive: true });
          await rm(here, { recursive: true });
          await symlink(there, here);
          const before = await readdir(directory, { recursive: true });
          const refusal = {
            ...storeError('Scattered'),
            message: new RegExp(`^${name}/ of .* is on another file system`),
          };
          await assert.rejects(openDiskStore({ directory }), refusal);
          await assert.rejects(rebuildStore({ directory }), refusal);
          await assert.rejects(checkStore({ directory, repair: true }), refusal);
          assert.deepEqual(await readdir(directory, { recursive: true }), before);
          await rm(here);
          await cp(there, here, { recursive: true });
        }
        await (await openDiskStore({ directory })).close();
      });
    } finally {
      await rm(other, { recursive: true });
    }
  });

  it('may be links on the same one', async () => {
    await withDataFolder(async (directory) => {
      await (await openDiskStore({ directory })).close();
      const elsewhere = join(directory, '..', 'blobs-elsewhere');
      await cp(join(directory, 'blobs'), elsewhere, { recursive: true });
      await rm(join(directory, 'blobs'), { recursive: true });
      await symlink(elsewhere, join(directory, 'blobs'));
      await (await openDiskStore({ directory })).close();
    });
  });

  it('are known to the simulated disk, whose renames end there', async () => {
    const random = new SeededRandom(1);
    const disk = new SimulatedDisk({ random, schedule: drivenByItself(random) });
    for (const path of ['/data', '/data/blobs', '/data/index', '/data/quarantine']) await disk.createFolder(path);
    await requireOneFileSystem(disk, '/data');
    disk.mounts = ['/data/blobs', '/data/index'];
    await assert.rejects(requireOneFileSystem(disk, '/data'), {
      ...storeError('Scattered'),
      message: /^blobs\/, index\/ of \/data are on another file system/,
    });
    await (await disk.create('/data/blobs/one', 'write')).close();
    await disk.rename('/data/blobs/one', '/data/blobs/two');
    await assert.rejects(disk.rename('/data/blobs/two', '/data/quarantine/two'), { code: 'EXDEV' });
  });
});
