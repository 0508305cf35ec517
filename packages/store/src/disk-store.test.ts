import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testCursors } from './contract/cursors.contract.ts';
import { testObjectStore } from './contract/object-store.contract.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore } from './disk-store-options.ts';

async function open(clock: () => number): Promise<{ store: DiskStore; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
  const store = await openDiskStore({ directory, clock });
  return {
    store,
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

testObjectStore('disk store', open);
testCursors('disk store', open);
