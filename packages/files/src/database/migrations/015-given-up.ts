// Uploads that were given up and are being removed no longer count as stored: their bytes never came.

import { sql } from 'kysely';
import { addUsageDay, dayOf } from '../usage-day-table.ts';
import type { Migration } from './migration.ts';

export const givenUp = {
  name: 'given-up',
  statements: () => [],
  run: async (transaction, { nowMs }) => {
    const rows = await transaction
      .selectFrom('files')
      .select(({ fn }) => [
        'tenantId',
        'userId',
        fn.countAll<number | string>().as('files'),
        fn.sum<number | string>('sizeBytes').as('bytes'),
      ])
      .where('state', '=', 'purging')
      .where('objectEtag', 'is', null)
      .groupBy(['tenantId', 'userId'])
      .execute();
    for (const { tenantId, userId, ...counted } of rows) {
      const [files, bytes] = [Number(counted.files), Number(counted.bytes)];
      await transaction
        .updateTable('usageTotals')
        .set({ usedFiles: sql`used_files - ${files}`, usedBytes: sql`used_bytes - ${bytes}` })
        .where('tenantId', '=', tenantId)
        .where('userId', '=', userId)
        .execute();
      const change = { storedFilesChange: -files, storedBytesChange: -bytes };
      await addUsageDay(transaction, { tenantId, day: dayOf(nowMs), uploads: 0, uploadedBytes: 0, ...change });
    }
  },
} as const satisfies Migration;
