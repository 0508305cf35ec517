// The database, opened, brought to this version's shape, and ready: SQLite in a file, or PostgreSQL.

import { CamelCasePlugin, type Dialect, Kysely } from 'kysely';
import { openAccountTable } from './account-table.ts';
import type { Database } from './database.ts';
import { openFileTable } from './file-table.ts';
import { openFolderTable } from './folder-table.ts';
import { migrate } from './migrations/migrate.ts';
import type { SqlDialect } from './migrations/migration.ts';
import { openOutbox } from './outbox.ts';
import { type PostgresSettings, postgresDialect } from './postgres/postgres-dialect.ts';
import type { Schema } from './schema.ts';
import { openSearchTable } from './search-table.ts';
import { openShareTable } from './share-table.ts';
import { openSqlScope } from './sql-scope.ts';
import { sqliteDialect } from './sqlite/sqlite-dialect.ts';

export type DatabaseSettings =
  /** A file, made when missing; `:memory:` keeps nothing. One process at a time. */
  | { readonly path: string }
  /** PostgreSQL 15 or later. Several processes share one database, and the work. */
  | PostgresSettings;

interface OpenDatabaseOptions {
  readonly settings: DatabaseSettings;
  readonly clock: () => number;
  /** A new ULID. */
  readonly newId: () => string;
}

/** Throws when the database cannot be reached, or was written by a newer version. */
export async function openDatabase({ settings, clock, newId }: OpenDatabaseOptions): Promise<Database> {
  const kind: SqlDialect = 'path' in settings ? 'sqlite' : 'postgres';
  const dialect: Dialect = 'path' in settings ? sqliteDialect(settings.path) : postgresDialect(settings);
  const kysely = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] });
  try {
    await migrate(kysely, { dialect: kind, nowMs: clock(), newId });
    const scope = openSqlScope(kysely, kind);
    const outbox = openOutbox(scope);
    // This process is the only one: whoever took these has ended. Of several processes, another may be at work on them.
    if (kind === 'sqlite') await outbox.release();
    return {
      files: openFileTable(scope, { newId }),
      folders: openFolderTable(scope, { newId }),
      search: openSearchTable(scope),
      shares: openShareTable(scope),
      outbox,
      accounts: openAccountTable(scope),
      close: () => kysely.destroy(),
    };
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
}
