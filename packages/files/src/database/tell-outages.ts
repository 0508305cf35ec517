// A scope of queries that tells an outage from a mistake: a database that does not answer, ends its connections or has no room for
// another is `database-unavailable`, and whoever asked may come again. Connections are opened anew by themselves once it is back. Of a
// transaction that was cut off while it was committed nobody knows whether it was: whoever repeats it must be able to.

import { FilesError } from '../files-error.ts';
import type { SqlScope } from './sql-scope.ts';

/** What is said to who comes meanwhile. */
const retryAfterSeconds = 2;

/** Of the system's network calls: node.js.org/api/errors.html#nodejs-error-codes. `ENOENT`: a socket in a folder that is not there. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
/**
 * SQLSTATE: connection_exception, insufficient_resources, and admin_shutdown, crash_shutdown, cannot_connect_now, query_canceled and
 * lock_not_available, which our own time limits bring about.
 */
const sqlStates = /^(?:08\w{3}|53\w{3}|57P0[123]|57014|55P03)$/;
/** What `pg` says of a connection that is lost or was not to be had; these errors have no code. */
const lostConnection =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;
/** SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN: sqlite.org/rescode.html. */
const sqliteCodes = new Set([5, 6, 10, 13, 14]);

export function tellOutages(scope: SqlScope): SqlScope {
  async function told<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error)) throw error;
      throw new FilesError('database-unavailable', {
        detail:
          'The database of the service does not answer as it should. Nothing is lost by that; try again in a moment.',
        retryAfterSeconds,
        cause: error,
      });
    }
  }
  return {
    dialect: scope.dialect,
    read: (who, work) => told(() => scope.read(who, work)),
    write: (who, work) => told(() => scope.write(who, work)),
    writeLocked: (who, work) => told(() => scope.writeLocked(who, work)),
  };
}

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('errcode' in error && typeof error.errcode === 'number') return sqliteCodes.has(error.errcode & 0xff);
  const code = 'code' in error ? String(error.code) : '';
  return networkCodes.has(code) || sqlStates.test(code) || lostConnection.test(error.message);
}
