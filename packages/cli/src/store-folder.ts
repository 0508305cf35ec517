// Which folder holds the store of a data folder: `stowage start` and `stowage engine` keep it in `engine` within, a program that
// opened a store by itself in the folder that it named.

import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError } from './command-error.ts';
import { errorCode } from './durable-file.ts';
import { explainDataError } from './open-engine.ts';

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

/** As `explainDataError`, for work on a closed store: what it needs room for, the store says itself. */
export function explainStoreError(error: unknown, directory: string): unknown {
  const full = errorCode(error) === 'DiskFull' && error instanceof Error;
  return full ? new CommandError('data', error.message, { cause: error }) : explainDataError(error, directory);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
