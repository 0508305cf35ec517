// Limits of a tenant, held where its rows are written: nobody else adds one between the count and the commit.

import type { Schema } from './schema.ts';
import type { LockedTransaction } from './sql-scope.ts';

/** Tables of which a tenant has a limited number of rows, each with an index that begins with the tenant. */
type LimitedTable = keyof Pick<Schema, 'webhooks' | 'apiKeys' | 'userGroups' | 'grants'>;

/** Whether the tenant, which this transaction has locked, has fewer than `atMost`. */
export async function hasRoom(
  transaction: LockedTransaction,
  table: LimitedTable,
  { tenantId, atMost }: { readonly tenantId: string; readonly atMost: number },
): Promise<boolean> {
  const { count } = await transaction
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('tenantId', '=', tenantId)
    .executeTakeFirstOrThrow();
  return Number(count) < atMost;
}
