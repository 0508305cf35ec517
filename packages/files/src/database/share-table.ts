// Rows of shares. A download is counted by one UPDATE that also judges: of any number that come at once, no more than the limit
// succeed, and each success is counted once.

import type { Transaction } from 'kysely';
import type { WriteNote } from './audit-table.ts';
import type { ShareTable } from './database.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

export function openShareTable(scope: SqlScope, writeNote: WriteNote): ShareTable {
  return {
    add: (share, note) =>
      scope.writeLocked(share, async (transaction) => {
        await transaction.insertInto('shares').values(share).execute();
        await writeNote(transaction, note);
      }),

    find: (id) =>
      scope.read('service', (query) =>
        query
          .selectFrom('shares')
          .innerJoin('tenants', 'tenants.id', 'shares.tenantId')
          .selectAll('shares')
          .where('shares.id', '=', id)
          .where('tenants.suspendedAtMs', 'is', null)
          .executeTakeFirst(),
      ),

    list: ({ tenantId, createdBy, limit, beforeId }) =>
      scope.read({ tenantId }, (query) => {
        let rows = query
          .selectFrom('shares')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .orderBy('id', 'desc')
          .limit(limit);
        if (createdBy !== undefined) rows = rows.where('createdBy', '=', createdBy);
        return (beforeId === undefined ? rows : rows.where('id', '<', beforeId)).execute();
      }),

    revoke: ({ tenantId, id, createdBy }, nowMs, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        let rows = transaction
          .selectFrom('shares')
          .select('revokedAtMs')
          .where('id', '=', id)
          .where('tenantId', '=', tenantId);
        if (createdBy !== undefined) rows = rows.where('createdBy', '=', createdBy);
        const row = await rows.executeTakeFirst();
        if (row === undefined) return false;
        if (row.revokedAtMs !== null) return true;
        await transaction.updateTable('shares').set({ revokedAtMs: nowMs }).where('id', '=', id).execute();
        await writeNote(transaction, note);
        return true;
      }),

    countDownload: (share, nowMs, note) => {
      if (note === undefined) return scope.write(share, (transaction) => countDownload(transaction, share.id, nowMs));
      return scope.writeLocked(share, async (transaction) => {
        const counted = await countDownload(transaction, share.id, nowMs);
        if (counted) await writeNote(transaction, note);
        return counted;
      });
    },
  };
}

/** `false` when the share is at its limit, over or revoked. */
async function countDownload(transaction: Transaction<Schema>, id: string, nowMs: number): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('shares')
    .set(({ eb }) => ({ downloads: eb('downloads', '+', 1) }))
    .where('id', '=', id)
    .where('revokedAtMs', 'is', null)
    .where(({ eb, or }) => or([eb('expiresAtMs', 'is', null), eb('expiresAtMs', '>', nowMs)]))
    .where(({ eb, or, ref }) => or([eb('maxDownloads', 'is', null), eb('downloads', '<', ref('maxDownloads'))]))
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}
