// Jobs waiting to be done, in the order they are due.

import type { Transaction } from 'kysely';
import type { Job, NewJob } from '../lifecycle/job.ts';
import type { Outbox } from './database.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

/** Longest error text kept with a job. */
const maxErrorCharacters = 500;

export function openOutbox(scope: SqlScope, { newId }: { readonly newId: () => string }): Outbox {
  return {
    add: async (fileId, job) => {
      await scope.write('service', (transaction) => addJobs(transaction, fileId, [job], newId));
    },

    take: ({ nowMs, leaseMs, limit }) =>
      scope.write('service', async (transaction) => {
        const waiting = transaction
          .selectFrom('outbox')
          .select(['id', 'kind', 'fileId', 'attempts'])
          .where('dueAtMs', '<=', nowMs)
          .where('leasedUntilMs', '<=', nowMs)
          .orderBy('dueAtMs')
          .orderBy('id')
          .limit(limit);
        // Several processes share the work: what another is just taking is passed over.
        const due = await (scope.dialect === 'postgres' ? waiting.forUpdate().skipLocked() : waiting).execute();
        const taken: Job[] = [];
        for (const job of due) {
          const { numUpdatedRows } = await transaction
            .updateTable('outbox')
            .set({ leasedUntilMs: nowMs + leaseMs, attempts: job.attempts + 1 })
            .where('id', '=', job.id)
            .where('leasedUntilMs', '<=', nowMs)
            .executeTakeFirstOrThrow();
          if (numUpdatedRows === 1n) taken.push(job);
        }
        return taken;
      }),

    renew: (jobs, { nowMs, leaseMs }) =>
      scope.write('service', async (transaction) => {
        const held = new Set<string>();
        for (const job of jobs) {
          const { numUpdatedRows } = await transaction
            .updateTable('outbox')
            .set({ leasedUntilMs: nowMs + leaseMs })
            .where('id', '=', job.id)
            .where('attempts', '=', job.attempts + 1)
            .where('leasedUntilMs', '>', 0)
            .executeTakeFirstOrThrow();
          if (numUpdatedRows === 1n) held.add(job.id);
        }
        return held;
      }),

    done: (job) =>
      scope.write('service', async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('outbox')
          .where('id', '=', job.id)
          .where('attempts', '=', job.attempts + 1)
          .where('leasedUntilMs', '>', 0)
          .executeTakeFirstOrThrow();
        return numDeletedRows === 1n;
      }),

    retry: (job, dueAtMs, error) =>
      scope.write('service', async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('outbox')
          .set({ dueAtMs, leasedUntilMs: 0, lastError: error.slice(0, maxErrorCharacters) })
          .where('id', '=', job.id)
          .where('attempts', '=', job.attempts + 1)
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
        for (const { id, attempts } of jobs) {
          await transaction
            .updateTable('outbox')
            .set({ leasedUntilMs: 0, attempts })
            .where('id', '=', id)
            .where('attempts', '=', attempts + 1)
            .where('leasedUntilMs', '>', 0)
            .execute();
        }
      });
    },

    backlog: (nowMs) =>
      scope.read('service', async (query) => {
        const { count, oldestMs } = await query
          .selectFrom('outbox')
          .select(({ fn }) => [
            fn.countAll<number | string>().as('count'),
            fn.min<number | string | null>('dueAtMs').as('oldestMs'),
          ])
          .where('dueAtMs', '<=', nowMs)
          .executeTakeFirstOrThrow();
        return { due: Number(count), lagMs: oldestMs === null ? 0 : Math.max(0, nowMs - Number(oldestMs)) };
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

/** A job of the same kind that waits already is enough; it is done at the earlier of both times. */
export async function addJobs(
  transaction: Transaction<Schema>,
  fileId: string,
  jobs: readonly NewJob[],
  newId: () => string,
): Promise<void> {
  for (const job of jobs) {
    const waiting = await transaction
      .selectFrom('outbox')
      .select(['id', 'dueAtMs'])
      .where('fileId', '=', fileId)
      .where('kind', '=', job.kind)
      .where('leasedUntilMs', '=', 0)
      .executeTakeFirst();
    if (waiting === undefined) {
      const row = { id: newId(), ...job, fileId, attempts: 0, leasedUntilMs: 0, lastError: null };
      await transaction.insertInto('outbox').values(row).execute();
    } else if (waiting.dueAtMs > job.dueAtMs) {
      await transaction.updateTable('outbox').set({ dueAtMs: job.dueAtMs }).where('id', '=', waiting.id).execute();
    }
  }
}
