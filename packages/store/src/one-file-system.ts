// That the folders of a store lie on one file system. Files are renamed from one to another: what is damaged to quarantine/, an
// index that was made anew to index/. A rename cannot leave its file system, so this is found out at opening, not in need.

import { join } from 'node:path';
import { type Disk, isMissing } from './disk/disk.ts';
import { StoreError } from './store-error.ts';

/** Those that files are renamed into or out of. */
const folders = ['journal', 'blobs', 'index', 'quarantine'] as const;

/** @throws StoreError `Scattered`. Folders that are not there yet will be made where the data folder is. */
export async function requireOneFileSystem(disk: Disk, directory: string): Promise<void> {
  const own = await disk.fileSystem(directory);
  const elsewhere: string[] = [];
  for (const name of folders) {
    const its = await fileSystemOf(disk, join(directory, name));
    if (its !== undefined && its !== own) elsewhere.push(`${name}/`);
  }
  if (elsewhere.length === 0) return;
  const [are, them] = elsewhere.length === 1 ? ['is', 'it'] : ['are', 'them'];
  throw new StoreError('Scattered', {
    message: `${elsewhere.join(', ')} of ${directory} ${are} on another file system, by a mount or a link. All of a store lies on one, because files are renamed between its folders. Nothing was changed. Move ${them} into ${directory}, or the whole folder to where there is room.`,
    details: { folders: elsewhere.join(' ') },
  });
}

async function fileSystemOf(disk: Disk, path: string): Promise<string | undefined> {
  try {
    return await disk.fileSystem(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}
