// A disk without room, and a disk that fails.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  createBucket,
  largeSizeBytes,
  listKeys,
  patternBytes,
  put,
  readAll,
  stage,
  storeError,
} from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import { isStoreError } from './store-error.ts';
import { withDataFolder } from './testing/data-folder.ts';
import { faultyDisk } from './testing/faulty-disk.ts';

describe('disk store without room', () => {
  it('refuses puts and takes deletes, and puts again when there is room', async () => {
    await withDataFolder(async (directory) => {
      let full = false;
      let nowMs = 1_700_000_000_000;
      const disk = faultyDisk(nodeDisk, ({ kind, path }) =>
        full && kind === 'write' && !path.includes('index') && !path.endsWith('.seg') ? 'ENOSPC' : undefined,
      );
      let segmentWritesFail = false;
      const failing = faultyDisk(disk, ({ kind, path, sizeBytes }) =>
        segmentWritesFail && kind === 'write' && path.endsWith('.seg') && sizeBytes > 4000 ? 'ENOSPC' : undefined,
      );
      const store = await openDiskStore({ directory, disk: failing, clock: () => nowMs });
      await createBucket(store);
      await put(store, 'small', 'kept');
      await put(store, 'large', patternBytes(largeSizeBytes));
      full = true;
      segmentWritesFail = true;
      await assert.rejects(put(store, 'other', patternBytes(largeSizeBytes)), storeError('DiskFull'));
      await assert.rejects(put(store, 'other', patternBytes(5000)), storeError('DiskFull'));
      assert.equal(store.health().diskFull, true);
      const mixed = await Promise.allSettled([
        put(store, 'mixed', 'x'),
        store.deleteObject({ bucket: 'bucket', key: 'large' }),
        put(store, 'mixed', patternBytes(9000)),
      ]);
      assert.deepEqual(
        mixed.map(({ status }) => status),
        ['rejected', 'fulfilled', 'rejected'],
      );
      assert.deepEqual(listKeys(store), ['small']);
      assert.equal(String(await readAll(store, 'small')), 'kept');
      full = false;
      segmentWritesFail = false;
      await assert.rejects(put(store, 'soon', 'x'), storeError('DiskFull'), 'the next try is not due yet');
      nowMs += 1001;
      await put(store, 'again', patternBytes(5000));
      assert.equal(store.health().diskFull, false);
      await store.close();
      const reopened = await openDiskStore({ directory });
      assert.deepEqual(listKeys(reopened), ['again', 'small']);
      assert.deepEqual(reopened.health().damage, []);
      await reopened.close();
    });
  });

  it('loses nothing on a small file system that is filled up', async (context) => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', root], { stdio: 'ignore' });
    } catch {
      await rmdir(root);
      context.skip('NOT RUN: mounting a small file system needs root');
      return;
    }
    try {
      const directory = join(root, 'data');
      let nowMs = 1_700_000_000_000;
      let store = await openDiskStore({ directory, clock: () => nowMs });
      await createBucket(store);
      const kept = await fillUp(store);
      assert.equal(store.health().diskFull, true);
      assert.equal(store.health().status, 'ok');
      assert.deepEqual(listKeys(store), kept.toSorted());
      for (const key of kept) assert.ok((await readAll(store, key))?.equals(contentOf(key)), key);
      // Everything goes but one of each kind: large bodies give room back at once.
      for (const key of kept.filter((key) => !key.endsWith('/0'))) await store.deleteObject({ bucket: 'bucket', key });
      await store.close();
      store = await openDiskStore({ directory, clock: () => nowMs });
      await untilTaken(async () => {
        nowMs += 2000;
        await put(store, 'large/again', contentOf('large/3'));
      });
      assert.deepEqual(listKeys(store), ['large/0', 'large/again', 'small/0']);
      assert.ok((await readAll(store, 'large/0'))?.equals(contentOf('large/0')));
      assert.ok((await readAll(store, 'small/0'))?.equals(contentOf('small/0')));
      assert.deepEqual(store.health().damage, []);
      await store.close();
    } finally {
      execFileSync('umount', [root]);
      await rm(root, { recursive: true });
    }
  });
});

describe('disk store on a disk that fails', () => {
  const failures = [
    ['a journal write', 'write', '.seg'],
    ['the sync of a blob', 'sync', 'blobs'],
    ['the sync of a folder', 'syncFolder', 'blobs'],
  ] as const;
  for (const [what, kind, where] of failures) {
    it(`stops writing after ${what} fails, and goes on reading`, async () => {
      await withDataFolder(async (directory) => {
        let failing = false;
        const disk = faultyDisk(nodeDisk, (operation) =>
          failing && operation.kind === kind && operation.path.includes(where) ? 'EIO' : undefined,
        );
        const store = await openDiskStore({ directory, disk });
        await createBucket(store);
        await put(store, 'before', 'durable');
        const staged = await stage(store, patternBytes(largeSizeBytes));
        failing = true;
        const content = where === '.seg' ? Buffer.from('small') : patternBytes(largeSizeBytes);
        await assert.rejects(put(store, 'failed', content), storeError('ReadOnly'));
        failing = false;
        await assert.rejects(put(store, 'after', 'x'), storeError('ReadOnly'));
        await assert.rejects(put(store, 'after', patternBytes(largeSizeBytes)), storeError('ReadOnly'));
        await assert.rejects(store.deleteObject({ bucket: 'bucket', key: 'before' }), storeError('ReadOnly'));
        await staged.discard();
        const health = store.health();
        assert.equal(health.status, 'read-only');
        assert.match(health.reason ?? '', /EIO/);
        assert.equal(String(await readAll(store, 'before')), 'durable');
        await store.close();
        const reopened = await openDiskStore({ directory });
        assert.equal(String(await readAll(reopened, 'before')), 'durable');
        assert.equal(reopened.health().status, 'ok');
        await put(reopened, 'after', 'x');
        await reopened.close();
      });
    });
  }
});

describe('disk store whose syncs say that there is no room', () => {
  const syncs = [
    ['of a new segment', 'sync', '000002.seg'],
    ['of the journal’s folder', 'syncFolder', '/journal'],
    ['of a checkpoint', 'sync', 'checkpoint.spare'],
    ['of the index’s folder', 'syncFolder', '/index'],
    ['of a blob', 'sync', '/blobs/'],
    ['of a folder of blobs', 'syncFolder', '/blobs/'],
  ] as const;
  for (const [what, kind, where] of syncs) {
    it(`stops writing after that ${what}: it is a failed sync all the same`, async () => {
      await withDataFolder(async (directory) => {
        let failing = false;
        const disk = faultyDisk(nodeDisk, (operation) =>
          failing && operation.kind === kind && operation.path.includes(where) ? 'ENOSPC' : undefined,
        );
        const sizes = { segmentSizeBytes: 100_000, checkpointEveryBytes: 60_000, reserveSizeBytes: 64 * 1024 };
        const store = await openDiskStore({ directory, disk, sizes });
        await createBucket(store);
        failing = true;
        for (let count = 0; count < 4; count += 1) {
          await put(store, `small-${count}`, patternBytes(50_000)).catch(() => undefined);
          await put(store, `large-${count}`, patternBytes(largeSizeBytes)).catch(() => undefined);
        }
        failing = false;
        await assert.rejects(put(store, 'after', 'x'), storeError('ReadOnly'));
        await store.close();
      });
    });
  }
});

describe('disk store of a process that has too many files open', () => {
  const openings = [
    ['a new segment', 'create', '000002.seg', 'small'],
    ['what a checkpoint is written into', 'create', 'checkpoint.spare', 'small'],
    ['the folder of the journal', 'syncFolder', '/journal', 'small'],
    ['a blob', 'create', '/blobs/', 'large'],
    ['a folder of blobs', 'syncFolder', '/blobs/', 'large'],
  ] as const;
  for (const [what, kind, where, size] of openings) {
    it(`goes on writing after ${what} could not be opened`, async () => {
      await withDataFolder(async (directory) => {
        let lacking = false;
        let count = 0;
        const disk = faultyDisk(nodeDisk, (operation) => {
          if (!lacking || operation.kind !== kind || !operation.path.includes(where)) return undefined;
          count += 1;
          return 'EMFILE';
        });
        const sizes = { segmentSizeBytes: 100_000, checkpointEveryBytes: 60_000, reserveSizeBytes: 64 * 1024 };
        const store = await openDiskStore({ directory, disk, sizes });
        await createBucket(store);
        lacking = true;
        const content = patternBytes(size === 'small' ? 60_000 : largeSizeBytes);
        const taken: string[] = [];
        for (const key of ['a', 'b', 'c', 'd']) {
          try {
            await put(store, key, content);
            taken.push(key);
          } catch (cause) {
            assert.ok(isStoreError(cause) && cause.code === 'Overloaded', String(cause));
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.ok(count > 0, 'it was tried');
        lacking = false;
        await put(store, 'z', content);
        assert.equal(store.health().status, 'ok');
        assert.deepEqual(listKeys(store), [...taken, 'z']);
        await store.close();
        const reopened = await openDiskStore({ directory });
        assert.deepEqual(listKeys(reopened), [...taken, 'z']);
        await reopened.close();
      });
    });
  }
});

describe('the clock of a store that is full', () => {
  for (const [what, movedMs] of [
    ['back an hour', -3_600_000],
    ['forward a year', 31_536_000_000],
  ] as const) {
    it(`may be set ${what}: puts are taken again when there is room`, async () => {
      await withDataFolder(async (directory) => {
        let nowMs = 1_700_000_000_000;
        let full = false;
        const disk = faultyDisk(nodeDisk, ({ kind, path, sizeBytes }) =>
          full && kind === 'write' && path.endsWith('.seg') && sizeBytes > 4000 ? 'ENOSPC' : undefined,
        );
        const store = await openDiskStore({ directory, disk, clock: () => nowMs });
        await createBucket(store);
        full = true;
        await assert.rejects(put(store, 'refused', patternBytes(5000)), storeError('DiskFull'));
        full = false;
        nowMs += movedMs;
        await put(store, 'taken', patternBytes(5000));
        await store.close();
      });
    });
  }
});

type Store = Awaited<ReturnType<typeof openDiskStore>>;

/** Small and large puts until both are refused; answers the keys that were taken. */
async function fillUp(store: Store): Promise<string[]> {
  const kept: string[] = [];
  for (const kind of ['large', 'small'] as const) {
    for (let count = 0; ; count += 1) {
      const key = `${kind}/${count}`;
      try {
        await put(store, key, contentOf(key));
        kept.push(key);
      } catch (cause) {
        assert.ok(isStoreError(cause) && cause.code === 'DiskFull', String(cause));
        break;
      }
    }
  }
  return kept;
}

function contentOf(key: string): Buffer {
  return patternBytes(key.startsWith('large') ? largeSizeBytes : 60_000, Number(key.split('/')[1]));
}

/** Tries until the store has room again: bytes are removed in the background. */
async function untilTaken(attempt: () => Promise<void>): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      await attempt();
      return;
    } catch (cause) {
      if (left === 0 || !isStoreError(cause) || cause.code !== 'DiskFull') throw cause;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
