// The contract of ObjectStore, on a disk store that is compacted all the time: what a user sees does not depend on it. And
// deletions, which compaction must carry forward, do not pile up.

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { testObjectStore } from '../contract/object-store.contract.ts';
import { createBucket, listKeys, patternBytes, put, readAll } from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore } from '../disk-store-options.ts';
import { isStoreError } from '../store-error.ts';
import { segmentPaths, withDataFolder } from '../testing/data-folder.ts';

const sizes = { segmentSizeBytes: 8000, zeroAheadBytes: 2048, reserveSizeBytes: 64 * 1024 };

testObjectStore('disk store that is compacted all the time', async (clock) => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
  const store = await openDiskStore({ directory, clock, sizes, compaction: 'on demand' });
  const compacting = compactAllTheTime(store, directory);
  return {
    store,
    close: async () => {
      await Promise.all([store.close(), compacting]);
      await rm(directory, { recursive: true });
    },
  };
});

async function compactAllTheTime(store: DiskStore, directory: string): Promise<void> {
  for (;;) {
    const numbers = (await segmentPaths(directory)).map((path) => Number.parseInt(path.slice(-10), 10));
    try {
      await store.compact(numbers);
    } catch (cause) {
      if (isStoreError(cause) && cause.code === 'Closed') return;
      throw cause;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('deletions that compaction carries', () => {
  it('do not pile up behind an old segment that is live', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory, sizes, compaction: 'on demand' });
      await createBucket(store);
      for (let index = 0; index < 20; index += 1) await put(store, `live-${index}`, patternBytes(500, index));
      for (let round = 0; round < 30; round += 1) {
        const keys = Array.from({ length: 25 }, (_, index) => `short-lived-${round}-${index}`);
        await Promise.all(keys.map((key) => put(store, key, 'x')));
        await Promise.all(keys.map((key) => store.deleteObject({ bucket: 'bucket', key })));
        await store.compact();
      }
      const paths = await segmentPaths(directory);
      const journalBytes = (await Promise.all(paths.map(async (path) => (await stat(path)).size))).reduce(
        (a, b) => a + b,
      );
      assert.equal(listKeys(store).length, 20);
      for (let index = 0; index < 20; index += 1) {
        assert.ok((await readAll(store, `live-${index}`))?.equals(patternBytes(500, index)));
      }
      // 750 deletions at 96 bytes each would alone be nine segments.
      assert.ok(paths.length <= 9, `${paths.length} segments of ${journalBytes} bytes`);
      await store.close();
    });
  });
});
