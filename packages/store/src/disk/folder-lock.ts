// An exclusive lock on the data folder, held by the operating system for as long as this process lives: nothing is left
// behind by a crash. Node has no call for it, but SQLite takes such a lock on every platform: LOCK is an SQLite database
// that stays empty and is held in an exclusive transaction.

import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../store-error.ts';
import type { FolderLock } from './disk.ts';

/** SQLite's result code for a lock that another connection holds. */
const sqliteBusy = 5;

/** @throws StoreError `Locked`; SQLite's own error when the file cannot be opened or read. */
export function lockFolder(path: string): FolderLock {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    database.close();
    const busy = cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy;
    if (!busy) throw new Error(`The lock file ${path} cannot be used: ${String(cause)}`, { cause });
    throw new StoreError('Locked', {
      message: `Another store has this data folder open (${path} is locked). Stop the other process, or use another folder.`,
      cause,
    });
  }
  return { release: () => database.close() };
}
