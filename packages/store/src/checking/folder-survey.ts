// Every name in a data folder, held against docs/format.md: the blobs in order of their ids, what is left over from something
// that was broken off, and what is not ours. Nothing is opened or changed.

import { join } from 'node:path';
import { blobIdOfName, blobPath, keptName } from '../blobs/blob-file.ts';
import type { Disk } from '../disk/disk.ts';
import { removedName } from '../journal/removed-segments.ts';
import { segmentNumber } from '../journal/segment.ts';
import { indexFileNames } from '../ordered-index/lmdb-index.ts';
import { cornerName } from './store-folder.ts';

export interface StrayName {
  /** Relative to the data folder. */
  readonly file: string;
  /** `leftover`: ours, and without a use any more. `foreign`: not ours, so it is never touched. */
  readonly kind: 'leftover' | 'foreign';
}

/** Folders of the data folder, with which names belong there. */
const folders: readonly { readonly name: string; readonly ours: (name: string) => boolean }[] = [
  { name: 'journal', ours: (name) => segmentNumber(name) !== undefined || name === removedName },
  { name: 'index', ours: (name) => indexFileNames.includes(name) },
];

const topNames: ReadonlySet<string> = new Set([
  'FORMAT',
  'LOCK',
  'LOCK-journal', // SQLite's, while the lock is held
  'RESERVE',
  'RESERVE.compaction',
  'journal',
  'blobs',
  'index',
  'quarantine',
  cornerName,
]);

const leftovers: ReadonlySet<string> = new Set([
  'FORMAT.next',
  'RESERVE.probe',
  `blobs/${keptName}`,
  `journal/${removedName}.next`,
  ...indexFileNames.map((name) => `index/${name}.next`),
]);

/** Names outside the folder of blobs that are not those of a store in use. */
export async function listStrays(disk: Disk, directory: string): Promise<StrayName[]> {
  const strays: StrayName[] = [];
  for (const name of await disk.list(directory)) if (!topNames.has(name)) strays.push(strayOf(name));
  for (const { name: folder, ours } of folders) {
    for (const name of await disk.list(join(directory, folder))) {
      if (!ours(name)) strays.push(strayOf(`${folder}/${name}`));
    }
  }
  return strays.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The ids of all blob files, in order. What else is there is handed to `onForeign`. */
export async function* listBlobs(
  disk: Disk,
  directory: string,
  onForeign: (stray: StrayName) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const foreign = (...names: readonly string[]): void => onForeign(strayOf(['blobs', ...names].join('/')));
  for (const epoch of await sortedNames(disk, join(directory, 'blobs'))) {
    if (!/^[0-9a-f]{12}$/.test(epoch)) {
      foreign(epoch);
      continue;
    }
    for (const group of await sortedNames(disk, join(directory, 'blobs', epoch))) {
      if (!/^[0-9a-f]{6}$/.test(group)) {
        foreign(epoch, group);
        continue;
      }
      for (const name of await sortedNames(disk, join(directory, 'blobs', epoch, group))) {
        const blobId = blobIdOfName(name);
        const [ownEpoch, ownGroup] = blobId === undefined ? [] : blobPath(blobId);
        if (blobId !== undefined && ownEpoch === epoch && ownGroup === group) yield blobId;
        else foreign(epoch, group, name);
      }
    }
  }
}

function strayOf(file: string): StrayName {
  return { file, kind: leftovers.has(file) ? 'leftover' : 'foreign' };
}

/** A file where a folder belongs has no names in it. */
async function sortedNames(disk: Disk, folder: string): Promise<string[]> {
  try {
    return (await disk.list(folder)).sort();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOTDIR') return [];
    throw cause;
  }
}
