// Invariant 8: a disk that is full of small objects has room again once enough of them are deleted, and nothing is lost.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createBucket, listKeys, patternBytes, put, readAll } from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore } from '../disk-store-options.ts';
import { isStoreError } from '../store-error.ts';

const objectSizeBytes = 40_000;

/** Runs in a folder with 20 MiB of room. */
async function withSmallDisk(context: TestContext, run: (directory: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'stowage-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', root], { stdio: 'ignore' });
  } catch {
    await rmdir(root);
    context.skip('NOT RUN: mounting a small file system needs root');
    return;
  }
  try {
    await run(join(root, 'data'));
  } finally {
    execFileSync('umount', ['-l', root]); // lazily: a test that fails leaves its store open
    await rm(root, { recursive: true, force: true });
  }
}

function keyOf(index: number): string {
  return `key-${String(index).padStart(4, '0')}`;
}

function contentOf(index: number): Buffer {
  return patternBytes(objectSizeBytes, index);
}

/** Puts from `start` on until one is refused; answers how many were taken. */
async function fillUp(store: DiskStore, start: number): Promise<number> {
  for (let index = start; ; index += 1) {
    try {
      await put(store, keyOf(index), contentOf(index));
    } catch (cause) {
      assert.ok(isStoreError(cause) && cause.code === 'DiskFull', String(cause));
      return index - start;
    }
  }
}

describe('compaction on a full disk', () => {
  const cases = [
    ['all in the segment that is being written', 56 * 1024 * 1024],
    ['spread over many segments', 512 * 1024],
  ] as const;
  for (const [what, segmentSizeBytes] of cases) {
    it(`brings room back when small objects are deleted, ${what}`, async (context) => {
      await withSmallDisk(context, async (directory) => {
        const sizes = { segmentSizeBytes, zeroAheadBytes: 128 * 1024, reserveSizeBytes: 2 * 1024 * 1024 };
        let nowMs = 1_700_000_000_000;
        let store = await openDiskStore({ directory, sizes, clock: () => nowMs });
        await createBucket(store);
        const count = await fillUp(store, 0);
        assert.equal(store.health().diskFull, true);
        const kept: number[] = [];
        for (let index = 0; index < count; index += 1) {
          if (index % 20 === 0) kept.push(index);
          else await store.deleteObject({ bucket: 'bucket', key: keyOf(index) });
        }
        const until = performance.now() + 20_000;
        let again = 0;
        while (again < count / 2) {
          assert.ok(performance.now() < until, `${again} puts of ${count} were taken within 20 s`);
          nowMs += 2000; // the next try to put the reserve back is due
          const taken = await fillUp(store, count + again);
          again += taken;
          if (taken === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        }
        for (let index = 0; index < again; index += 1) kept.push(count + index);
        assert.deepEqual(listKeys(store), kept.map(keyOf));
        await store.close();
        store = await openDiskStore({ directory, sizes, clock: () => nowMs });
        assert.deepEqual(listKeys(store), kept.map(keyOf));
        for (const index of kept)
          assert.ok((await readAll(store, keyOf(index)))?.equals(contentOf(index)), keyOf(index));
        assert.deepEqual(store.health().damage, []);
        await store.close();
      });
    });
  }
});
