// An exclusive lock on the data folder, held by the operating system for as long as this process lives: nothing is left
// behind by a crash. Node has no call for it, but SQLite takes such a lock on every platform: LOCK is an SQLite database
// that stays empty and is held in an exclusive transaction.

import { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store-error.ts';

export interface FolderLock {
  release(): void;
}

/** @throws StoreError `Locked`. */
export function lockFolder(path: string): FolderLock {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    database.close();
    throw new StoreError('Locked', {
      message: `Another store has this data folder open (${path} is locked). Stop the other process, or use another folder.`,
      cause,
    });
  }
  return { release: () => database.close() };
}
