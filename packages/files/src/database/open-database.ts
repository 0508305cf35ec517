// The database, opened, brought to this version's shape, and ready: SQLite in a file, or PostgreSQL.

import { CamelCasePlugin, type Dialect, Kysely, sql } from 'kysely';
import { openAuditSeal } from '../accounts/audit-chain.ts';
import { defaultLimits } from '../limits.ts';
import { openAccountTable } from './account-table.ts';
import { openAuditTable, openNoteWriter } from './audit-table.ts';
import type { Database } from './database.ts';
import { openEndpointTable } from './endpoint-table.ts';
import { openFileTable } from './file-table.ts';
import { openFolderTable } from './folder-table.ts';
import { openGrantTable, openGroupTable } from './group-table.ts';
import { countPending, migrate } from './migrations/migrate.ts';
import type { SqlDialect } from './migrations/migration.ts';
import { type DatabaseObserver, observeScope } from './observe-scope.ts';
import { openOutbox } from './outbox.ts';
import { type PostgresSettings, postgresDialect } from './postgres/postgres-dialect.ts';
import { openQuarantineTable } from './quarantine-table.ts';
import { openReconcileTable } from './reconcile-table.ts';
import type { Schema } from './schema.ts';
import { openSearchTable } from './search-table.ts';
import { openShareTable } from './share-table.ts';
import { openSqlScope } from './sql-scope.ts';
import { sqliteDialect } from './sqlite/sqlite-dialect.ts';
import { tellOutages } from './tell-outages.ts';
import { openTenantTable } from './tenant-table.ts';
import { openUsageDayTable } from './usage-day-table.ts';
import { openUserTable } from './user-table.ts';
import { openWebhookTable } from './webhook-table.ts';

export type DatabaseSettings =
  /** A file, made when missing; `:memory:` keeps nothing. One process at a time: a second one is refused. */
  | { readonly path: string }
  /** PostgreSQL 15 or later. Several processes share one database, and the work. */
  | PostgresSettings;

interface OpenDatabaseOptions {
  readonly settings: DatabaseSettings;
  readonly clock: () => number;
  /** A new ULID. */
  readonly newId: () => string;
  /** The service's: the audit log is sealed with a key that follows from it. */
  readonly secret: Uint8Array;
  /** How long trash is kept: `limits.trashRetentionMs`, and its default. */
  readonly trashRetentionMs?: number;
  /** Told of reads and transactions. Default: nobody is. */
  readonly observe?: DatabaseObserver | undefined;
}

/** Throws when the database cannot be reached, was written by a newer version, or is SQLite and another process has it. */
export async function openDatabase({
  settings,
  clock,
  newId,
  secret,
  trashRetentionMs = defaultLimits.trashRetentionMs,
  observe,
}: OpenDatabaseOptions): Promise<Database> {
  const kind: SqlDialect = 'path' in settings ? 'sqlite' : 'postgres';
  const dialect: Dialect =
    'path' in settings ? sqliteDialect(settings.path, { alone: true }) : postgresDialect(settings);
  const kysely = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] });
  try {
    await migrate(kysely, { dialect: kind, nowMs: clock(), newId });
    const plain = tellOutages(openSqlScope(kysely, kind));
    const scope = observe === undefined ? plain : observeScope(plain, observe);
    const writeNote = openNoteWriter({ seal: openAuditSeal(secret), clock });
    const outbox = openOutbox(scope, { newId, writeNote });
    const reconcile = openReconcileTable(scope, writeNote);
    // This process is the only one: whoever took these has ended. Of several processes, another may be at work on them.
    if (kind === 'sqlite') await Promise.all([outbox.release(), reconcile.release()]);
    return {
      files: openFileTable(scope, { newId, writeNote, trashRetentionMs }),
      folders: openFolderTable(scope, { newId }),
      search: openSearchTable(scope),
      shares: openShareTable(scope, writeNote),
      webhooks: openWebhookTable(scope, writeNote),
      endpoints: openEndpointTable(scope),
      outbox,
      accounts: openAccountTable(scope, writeNote),
      users: openUserTable(scope, writeNote),
      groups: openGroupTable(scope, writeNote),
      grants: openGrantTable(scope, writeNote),
      tenants: openTenantTable(scope, writeNote),
      audit: openAuditTable(scope, writeNote),
      usageDays: openUsageDayTable(scope),
      quarantine: openQuarantineTable(scope),
      reconcile,
      rowSecurity: kind === 'sqlite' ? 'none' : await readRowSecurity(kysely),
      ping: () => scope.read('service', async (query) => void (await sql`SELECT 1`.execute(query))),
      close: () => kysely.destroy(),
    };
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
}

/** Whether a database can be used, told without changing anything in it. Throws what it throws when it cannot be reached. */
export async function describeDatabase(settings: DatabaseSettings): Promise<string> {
  const kind: SqlDialect = 'path' in settings ? 'sqlite' : 'postgres';
  const dialect: Dialect = 'path' in settings ? sqliteDialect(settings.path) : postgresDialect(settings);
  const kysely = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] });
  try {
    const { rows } = await sql<{ readonly name: string }>`${
      kind === 'sqlite'
        ? sql`SELECT name FROM sqlite_master WHERE name = 'schema_migrations'`
        : sql`SELECT relname AS name FROM pg_class WHERE relname = 'schema_migrations' AND relkind = 'r'`
    }`.execute(kysely);
    const security = kind === 'sqlite' ? 'none' : await readRowSecurity(kysely);
    const warning =
      security === 'bypassed' ? '; its role passes row-level security by: give the service an ordinary role' : '';
    if (rows.length === 0) return `empty: the first start makes the tables${warning}`;
    const pending = await countPending(kysely, kind);
    return `${pending === 0 ? 'up to date' : `the next start brings it ${pending} steps forward`}${warning}`;
  } finally {
    await kysely.destroy();
  }
}

/** Superusers, and roles with BYPASSRLS, are shown every row whatever the policies say. */
async function readRowSecurity(kysely: Kysely<Schema>): Promise<'enforced' | 'bypassed'> {
  const { rows } = await sql<{ readonly passes: boolean }>`
    SELECT rolsuper OR rolbypassrls AS passes FROM pg_roles WHERE rolname = current_user`.execute(kysely);
  return rows[0]?.passes === false ? 'enforced' : 'bypassed';
}
