// Jobs waiting to be done, in the order they are due. Whoever takes one holds it by the number of the taking: what another has taken
// since, or was given back, is no longer theirs, and a job that was added while one of its kind runs is another row.

import type { Transaction } from 'kysely';
import type { Job, NewJob } from '../lifecycle/job.ts';
import type { WriteNote } from './audit-table.ts';
import { dueBacklog, openWaitingList } from './due-rows.ts';
import { lockFreeRows, lockRows } from './lock-rows.ts';
import type { SqlDialect } from './migrations/migration.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';
import type { Outbox } from './work-tables.ts';

/** Longest error text kept with a job. */
const maxErrorCharacters = 500;

interface OutboxOptions {
  readonly newId: () => string;
  readonly writeNote: WriteNote;
}

export function openOutbox(scope: SqlScope, { newId, writeNote }: OutboxOptions): Outbox {
  const { dialect } = scope;
  return {
    add: async (fileId, job) => {
      await scope.write('service', (transaction) => addJobs(transaction, fileId, [job], { newId, dialect }));
    },

    waiting: (kind) => openWaitingList(scope, kind),

    take: (ids, { nowMs, leaseMs }) =>
      scope.write('service', async (transaction) => {
        const waiting = transaction
          .selectFrom('outbox')
          .select(['id', 'kind', 'fileId', 'attempts', 'fence'])
          .where('id', 'in', [...ids])
          .where('dueAtMs', '<=', nowMs)
          .where('leasedUntilMs', '<=', nowMs)
          .orderBy('dueAtMs')
          .orderBy('id');
        // Several processes share the work: what another is just taking is passed over.
        const due = await lockFreeRows(waiting, dialect).execute();
        const taken: Job[] = [];
        for (const job of due) {
          const { numUpdatedRows } = await transaction
            .updateTable('outbox')
            .set({ leasedUntilMs: nowMs + leaseMs, attempts: job.attempts + 1, fence: job.fence + 1 })
            .where('id', '=', job.id)
            .where('fence', '=', job.fence)
            .executeTakeFirstOrThrow();
          if (numUpdatedRows === 1n) taken.push({ ...job, fence: job.fence + 1 });
        }
        return taken;
      }),

    renew: (jobs, { nowMs, leaseMs }) =>
      scope.write('service', async (transaction) => {
        const held = new Set<string>();
        for (const job of inOrder(jobs)) {
          const { numUpdatedRows } = await transaction
            .updateTable('outbox')
            .set({ leasedUntilMs: nowMs + leaseMs })
            .where('id', '=', job.id)
            .where('fence', '=', job.fence)
            .where('leasedUntilMs', '>', 0)
            .executeTakeFirstOrThrow();
          if (numUpdatedRows === 1n) held.add(job.id);
        }
        return held;
      }),

    done: (job) => scope.write('service', (transaction) => strikeOff(transaction, job)),

    giveUp: (job, note) =>
      scope.writeLocked({ serviceFor: [note.tenantId] }, async (transaction) => {
        const struckOff = await strikeOff(transaction, job);
        if (struckOff) await writeNote(transaction, note);
        return struckOff;
      }),

    retry: (job, { dueAtMs, error, tries = job.attempts + 1 }) =>
      scope.write('service', async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('outbox')
          .set({ dueAtMs, leasedUntilMs: 0, attempts: tries, lastError: error.slice(0, maxErrorCharacters) })
          .where('id', '=', job.id)
          .where('fence', '=', job.fence)
          .where('leasedUntilMs', '>', 0)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }),

    release: async () => {
      await scope.write('service', (transaction) =>
        transaction.updateTable('outbox').set({ leasedUntilMs: 0 }).where('leasedUntilMs', '>', 0).execute(),
      );
    },

    giveBack: async (jobs) => {
      await scope.write('service', async (transaction) => {
        for (const { id, attempts, fence } of inOrder(jobs)) {
          await transaction
            .updateTable('outbox')
            .set({ leasedUntilMs: 0, attempts })
            .where('id', '=', id)
            .where('fence', '=', fence)
            .where('leasedUntilMs', '>', 0)
            .execute();
        }
      });
    },

    backlog: (nowMs) =>
      scope.read('service', async (query) => {
        const ofKinds = [
          await dueBacklog('job', nowMs).execute(query),
          await dueBacklog('preview', nowMs).execute(query),
        ];
        const rows = ofKinds.flatMap(({ rows: [row] }) => (row === undefined ? [] : [row]));
        const oldestMs = Math.min(nowMs, ...rows.map((row) => Number(row.oldestMs ?? nowMs)));
        return { due: rows.reduce((sum, { count }) => sum + Number(count), 0), lagMs: nowMs - oldestMs };
      }),

    count: () =>
      scope.read('service', async (query) => {
        const { count } = await query
          .selectFrom('outbox')
          .select(({ fn }) => fn.countAll<number | string>().as('count'))
          .executeTakeFirstOrThrow();
        return Number(count);
      }),
  };
}

async function strikeOff(transaction: Transaction<Schema>, { id, fence }: Job): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('outbox')
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('leasedUntilMs', '>', 0)
    .executeTakeFirstOrThrow();
  return numDeletedRows === 1n;
}

function inOrder(jobs: readonly Job[]): readonly Job[] {
  return jobs.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

export interface AddJobsOptions {
  readonly newId: () => string;
  readonly dialect: SqlDialect;
}

/** A job of the same kind that waits already is enough; it is done at the earlier of both times. */
export async function addJobs(
  transaction: Transaction<Schema>,
  fileId: string,
  jobs: readonly NewJob[],
  { newId, dialect }: AddJobsOptions,
): Promise<void> {
  for (const job of jobs) {
    const same = transaction
      .selectFrom('outbox')
      .select(['id', 'dueAtMs'])
      .where('fileId', '=', fileId)
      .where('kind', '=', job.kind)
      .where('leasedUntilMs', '=', 0);
    // Held until the commit: taken before it, the job would be done, and struck off, by who does not see yet what it is for.
    const waiting = await lockRows(same, dialect).executeTakeFirst();
    if (waiting === undefined) {
      const row = { id: newId(), ...job, fileId, attempts: 0, fence: 0, leasedUntilMs: 0, lastError: null };
      const tenantId = transaction.selectFrom('files').select('files.tenantId').where('files.id', '=', fileId);
      await transaction
        .insertInto('outbox')
        .values({ ...row, tenantId })
        .execute();
    } else if (waiting.dueAtMs > job.dueAtMs) {
      await transaction.updateTable('outbox').set({ dueAtMs: job.dueAtMs }).where('id', '=', waiting.id).execute();
    }
  }
}
