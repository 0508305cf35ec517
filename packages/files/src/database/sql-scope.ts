// In whose name a query is made, and in which transaction. On PostgreSQL each transaction says which tenant it is for, and
// row-level security shows it no other's rows, whatever the query says: a second wall behind the WHERE. SQLite has no such wall.

import { type Kysely, sql, type Transaction } from 'kysely';
import type { SqlDialect } from './migrations/migration.ts';
import type { Schema } from './schema.ts';

/** One tenant, or the service itself, which sees all. */
type Scope = { readonly tenantId: string } | 'service';

export interface SqlScope {
  readonly dialect: SqlDialect;
  /** Runs queries that only read. */
  read<Result>(scope: Scope, work: (query: Kysely<Schema>) => Promise<Result>): Promise<Result>;
  /** Runs one transaction: durable once this resolves. `work` may run again when another transaction came in between. */
  write<Result>(scope: Scope, work: (transaction: Transaction<Schema>) => Promise<Result>): Promise<Result>;
}

/** The setting that the policies of row-level security read. */
export const tenantSetting = 'stowage.tenant';
/** What it holds for the service itself; no tenant's id has this character. */
export const everyTenant = '*';
const tenantIdPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** How often a transaction that another got in the way of is tried. */
const maxTries = 8;
/** SQLSTATE: serialization_failure, deadlock_detected. */
const conflicts = new Set(['40001', '40P01']);

export function openSqlScope(database: Kysely<Schema>, dialect: SqlDialect): SqlScope {
  if (dialect === 'sqlite') {
    return {
      dialect,
      read: (_scope, work) => work(database),
      write: (_scope, work) => database.transaction().execute(work),
    };
  }
  async function run<Result>(
    scope: Scope,
    work: (transaction: Transaction<Schema>) => Promise<Result>,
    accessMode: 'read only' | 'read write',
  ): Promise<Result> {
    const tenant = scope === 'service' ? everyTenant : scope.tenantId;
    if (tenant !== everyTenant && !tenantIdPattern.test(tenant)) throw new Error('A tenant’s id is not one of ours.');
    for (let attempt = 1; ; attempt++) {
      try {
        return await database
          .transaction()
          .setAccessMode(accessMode)
          .execute(async (transaction) => {
            await sql`SELECT set_config(${tenantSetting}, ${tenant}, true)`.execute(transaction);
            return work(transaction);
          });
      } catch (error) {
        if (attempt === maxTries || !conflicts.has(sqlState(error))) throw error;
      }
    }
  }
  return {
    dialect,
    read: (scope, work) => run(scope, work, 'read only'),
    write: (scope, work) => run(scope, work, 'read write'),
  };
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
