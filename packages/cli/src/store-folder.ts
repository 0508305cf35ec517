// Which folder holds the store of a data folder: `stowage start` and `stowage engine` keep it in `engine` within, a program that
// opened a store by itself in the folder that it named.

import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError } from './command-error.ts';

/** @throws CommandError `data` when there is none. */
export async function findStoreFolder(data: string): Promise<string> {
  const folder = resolve(data);
  for (const candidate of [join(folder, 'engine'), folder]) {
    if (await exists(join(candidate, 'FORMAT'))) return candidate;
  }
  throw new CommandError(
    'data',
    `There is no store in ${folder}: neither it nor ${join(folder, 'engine')} has a FORMAT file. Name the data folder with --data.`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
