// Comparisons of bucket and database: runs, findings, and the rows that they are held against. Of no tenant: the service's own.

import type { Kysely } from 'kysely';
import { FilesError } from '../files-error.ts';
import {
  type Claim,
  type Lease,
  noCounts,
  type ReconcileCounts,
  type ReconcilePosition,
  type ReconcileRecord,
  type ReconcileTable,
} from '../orphans/reconcile-record.ts';
import type { WriteNote } from './audit-table.ts';
import type { ReconcileRunRow, Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

const claimColumns = [
  'id',
  'state',
  'objectKey',
  'stagingKey',
  'objectEtag',
  'objectVersionId',
  'multipartUploadId',
  'sizeBytes',
  'signedUntilMs',
  'createdAtMs',
  'missingSinceMs',
] as const satisfies readonly (keyof Claim)[];

/** Longest error text kept with a run. */
const maxErrorCharacters = 500;

export function openReconcileTable(scope: SqlScope, writeNote: WriteNote): ReconcileTable {
  return {
    start: (run, { keep, note }) =>
      scope.writeLocked({ serviceFor: note === undefined ? [] : [note.tenantId] }, async (transaction) => {
        const { numInsertedOrUpdatedRows } = await transaction
          .insertInto('reconcileRuns')
          .values({ ...rowOf(run), leaseHolder: null, leasedUntilMs: 0 })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow();
        if (numInsertedOrUpdatedRows !== 1n) {
          throw new FilesError('reconcile-running', {
            detail: 'A comparison of bucket and database is running. Wait until it ends, or stop it.',
          });
        }
        const old = await transaction
          .selectFrom('reconcileRuns')
          .select('id')
          .orderBy('id', 'desc')
          .offset(keep)
          .limit(keep + 1)
          .execute();
        const ids = old.map(({ id }) => id);
        if (ids.length > 0) {
          await transaction.deleteFrom('reconcileFindings').where('runId', 'in', ids).execute();
          await transaction.deleteFrom('reconcileRuns').where('id', 'in', ids).execute();
        }
        if (note !== undefined) await writeNote(transaction, note);
      }),

    list: (limit) =>
      scope.read('service', async (query) => {
        const rows = await query.selectFrom('reconcileRuns').selectAll().orderBy('id', 'desc').limit(limit).execute();
        return rows.map(recordOf);
      }),

    get: (id) => scope.read('service', (query) => find(query, id)),

    findings: ({ runId, kind, outcome, afterNumber = 0, limit }) =>
      scope.read('service', (query) => {
        let rows = query
          .selectFrom('reconcileFindings')
          .selectAll()
          .where('runId', '=', runId)
          .where('number', '>', afterNumber)
          .orderBy('number')
          .limit(limit);
        if (kind !== undefined) rows = rows.where('kind', '=', kind);
        if (outcome !== undefined) rows = rows.where('outcome', '=', outcome);
        return rows.execute();
      }),

    take: ({ holder, nowMs, leaseMs }) =>
      scope.write('service', async (transaction) => {
        const row = await transaction
          .updateTable('reconcileRuns')
          .set({ leaseHolder: holder, leasedUntilMs: nowMs + leaseMs })
          .where('state', '=', 'running')
          .where(({ eb, or }) => or([eb('leasedUntilMs', '<=', nowMs), eb('leaseHolder', '=', holder)]))
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    keep: (run, lease, { added = [], settled = [] } = {}) =>
      scope.write('service', async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('reconcileRuns')
          .set({ ...rowOf(run), ...leaseOf(run, lease) })
          .where('id', '=', run.id)
          .where('state', '=', 'running')
          .where('leaseHolder', '=', lease.holder)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return false;
        if (added.length > 0)
          await transaction
            .insertInto('reconcileFindings')
            .values(
              added.map((row) => ({ ...row, key: row.key.replaceAll('\0', '\ufffd'), detail: withoutNul(row.detail) })),
            )
            .execute();
        for (const { runId, number, outcome, detail } of settled) {
          await transaction
            .updateTable('reconcileFindings')
            .set({ outcome, detail: withoutNul(detail) })
            .where('runId', '=', runId)
            .where('number', '=', number)
            .execute();
        }
        return true;
      }),

    stop: (id, nowMs, note) =>
      scope.writeLocked({ serviceFor: [note.tenantId] }, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('reconcileRuns')
          .set({ state: 'stopped', updatedAtMs: nowMs, finishedAtMs: nowMs })
          .where('id', '=', id)
          .where('state', '=', 'running')
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    release: async () => {
      await scope.write('service', (transaction) =>
        transaction.updateTable('reconcileRuns').set({ leasedUntilMs: 0 }).where('state', '=', 'running').execute(),
      );
    },

    claimsByKey: ({ after, until, limit }) =>
      scope.read('service', (query) => {
        let rows = query.selectFrom('files').select(claimColumns).orderBy('objectKey').limit(limit);
        if (after !== null) rows = rows.where('objectKey', '>', beforeNul(after));
        if (until !== null) rows = rows.where('objectKey', '<=', beforeNul(until));
        return rows.execute();
      }),

    claimsById: async (ids) => {
      if (ids.length === 0) return [];
      return scope.read('service', (query) =>
        query.selectFrom('files').select(claimColumns).where('id', 'in', ids).execute(),
      );
    },

    extent: () =>
      scope.read('service', async (query) => {
        const { id: databaseId } = await query.selectFrom('databaseIdentity').select('id').executeTakeFirstOrThrow();
        const { rows, oldestId, newestId } = await query
          .selectFrom('files')
          .select(({ fn }) => [
            fn.countAll<number | string>().as('rows'),
            fn.min<string | null>('id').as('oldestId'),
            fn.max<string | null>('id').as('newestId'),
          ])
          .executeTakeFirstOrThrow();
        return { databaseId, rows: Number(rows), oldestId, newestId };
      }),

    countMissing: () =>
      scope.read('service', async (query) => {
        const { count } = await query
          .selectFrom('files')
          .select(({ fn }) => fn.countAll<number | string>().as('count'))
          .where('missingSinceMs', 'is not', null)
          .executeTakeFirstOrThrow();
        return Number(count);
      }),
  };
}

/**
 * A foreign key may hold a NUL, which PostgreSQL takes in no text. No key of ours does: those that come after such a key are those
 * that come after what stands before its NUL.
 */
function beforeNul(key: string): string {
  return key.split('\0', 1)[0] ?? '';
}

/** What an endpoint said of a key may hold one too. */
function withoutNul(text: string | null): string | null {
  return text?.replaceAll('\0', '\ufffd') ?? null;
}

async function find(query: Kysely<Schema>, id: string): Promise<ReconcileRecord | undefined> {
  const row = await query.selectFrom('reconcileRuns').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : recordOf(row);
}

/** One that has come to its end holds nothing. */
function leaseOf({ state }: ReconcileRecord, { nowMs, leaseMs }: Lease): { readonly leasedUntilMs: number } {
  return { leasedUntilMs: state === 'running' ? nowMs + leaseMs : 0 };
}

function rowOf(run: ReconcileRecord): Omit<ReconcileRunRow, 'leaseHolder' | 'leasedUntilMs'> {
  return {
    ...run,
    dryRun: run.dryRun ? 1 : 0,
    position: JSON.stringify(run.position),
    counts: JSON.stringify(run.counts),
    lastError: withoutNul(run.lastError)?.slice(0, maxErrorCharacters) ?? null,
  };
}

function recordOf({ leaseHolder: _holder, leasedUntilMs: _until, ...row }: ReconcileRunRow): ReconcileRecord {
  // The two columns are written by rowOf alone.
  return {
    ...row,
    dryRun: row.dryRun === 1,
    position: JSON.parse(row.position) as ReconcilePosition,
    // What runs of earlier versions did not count is none.
    counts: { ...noCounts, ...(JSON.parse(row.counts) as Partial<ReconcileCounts>) },
  };
}
