// The database on SQLite: opened, brought to this version's shape, and ready.

import { CamelCasePlugin, Kysely, SqliteDialect } from 'kysely';
import { openAccountTable } from './account-table.ts';
import type { Database } from './database.ts';
import { openFileTable } from './file-table.ts';
import { migrate } from './migrations.ts';
import { openNodeSqlite } from './node-sqlite.ts';
import { openOutbox } from './outbox.ts';
import type { Schema } from './schema.ts';

interface OpenDatabaseOptions {
  readonly path: string;
  readonly clock: () => number;
  /** A new ULID. */
  readonly newId: () => string;
}

/** Opens the database, making it when missing. One process at a time. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const dialect = new SqliteDialect({ database: openNodeSqlite(options.path) });
  const kysely = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] });
  try {
    await migrate(kysely, options.clock());
    const outbox = openOutbox(kysely);
    // This process is the only one: whoever took these has ended.
    await outbox.release();
    return {
      files: openFileTable(kysely, options),
      outbox,
      accounts: openAccountTable(kysely),
      close: () => kysely.destroy(),
    };
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
}
