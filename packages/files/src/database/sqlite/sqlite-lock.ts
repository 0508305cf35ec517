// One process at a time: the service keeps what it is doing in memory, and takes back at its start what a process before it held. A file
// beside the database is locked by SQLite itself, by a transaction that writes nothing: the lock ends with the process, however
// that ends, and the file that stays says nothing.

import { DatabaseSync } from 'node:sqlite';

/** How long a process that is about to end is waited for. */
const waitMs = 1_000;
/** SQLITE_BUSY: sqlite.org/rescode.html. */
const busy = 5;

/** Locks a database; answers how to let go of it. Throws when another process has it. */
export function lockDatabase(path: string): () => void {
  const lock = new DatabaseSync(`${path}-lock`, { timeout: waitMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!(error instanceof Error && 'errcode' in error && error.errcode === busy)) throw error;
    throw new Error(
      `Another process has the database ${path} open, and SQLite serves one at a time. End that one, or have several share PostgreSQL (DATABASE_URL).`,
      { cause: error },
    );
  }
  return () => lock.close();
}
