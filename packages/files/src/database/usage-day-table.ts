// Rows of what was used, one for each tenant and day. Counts are only ever added, so that several processes need no agreement.

import type { Transaction } from 'kysely';
import type { UsageDayTable } from './database.ts';
import type { Schema, UsageDayRow } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

type Counts = Omit<UsageDayRow, 'tenantId' | 'day'>;

const nothing: Counts = {
  storedBytesChange: 0,
  storedFilesChange: 0,
  uploads: 0,
  uploadedBytes: 0,
  downloads: 0,
  downloadBytes: 0,
  requests: 0,
};
// Object.keys of a value of a closed interface gives that interface's keys.
const columns = Object.keys(nothing) as (keyof Counts)[];

/** The day of a moment, in UTC. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** Adds to the row of a tenant and day, in the transaction of what is counted. */
export async function addUsageDay(
  transaction: Transaction<Schema>,
  counts: Partial<Counts> & Pick<UsageDayRow, 'tenantId' | 'day'>,
): Promise<void> {
  await transaction
    .insertInto('usageDays')
    .values({ ...nothing, ...counts })
    .onConflict((conflict) =>
      conflict
        .columns(['tenantId', 'day'])
        .doUpdateSet(({ eb, ref }) =>
          Object.fromEntries(columns.map((name) => [name, eb(ref(`usageDays.${name}`), '+', ref(`excluded.${name}`))])),
        ),
    )
    .execute();
}

export function openUsageDayTable(scope: SqlScope): UsageDayTable {
  return {
    add: async (days) => {
      // In one order, so that two processes that add to the same rows do not wait for each other.
      const sorted = days.toSorted((one, other) =>
        `${one.tenantId} ${one.day}` < `${other.tenantId} ${other.day}` ? -1 : 1,
      );
      await scope.write('service', async (transaction) => {
        for (const counts of sorted) await addUsageDay(transaction, counts);
      });
    },

    tenants: ({ after, limit }) =>
      scope.read('service', async (query) => {
        let rows = query.selectFrom('usageDays').select('tenantId').distinct().orderBy('tenantId').limit(limit);
        if (after !== undefined) rows = rows.where('tenantId', '>', after);
        return (await rows.execute()).map(({ tenantId }) => tenantId);
      }),

    list: ({ tenantId, from, until }) =>
      scope.read({ tenantId }, async (query) => {
        const before = await query
          .selectFrom('usageDays')
          .select(({ fn }) => [
            fn.countAll<number | string>().as('count'),
            fn.sum<number | string | null>('storedBytesChange').as('bytes'),
            fn.sum<number | string | null>('storedFilesChange').as('files'),
          ])
          .where('tenantId', '=', tenantId)
          .where('day', '<', from)
          .executeTakeFirstOrThrow();
        const days = await query
          .selectFrom('usageDays')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('day', '>=', from)
          .where('day', '<=', until)
          .orderBy('day')
          .execute();
        const sum = {
          ...nothing,
          tenantId,
          day: from,
          storedBytesChange: Number(before.bytes ?? 0),
          storedFilesChange: Number(before.files ?? 0),
        };
        return { before: Number(before.count) === 0 ? undefined : sum, days };
      }),
  };
}
