// Makes journal and index durable together.

import { isDiskFull, lacksDescriptors } from './disk/disk.ts';
import type { DiskTrust } from './disk-trust.ts';
import type { Journal } from './journal/journal.ts';
import type { OrderedIndex } from './ordered-index/ordered-index.ts';
import type { SpaceReserve } from './space-reserve.ts';

interface CheckpointParts {
  readonly index: OrderedIndex;
  readonly journal: Journal;
  readonly reserve: SpaceReserve;
  readonly trust: DiskTrust;
}

/**
 * Makes journal and index durable. A failed sync stops all writing (invariant 5): the system tells of it once, and what it
 * says the next time is not to be believed. Lack of room does not: the reserve is given up for it, as for a delete.
 */
export async function makeCheckpoint({ index, journal, reserve, trust }: CheckpointParts): Promise<void> {
  const syncJournal = async (): Promise<void> => {
    await journal.sync();
    // Also when there was nothing to sync: a folder of the journal may have failed, and its segments may have no names.
    trust.require();
  };
  // Told at once, before a flush that waits for this one begins.
  const flush = (): Promise<void> =>
    index.flush(syncJournal).catch((cause: unknown) => {
      if (!isDiskFull(cause) && !lacksDescriptors(cause)) trust.lose(cause);
      throw cause;
    });
  await reserve.spend(flush);
  trust.require();
}
