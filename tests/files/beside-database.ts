// The service's SQLite database, written by a test beside the service that runs: what its clients cannot do. SQLite waits for a lock on the
// thread that asks, and a transaction of a service in this process goes on only when this thread does: so nothing waits there. Who finds
// the database locked lets the service go on, and tries again.

import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a slow machine may take for one transaction. */
const patienceMs = 30_000;
const retryMs = 5;
/** SQLITE_BUSY: sqlite.org/rescode.html. */
const busy = 5;

/** Runs one transaction, all of it or nothing. `work` may run again. */
export async function writeBeside<Result>(path: string, work: (database: DatabaseSync) => Result): Promise<Result> {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA foreign_keys = ON');
    for (const deadlineMs = performance.now() + patienceMs; ; await sleep(retryMs)) {
      try {
        database.exec('BEGIN IMMEDIATE');
        const result = work(database);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        const isLocked = error instanceof Error && 'errcode' in error && error.errcode === busy;
        if (!isLocked || performance.now() > deadlineMs) throw error;
      }
    }
  } finally {
    database.close();
  }
}
