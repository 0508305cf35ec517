// The files of the repository that were written by people: everything below a folder except what is installed, built,
// cached or produced by a run. Sorted, absolute paths.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const skippedFolders = new Set(['node_modules', 'dist', 'data', 'coverage', 'conformance-results', '.git', '.cache']);

interface FindOptions {
  /** Folders below the root to look in. Default: the root itself. A folder that does not exist holds no files. */
  readonly under?: readonly string[];
  /** What the name must end with. Default: any. */
  readonly ending?: string;
}

export async function findFiles(root: string, { under = ['.'], ending = '' }: FindOptions = {}): Promise<string[]> {
  const found: string[] = [];
  const folders = under.map((name) => join(root, name));
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skippedFolders.has(entry.name)) folders.push(path);
      if (entry.isFile() && entry.name.endsWith(ending)) found.push(path);
    }
  }
  return found.sort();
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
