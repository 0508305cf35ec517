// The index that a closed store has, opened for a look: as a copy in the corner, brought up to date with the journal as an
// opening would do it, so that the store's own files stay as they are.

import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMark } from '../applied-mark.ts';
import { isDiskFull } from '../disk/disk.ts';
import type { BatchMark } from '../journal/journal.ts';
import { IndexAheadError } from '../journal/recovery.ts';
import { indexFileNames, openLmdbIndex } from '../ordered-index/lmdb-index.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import { replayJournal } from '../replay-journal.ts';
import type { LockedFolder } from './store-folder.ts';

/** The index, which the caller closes, with the last batch that it has; or why there is none to be had. */
export type HeldIndex = { readonly index: OrderedIndex; readonly mark: BatchMark } | { readonly unusable: string };

/** As it is, at its last checkpoint. */
export async function openHeldIndex(folder: LockedFolder): Promise<HeldIndex> {
  const { disk, directory, corner } = folder;
  const current = join(directory, 'index');
  const present = (await disk.list(current)).filter((name) => indexFileNames.includes(name));
  if (present.length === 0) return { unusable: 'there is no index; the opening of the store makes one' };
  const copy = join(corner, 'index-copy');
  await disk.createFolder(corner);
  await disk.createFolder(copy);
  let index: OrderedIndex | undefined;
  try {
    // Where the file system can, the copy shares its blocks with the original.
    for (const name of present) await copyFile(join(current, name), join(copy, name), constants.COPYFILE_FICLONE);
    index = await openLmdbIndex({ disk, folder: copy });
    const mark = readMark(index);
    if (mark !== undefined) return { index, mark };
    await index.close();
    return { unusable: 'its checkpoint cannot be read, or is not of these pages' };
  } catch (cause) {
    await index?.close();
    if (isDiskFull(cause)) throw cause;
    return { unusable: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** Has the index take what the journal has and it has not, as an opening would do it. */
export async function catchUp({ disk, directory, storeId }: LockedFolder, index: OrderedIndex): Promise<void> {
  try {
    // Damage in what it lacks was found when the whole journal was read.
    const onDamage = async (): Promise<void> => undefined;
    await replayJournal({ disk, directory, storeId, index, highestEpoch: 0, readOnly: true, onDamage });
  } catch (cause) {
    if (!(cause instanceof IndexAheadError)) throw cause; // then it lacks nothing
  }
}
