import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testObjectStore } from './contract/object-store.contract.ts';
import { openDiskStore } from './disk-store.ts';

testObjectStore('disk store', async (clock) => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
  const store = await openDiskStore({ directory, clock });
  return {
    store,
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});
