// Jobs waiting to be done, in the order they are due.

import type { Job } from '../job.ts';
import type { Outbox } from './database.ts';
import type { SqlScope } from './sql-scope.ts';

/** Longest error text kept with a job. */
const maxErrorCharacters = 500;

export function openOutbox(scope: SqlScope): Outbox {
  return {
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

    done: async (job) => {
      await scope.write('service', (transaction) =>
        transaction.deleteFrom('outbox').where('id', '=', job.id).execute(),
      );
    },

    retry: async (job, dueAtMs, error) => {
      await scope.write('service', (transaction) =>
        transaction
          .updateTable('outbox')
          .set({ dueAtMs, leasedUntilMs: 0, lastError: error.slice(0, maxErrorCharacters) })
          .where('id', '=', job.id)
          .execute(),
      );
    },

    release: async () => {
      await scope.write('service', (transaction) =>
        transaction.updateTable('outbox').set({ leasedUntilMs: 0 }).where('leasedUntilMs', '>', 0).execute(),
      );
    },

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
