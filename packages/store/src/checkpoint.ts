// Makes journal and index durable together.

import { isDiskFull } from './disk/disk.ts';
import type { Journal } from './journal/journal.ts';
import type { OrderedIndex } from './ordered-index/ordered-index.ts';
import type { SpaceReserve } from './space-reserve.ts';

interface CheckpointParts {
  readonly index: OrderedIndex;
  readonly journal: Journal;
  readonly reserve: SpaceReserve;
  readonly stopWriting: (cause: unknown) => void;
}

/**
 * Makes journal and index durable. A failed sync stops all writing (invariant 5): the system tells of it once, and what it
 * says the next time is not to be believed. Lack of room does not: the reserve is given up for it, as for a delete.
 */
export async function makeCheckpoint({ index, journal, reserve, stopWriting }: CheckpointParts): Promise<void> {
  try {
    await reserve.spend(() => index.flush(() => journal.sync()));
  } catch (cause) {
    if (!isDiskFull(cause)) stopWriting(cause);
    throw cause;
  }
}
