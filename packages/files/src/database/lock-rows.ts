// Rows that are locked as they are read, until their transaction ends. SQLite has one writer at a time, and knows no such locks.

import type { SqlDialect } from './migrations/migration.ts';

interface Lockable<Query> {
  forUpdate(): Query;
  skipLocked(): Query;
}

/** Waits for whoever holds one of the rows. */
export function lockRows<Query extends Lockable<Query>>(query: Query, dialect: SqlDialect): Query {
  return dialect === 'postgres' ? query.forUpdate() : query;
}

/** Passes over the rows that somebody holds. */
export function lockFreeRows<Query extends Lockable<Query>>(query: Query, dialect: SqlDialect): Query {
  return dialect === 'postgres' ? query.forUpdate().skipLocked() : query;
}

/** Keeps the rows from being removed, until what names them is written too; all else may be written to them. */
export function keepRows<Query extends { forKeyShare(): Query }>(query: Query, dialect: SqlDialect): Query {
  return dialect === 'postgres' ? query.forKeyShare() : query;
}
