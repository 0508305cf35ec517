// Finds and forgets the garbage rows of the index: blobs that nothing references any more.

import { keyspace, wholeKeyspace } from './catalog/index-keys.ts';
import type { IndexChange, IndexChanges, IndexReader } from './ordered-index/ordered-index.ts';

const garbageName = String.fromCharCode(keyspace.garbage);

/** Whether a batch has left blobs behind. */
export function makesGarbage(changes: IndexChanges): boolean {
  for (const name of changes.keys()) if (name.startsWith(garbageName)) return true;
  return false;
}

/** At most `limit` garbage rows. */
export function listGarbage(
  index: IndexReader,
  limit: number,
): { readonly blobIds: Buffer[]; readonly removal: IndexChanges } {
  const blobIds: Buffer[] = [];
  const removal = new Map<string, IndexChange>();
  index.scan(wholeKeyspace(keyspace.garbage), (key) => {
    if (blobIds.length === limit) return false;
    blobIds.push(key.subarray(1));
    removal.set(key.toString('latin1'), { key, value: undefined });
    return true;
  });
  return { blobIds, removal };
}
