// Puts the parts of compaction together for a store that is being opened.

import { RemovedSegments } from '../journal/removed-segments.ts';
import type { CompactionHealth } from '../object-store.ts';
import { BackgroundCompaction } from './background-compaction.ts';
import type { CompactionResult } from './compactor.ts';
import { Compactor, type CompactorOptions } from './compactor.ts';

type CompactionOptions = Omit<CompactorOptions, 'removed'> & {
  /** Whether it runs by itself, too. */
  readonly automatic: boolean;
};

/** Compaction as the rest of the store sees it. */
export interface Compaction {
  /** `undefined` until it has looked at the journal. */
  readonly health: CompactionHealth | undefined;
  /** So much of the journal has ceased to be live. */
  noteDead(sizeBytes: number): void;
  /** Compacts what is worth it, or the named segments, as fast as it goes. */
  now(segments?: readonly number[]): Promise<CompactionResult>;
  stop(): Promise<void>;
}

export async function openCompaction(options: CompactionOptions): Promise<Compaction> {
  const { disk, folder } = options;
  const compactor = new Compactor({ ...options, removed: await RemovedSegments.read({ disk, folder }) });
  const background = new BackgroundCompaction({ ...options, compactor });
  return {
    get health(): CompactionHealth | undefined {
      return compactor.health;
    },
    noteDead: (sizeBytes) => background.noteDead(sizeBytes),
    now: (segments) => background.now(segments),
    stop: () => background.stop(),
  };
}
