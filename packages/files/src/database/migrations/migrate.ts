// The database's shape, as steps that only go forward. A step that was published never changes: its checksum is kept in the
// database and compared at every start.

import { createHash } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../schema.ts';
import { everyTenant, tenantSetting } from '../sql-scope.ts';
import { first } from './001-first.ts';
import { tree } from './002-tree.ts';
import { search } from './003-search.ts';
import { shares } from './004-shares.ts';
import { scan } from './005-scan.ts';
import { webhooks } from './006-webhooks.ts';
import { endpoints } from './007-endpoints.ts';
import { content } from './008-content.ts';
import { usageDays } from './009-usage-days.ts';
import { accounts } from './010-accounts.ts';
import { rowSecurity } from './011-row-security.ts';
import { reconcile } from './012-reconcile.ts';
import { folderPages } from './013-folder-pages.ts';
import { identity } from './014-identity.ts';
import { givenUp } from './015-given-up.ts';
import { largeTenants } from './016-large-tenants.ts';
import { turns } from './017-turns.ts';
import { fairTurns } from './018-fair-turns.ts';
import { versionNumbers } from './019-version-numbers.ts';
import type { Migration, MigrationContext, SqlDialect } from './migration.ts';

/** Numbered by their place, from 1. */
const migrations: readonly Migration[] = [
  first,
  tree,
  search,
  shares,
  scan,
  webhooks,
  endpoints,
  content,
  usageDays,
  accounts,
  rowSecurity,
  reconcile,
  folderPages,
  identity,
  givenUp,
  largeTenants,
  turns,
  fairTurns,
  versionNumbers,
];

/** Of all processes that start at once, one migrates: the number is this service's own choice. */
const advisoryLock = 7_867_923;

/** How long a step waits for a table that somebody uses; then nothing is changed, and the start fails. */
const maxLockWaitMs = 15_000;

/**
 * Brings the database to this version's shape, in one transaction. Throws when it was written by a newer version, or by one
 * whose steps differ: then nothing is changed.
 */
export async function migrate(
  database: Kysely<Schema>,
  { dialect, ...context }: MigrationContext & { readonly dialect: SqlDialect },
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    if (dialect === 'postgres') {
      // A step over millions of rows takes the time it takes, and who comes second waits for it.
      await sql`SET LOCAL statement_timeout = 0`.execute(transaction);
      await sql`SET LOCAL lock_timeout = 0`.execute(transaction);
      await sql`SELECT pg_advisory_xact_lock(${advisoryLock})`.execute(transaction);
      // What another version still runs is not kept waiting behind a step that waits itself.
      await sql`SET LOCAL lock_timeout = ${sql.lit(maxLockWaitMs)}`.execute(transaction);
      // Row-level security would hide the rows that a step is to change.
      await sql`SELECT set_config(${tenantSetting}, ${everyTenant}, true)`.execute(transaction);
    }
    await sql`CREATE TABLE IF NOT EXISTS schema_migrations (
      number bigint PRIMARY KEY, checksum text NOT NULL, applied_at_ms bigint NOT NULL
    )`.execute(transaction);
    const applied = await readApplied(transaction, dialect);
    for (const [index, migration] of migrations.entries()) {
      if (index < applied) continue;
      const statements = migration.statements(dialect);
      for (const statement of statements) await sql.raw(statement).execute(transaction);
      await migration.run?.(transaction, context);
      await transaction
        .insertInto('schemaMigrations')
        .values({ number: index + 1, checksum: checksumOf(statements), appliedAtMs: context.nowMs })
        .execute();
    }
    // The first step makes the owner, and knows no time: they are there since somebody first opened the database.
    await transaction.updateTable('users').set({ createdAtMs: context.nowMs }).where('createdAtMs', '=', 0).execute();
  });
}

/**
 * How many steps are still to be taken; nothing is changed. Throws as `migrate`, and what the database throws when there is nothing
 * of ours in it.
 */
export async function countPending(database: Kysely<Schema>, dialect: SqlDialect): Promise<number> {
  return database
    .transaction()
    .execute(async (transaction) => migrations.length - (await readApplied(transaction, dialect)));
}

/** How many steps the database has, all of them ones that this version knows. */
async function readApplied(transaction: Transaction<Schema>, dialect: SqlDialect): Promise<number> {
  const applied = await transaction.selectFrom('schemaMigrations').selectAll().orderBy('number').execute();
  for (const row of applied) {
    const migration = migrations[row.number - 1];
    if (migration === undefined) {
      throw new Error(
        `The database has schema step ${row.number}; this version knows ${migrations.length}. It was written by a newer version: use that one.`,
      );
    }
    if (row.checksum !== checksumOf(migration.statements(dialect))) {
      throw new Error(
        `Schema step ${row.number} (${migration.name}) of the database is not the one this version knows. Restore a backup.`,
      );
    }
  }
  return applied.length;
}

function checksumOf(statements: readonly string[]): string {
  // White space is layout, not meaning.
  const text = statements.map((statement) => statement.replace(/\s+/g, ' ')).join(';');
  return createHash('sha256').update(text).digest('hex');
}
