// The index that a closed store has, opened for a look: as a copy in the corner, brought up to date with the journal as an
// opening would do it, so that the store's own files stay as they are.

import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMark } from '../applied-mark.ts';
import { indexFileNames, openLmdbIndex } from '../ordered-index/lmdb-index.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import { replayJournal } from '../replay-journal.ts';
import type { LockedFolder } from './store-folder.ts';

/** The index, which the caller closes; or why there is none to be had. */
export type HeldIndex = { readonly index: OrderedIndex } | { readonly unusable: string };

export async function openHeldIndex(folder: LockedFolder): Promise<HeldIndex> {
  const { disk, directory, storeId, corner } = folder;
  const current = join(directory, 'index');
  const present = (await disk.list(current)).filter((name) => indexFileNames.includes(name));
  if (present.length === 0) return { unusable: 'there is no index; the opening of the store makes one' };
  const copy = join(corner, 'index-copy');
  await disk.createFolder(corner);
  await disk.createFolder(copy);
  // Where the file system can, the copy shares its blocks with the original.
  for (const name of present) await copyFile(join(current, name), join(copy, name), constants.COPYFILE_FICLONE);
  let index: OrderedIndex | undefined;
  try {
    index = await openLmdbIndex({ disk, folder: copy, verify: true });
    if (readMark(index) === undefined) {
      await index.close();
      return { unusable: 'its checkpoint cannot be read, or is not of these pages' };
    }
    // Damage in what it lacks was found when the whole journal was read.
    await replayJournal({ disk, directory, storeId, index, readOnly: true, onDamage: async () => undefined });
    return { index };
  } catch (cause) {
    await index?.close();
    return { unusable: cause instanceof Error ? cause.message : String(cause) };
  }
}
