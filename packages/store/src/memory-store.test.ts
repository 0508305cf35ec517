import { testObjectStore } from './contract/object-store.contract.ts';
import { openMemoryStore } from './memory-store.ts';

testObjectStore('memory store', async (clock) => {
  const store = openMemoryStore({ clock });
  return { store, close: () => store.close() };
});
