import { testCursors } from './contract/cursors.contract.ts';
import { testObjectStore } from './contract/object-store.contract.ts';
import type { FollowedStore } from './cursors/change-cursor.ts';
import { openMemoryStore } from './memory-store.ts';

async function open(clock: () => number): Promise<{ store: FollowedStore; close(): Promise<void> }> {
  const store = openMemoryStore({ clock });
  return { store, close: () => store.close() };
}

testObjectStore('memory store', open);
testCursors('memory store', open);
