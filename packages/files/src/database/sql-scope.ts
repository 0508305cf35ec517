// In whose name a query is made, and in which transaction. On PostgreSQL each transaction says which tenant it is for, and
// row-level security shows it no other's rows, whatever the query says: a second wall behind the WHERE. SQLite has no such wall.
//
// PostgreSQL runs many transactions at once, and none may wait for one that waits for it. So all lock in one order:
//   1. rows of tenants: by `writeLocked`, before anything else. Whatever has a note for the audit log, chooses a name, changes the shape
//      of the tree or asks for room does; a type sees to it that no note is written otherwise
//   2. rows of files: one; or several in the order of their ids or of a list, all of them before the first is written; or, whoever goes
//      through many tenants or lists, only those that nobody holds (SKIP LOCKED)
//   3. folders, webhooks, shares, accounts
//   4. what follows from a file: counts of states, sums of its user, then of the category, then of the day; its words; jobs; deliveries
// Of sums only one user's are held at a time, except by those who add to days, who do so in the order of tenants and days.

import { type Kysely, sql, type Transaction } from 'kysely';
import type { SqlDialect } from './migrations/migration.ts';
import type { Schema } from './schema.ts';

/** One tenant, or the service itself, which sees all. */
type Scope = { readonly tenantId: string } | 'service';

declare const locked: unique symbol;

/** A transaction that locked the rows of its tenants first of all. */
export type LockedTransaction = Transaction<Schema> & { readonly [locked]: true };

export interface SqlScope {
  readonly dialect: SqlDialect;
  /** Runs queries that only read. */
  read<Result>(scope: Scope, work: (query: Kysely<Schema>) => Promise<Result>): Promise<Result>;
  /** Runs one transaction: durable once this resolves. `work` may run again when another transaction came in between. */
  write<Result>(scope: Scope, work: (transaction: Transaction<Schema>) => Promise<Result>): Promise<Result>;
  /** As `write`, alone with the tenant: all that go this way queue up for its row. */
  writeLocked<Result>(scope: LockedScope, work: (transaction: LockedTransaction) => Promise<Result>): Promise<Result>;
}

/** One tenant, or some that the service itself writes for. */
type LockedScope = { readonly tenantId: string } | { readonly serviceFor: readonly string[] };

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
    const write: SqlScope['write'] = (_scope, work) => database.transaction().execute(work);
    return { dialect, read: (_scope, work) => work(database), write, writeLocked: lockedBy(write) };
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
  const write: SqlScope['write'] = (scope, work) => run(scope, work, 'read write');
  return { dialect, read: (scope, work) => run(scope, work, 'read only'), write, writeLocked: lockedBy(write) };
}

function lockedBy(write: SqlScope['write']): SqlScope['writeLocked'] {
  return (scope, work) => {
    const [who, tenantIds] = 'serviceFor' in scope ? ['service' as const, scope.serviceFor] : [scope, [scope.tenantId]];
    return write(who, async (transaction) => {
      for (const tenantId of [...new Set(tenantIds)].sort()) await lockTenant(transaction, tenantId);
      // It has locked them.
      return work(transaction as LockedTransaction);
    });
  };
}

async function lockTenant(transaction: Transaction<Schema>, tenantId: string): Promise<void> {
  await transaction
    .updateTable('tenants')
    .set(({ ref }) => ({ name: ref('name') }))
    .where('id', '=', tenantId)
    .execute();
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
