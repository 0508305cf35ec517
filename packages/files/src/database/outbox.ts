// Jobs waiting to be done, in the order they are due.

import type { Kysely } from 'kysely';
import type { Job } from '../job.ts';
import type { Outbox } from './database.ts';
import type { Schema } from './schema.ts';

/** Longest error text kept with a job. */
const maxErrorCharacters = 500;

export function openOutbox(database: Kysely<Schema>): Outbox {
  return {
    take: ({ nowMs, leaseMs, limit }) =>
      database.transaction().execute(async (transaction) => {
        const due = await transaction
          .selectFrom('outbox')
          .select(['id', 'kind', 'fileId', 'attempts'])
          .where('dueAtMs', '<=', nowMs)
          .where('leasedUntilMs', '<=', nowMs)
          .orderBy('dueAtMs')
          .orderBy('id')
          .limit(limit)
          .execute();
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
      await database.deleteFrom('outbox').where('id', '=', job.id).execute();
    },

    retry: async (job, dueAtMs, error) => {
      await database
        .updateTable('outbox')
        .set({ dueAtMs, leasedUntilMs: 0, lastError: error.slice(0, maxErrorCharacters) })
        .where('id', '=', job.id)
        .execute();
    },

    release: async () => {
      await database.updateTable('outbox').set({ leasedUntilMs: 0 }).where('leasedUntilMs', '>', 0).execute();
    },

    count: async () => {
      const { count } = await database
        .selectFrom('outbox')
        .select(({ fn }) => fn.countAll<number | string>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}
