// Rows of tenants, and what each has taken up.

import { FilesError } from '../files-error.ts';
import type { TenantTable } from './account-tables.ts';
import type { WriteNote } from './audit-table.ts';
import type { SqlScope } from './sql-scope.ts';
import { tenantSums } from './usage-totals.ts';
import { addUser } from './user-table.ts';

export function openTenantTable(scope: SqlScope, writeNote: WriteNote): TenantTable {
  return {
    add: (tenant, owner, token, notes) =>
      scope.writeLocked({ serviceFor: notes.map(({ tenantId }) => tenantId) }, async (transaction) => {
        const { numInsertedOrUpdatedRows } = await transaction
          .insertInto('tenants')
          .values(tenant)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .executeTakeFirstOrThrow();
        if (numInsertedOrUpdatedRows !== 1n) {
          throw new FilesError('name-taken', { detail: `There is a tenant ${tenant.id}. Choose another id.` });
        }
        await addUser(transaction, owner, token);
        for (const note of notes) await writeNote(transaction, note);
      }),

    get: (id) =>
      scope.read({ tenantId: id }, (query) =>
        query.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst(),
      ),

    list: ({ limit, afterId }) =>
      scope.read('service', (query) => {
        const rows = query.selectFrom('tenants').selectAll().orderBy('id').limit(limit);
        return (afterId === undefined ? rows : rows.where('id', '>', afterId)).execute();
      }),

    change: (id, changes, note) =>
      scope.writeLocked({ tenantId: id }, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('tenants')
          .set(changes)
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return undefined;
        await writeNote(transaction, note);
        return transaction.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      }),

    usage: (tenantId) => scope.read({ tenantId }, (query) => tenantSums(query, tenantId)),

    usageByUser: (tenantId, limit) =>
      scope.read({ tenantId }, (query) =>
        query
          .selectFrom('usageTotals')
          .select(['userId', 'usedBytes', 'usedFiles', 'reservedBytes', 'reservedFiles'])
          .where('tenantId', '=', tenantId)
          .orderBy('usedBytes', 'desc')
          .orderBy('userId')
          .limit(limit)
          .execute(),
      ),
  };
}
