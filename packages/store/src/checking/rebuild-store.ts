// Makes the index of a closed store anew from its journal. The store's own index stays until the new one is complete.

import { join, resolve } from 'node:path';
import { DamageLog } from '../damage-log.ts';
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import type { BatchMark } from '../journal/journal.ts';
import type { KnownEnd } from '../journal/lost-end.ts';
import type { StoreDamage } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import { type StoreLog, silentLog } from '../store-log.ts';
import { nameObjects } from './damaged-objects.ts';
import { openHeldIndex } from './held-index.ts';
import { buildJournalIndex, type Progress, replaceIndex } from './journal-index.ts';
import { type LockedFolder, withLockedFolder } from './store-folder.ts';

export interface RebuildOptions {
  /** The folder that the store was opened with. */
  readonly directory: string;
  /** Told once the folder is locked, before anything is done. Default: nobody. */
  readonly onBegin?: () => void;
  /** Told how far it is. Default: nobody. */
  readonly onProgress?: (progress: Progress) => void;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly clock?: () => number;
  /** Default: this machine's. The index in the making does not go through it. */
  readonly disk?: Disk;
  /** Default: silence. */
  readonly log?: StoreLog;
}

export interface RebuildSummary {
  readonly segments: number;
  readonly journalBytes: number;
  readonly batches: number;
  readonly buckets: number;
  readonly objects: number;
  readonly uploads: number;
  /** What of the journal could not be read; a copy of the bytes is in the quarantine folder. */
  readonly damage: readonly StoreDamage[];
  /** Where the index that was there is kept, relative to the data folder: after damage, it may know what the journal lost. */
  readonly formerIndex?: string;
}

/**
 * @throws StoreError `Locked` while the store is open, `NotAStore`, `UnsupportedFormat`, `Corrupt`, `DiskFull` when there is
 * no room for a second index.
 */
export async function rebuildStore(options: RebuildOptions): Promise<RebuildSummary> {
  const { disk = nodeDisk, clock = Date.now, log = silentLog, onProgress = () => undefined } = options;
  const directory = resolve(options.directory);
  return withLockedFolder({ disk, directory }, async (folder) => {
    const quarantineFolder = join(directory, 'quarantine');
    await disk.createFolder(quarantineFolder);
    const damageLog = new DamageLog({ disk, quarantineFolder, log });
    options.onBegin?.();
    const heldMark = await readHeldMark(folder);
    const { index, lostEnd, replayed, segments, journalBytes } = await buildJournalIndex(folder, {
      heldMark,
      onProgress,
      onDamage: async (damage, bytes) => {
        if (bytes === undefined) damageLog.note(damage);
        else await damageLog.setAside(damage, bytes);
      },
    });
    let damage: readonly StoreDamage[];
    try {
      if (lostEnd !== undefined) throw aheadOfJournal(replayed.lastMark?.lsn ?? 0, lostEnd);
      damage = await nameObjects(index, damageLog.all);
    } finally {
      await index.close();
    }
    const keepAs = replayed.damaged ? `index-${clock()}` : undefined;
    const kept = await replaceIndex(folder, keepAs);
    const { buckets = 0, objects = 0, uploads = 0 } = replayed.rows ?? {};
    const { batchCount: batches } = replayed;
    const summary = { segments, journalBytes, batches, buckets, objects, uploads, damage };
    return keepAs === undefined || !kept ? summary : { ...summary, formerIndex: `quarantine/${keepAs}` };
  });
}

/** The last batch that the store's own index has, if it can be read. */
async function readHeldMark(folder: LockedFolder): Promise<BatchMark | undefined> {
  const held = await openHeldIndex(folder);
  if ('unusable' in held) return undefined;
  await held.index.close();
  return held.mark;
}

/** Making the index anew would lose the only trace of what the journal has lost. */
function aheadOfJournal(lastLsn: number, { lsn }: KnownEnd): StoreError {
  const message = `The journal ends with record ${lastLsn}, and the index or the blobs are from a time when it had come to record ${lsn}: its end is lost. Nothing was changed. Put the missing files of journal/ back, or run \`stowage fsck --repair\`, which keeps what the index still knows.`;
  return new StoreError('Corrupt', { message, details: { file: 'journal' } });
}
