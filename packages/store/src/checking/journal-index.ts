// An index made anew from the whole journal, in the corner of a locked folder; nothing else of the folder is changed. It can
// be held against the store's index, and it can take its place.

import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { highestBlobEpoch } from '../blobs/blob-epochs.ts';
import type { BatchMark } from '../journal/journal.ts';
import type { KnownEnd } from '../journal/lost-end.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';
import { CountedIndex } from '../ordered-index/counted-index.ts';
import { indexFileNames, openLmdbIndex, spareName } from '../ordered-index/lmdb-index.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import { type Replayed, replayJournal } from '../replay-journal.ts';
import type { LockedFolder } from './store-folder.ts';

/** How far a long task is. */
export interface Progress {
  readonly doneBytes: number;
  /** 0: not known. */
  readonly totalBytes: number;
}

interface JournalIndexOptions {
  /** What the store's index says that the journal held. Default: there is none to say anything. */
  readonly heldMark?: BatchMark | undefined;
  readonly onDamage: (damage: StoreDamage, bytes: Buffer | undefined) => Promise<void>;
  readonly onProgress: (progress: Progress) => void;
}

export interface JournalIndex {
  readonly index: OrderedIndex;
  /** Where the journal had come to, when it ends before that: its end is lost. */
  readonly lostEnd: KnownEnd | undefined;
  readonly replayed: Replayed;
  readonly segments: number;
  readonly journalBytes: number;
}

/** Reads the whole journal. The caller closes the index. @throws StoreError `Corrupt`, `UnsupportedFormat`. */
export async function buildJournalIndex(folder: LockedFolder, options: JournalIndexOptions): Promise<JournalIndex> {
  const { disk, directory, storeId, corner } = folder;
  const totalBytes = await journalSize(folder);
  let segments = 0;
  let journalBytes = 0;
  await disk.createFolder(corner);
  const highestEpoch = await highestBlobEpoch(disk, join(directory, 'blobs'));
  const { lsn = 0, segment = 0 } = options.heldMark ?? {};
  const known = { lsn: Math.max(lsn, highestEpoch), segment };
  let lostEnd: KnownEnd | undefined;
  const made = await openLmdbIndex({ disk, folder: join(corner, journalIndexName), fresh: true });
  const index = CountedIndex.over(made);
  try {
    const replayed = await replayJournal({
      disk,
      directory,
      storeId,
      index,
      readOnly: true,
      highestEpoch,
      known,
      onDamage: async (damage, bytes) => {
        if (damage.file === 'journal') lostEnd = known;
        await options.onDamage(damage, bytes);
      },
      onSegment: ({ sizeBytes }) => {
        segments += 1;
        journalBytes += sizeBytes;
        options.onProgress({ doneBytes: journalBytes, totalBytes });
      },
    });
    await index.flush(async () => undefined);
    return { index, lostEnd, replayed, segments, journalBytes };
  } catch (cause) {
    await index.close();
    throw cause;
  }
}

/**
 * Puts the index that was made, and closed, in the place of the store's. Whenever this is broken off, the folder has the old
 * index, the new one, or none that is complete, and then opening makes one: the checkpoint, without which an index is not
 * opened, goes first and comes last. The old one is removed, or kept in the quarantine folder under `keepAs`. Answers whether
 * there was one to keep.
 */
export async function replaceIndex(folder: LockedFolder, keepAs: string | undefined): Promise<boolean> {
  const { disk, directory, corner } = folder;
  const current = join(directory, 'index');
  const made = join(corner, journalIndexName);
  await disk.createFolder(current);
  const present = new Set(await disk.list(current));
  const kept = keepAs !== undefined && indexFileNames.some((name) => present.has(name));
  for (const name of indexFileNames) {
    const path = join(current, name);
    if (!present.has(name)) continue;
    if (keepAs === undefined || name === spareName) await rm(path);
    else await rename(path, join(directory, 'quarantine', `${keepAs}-${name}`));
    await disk.syncFolder(current);
  }
  if (kept) await disk.syncFolder(join(directory, 'quarantine'));
  for (const name of [...indexFileNames].reverse()) {
    if (!(await disk.list(made)).includes(name)) continue;
    await rename(join(made, name), join(current, name));
    await disk.syncFolder(current);
  }
  return kept;
}

const journalIndexName = 'journal-index';

async function journalSize({ disk, directory }: LockedFolder): Promise<number> {
  let sizeBytes = 0;
  for (const name of await disk.list(join(directory, 'journal'))) {
    if (segmentNumber(name) === undefined) continue;
    const file = await disk.open(join(directory, 'journal', name), 'read');
    try {
      sizeBytes += await file.sizeBytes();
    } finally {
      await file.close();
    }
  }
  return sizeBytes;
}
