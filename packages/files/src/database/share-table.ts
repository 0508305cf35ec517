// Rows of shares. A download is counted by one UPDATE that also judges: of any number that come at once, no more than the limit
// succeed, and each success is counted once.

import type { ShareTable } from './database.ts';
import type { SqlScope } from './sql-scope.ts';

export function openShareTable(scope: SqlScope): ShareTable {
  return {
    add: async (share) => {
      await scope.write(share, (transaction) => transaction.insertInto('shares').values(share).execute());
    },

    find: (id) =>
      scope.read('service', (query) => query.selectFrom('shares').selectAll().where('id', '=', id).executeTakeFirst()),

    list: ({ tenantId, limit, beforeId }) =>
      scope.read({ tenantId }, (query) => {
        const rows = query
          .selectFrom('shares')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .orderBy('id', 'desc')
          .limit(limit);
        return (beforeId === undefined ? rows : rows.where('id', '<', beforeId)).execute();
      }),

    revoke: ({ tenantId, id }, nowMs) =>
      scope.write({ tenantId }, async (transaction) => {
        const row = await transaction
          .selectFrom('shares')
          .select('revokedAtMs')
          .where('id', '=', id)
          .where('tenantId', '=', tenantId)
          .executeTakeFirst();
        if (row === undefined) return false;
        if (row.revokedAtMs !== null) return true;
        await transaction.updateTable('shares').set({ revokedAtMs: nowMs }).where('id', '=', id).execute();
        return true;
      }),

    countDownload: (share, nowMs) =>
      scope.write(share, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('shares')
          .set(({ eb }) => ({ downloads: eb('downloads', '+', 1) }))
          .where('id', '=', share.id)
          .where('revokedAtMs', 'is', null)
          .where(({ eb, or }) => or([eb('expiresAtMs', 'is', null), eb('expiresAtMs', '>', nowMs)]))
          .where(({ eb, or, ref }) => or([eb('maxDownloads', 'is', null), eb('downloads', '<', ref('maxDownloads'))]))
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }),
  };
}
