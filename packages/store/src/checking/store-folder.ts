// The data folder of a closed store, as rebuilding and checking need it: locked, so that no store is opened meanwhile, and
// with a corner of its own for indexes in the making. The corner is in the data folder because they may be as large as the
// index, and become the index by a rename.

import { constants } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, isDiskFull } from '../disk/disk.ts';
import { type FormatMend, findFormatMend, mendFormat, requireFormat } from '../format-file.ts';
import { requireOneFileSystem } from '../one-file-system.ts';
import { StoreError } from '../store-error.ts';

export interface LockedFolder {
  readonly disk: Disk;
  readonly directory: string;
  readonly storeId: Buffer;
  /** The corner; it is not there until something is made in it. */
  readonly corner: string;
  /** What was done to FORMAT, in words; absent: it was in order. */
  readonly formatMended?: string;
}

/** In the data folder; whatever a process that died has left in it is removed by the next one. */
export const cornerName = 'check';

/** @throws StoreError `Locked`, `NotAStore`, `Scattered`, `UnsupportedFormat`, `Corrupt`. */
export async function withLockedFolder<Result>(
  place: {
    readonly disk: Disk;
    readonly directory: string;
    readonly scratch?: string | undefined;
    /** Writes FORMAT anew when it is missing or damaged and the journal knows what it said. Default: false. */
    readonly mendsFormat?: boolean;
  },
  work: (folder: LockedFolder) => Promise<Result>,
): Promise<Result> {
  const { disk, directory } = place;
  const mend = place.mendsFormat === true ? await findFormatMend(place) : undefined;
  const storeId = mend?.storeId ?? (await requireFormat(place));
  // Without a corner in the folder nothing of it is changed, let alone moved.
  if (place.scratch === undefined) await requireOneFileSystem(disk, directory);
  // A folder that cannot be written to is no store's at work, here at least; somebody who cannot lock it may still look at it.
  const locks = place.scratch === undefined || (await isWritable(join(directory, 'LOCK')));
  const lock = locks ? disk.lock(join(directory, 'LOCK')) : undefined;
  const corner = join(place.scratch ?? directory, cornerName);
  try {
    await removeCorner(corner);
    const folder = { disk, directory, storeId, corner };
    return await work(mend === undefined ? folder : { ...folder, formatMended: await writeMended(folder, mend) });
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause;
    throw new StoreError('DiskFull', {
      message: `There is no room in ${corner} for an index in the making; it takes about as much as the index itself. Free some space, or remove the folder index: opening the store then makes a new one in its place.`,
      cause,
    });
  } finally {
    await removeCorner(corner);
    lock?.release();
  }
}

/** Answers what was done, in words. */
async function writeMended(folder: LockedFolder, mend: FormatMend): Promise<string> {
  const copy = await mendFormat(folder, mend);
  const source = `the id that ${mend.segments} segment${mend.segments === 1 ? ' names' : 's name'}`;
  return `wrote FORMAT anew, with ${source}${copy === undefined ? '' : `; what it was is kept as ${copy}`}`;
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** LMDB's files do not go through `Disk`, and neither do they here. */
function removeCorner(corner: string): Promise<void> {
  return rm(corner, { recursive: true, force: true });
}
