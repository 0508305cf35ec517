// What each tenant stored, sent and was handed out, by day. What is there already counts as stored on the day of this step.

import { dayOf } from '../usage-day-table.ts';
import type { Migration } from './migration.ts';

export const usageDays = {
  name: 'usage-days',
  statements: () => [
    `CREATE TABLE usage_days (
      tenant_id text NOT NULL REFERENCES tenants (id),
      day text NOT NULL,
      stored_bytes_change bigint NOT NULL DEFAULT 0,
      stored_files_change bigint NOT NULL DEFAULT 0,
      uploads bigint NOT NULL DEFAULT 0,
      uploaded_bytes bigint NOT NULL DEFAULT 0,
      downloads bigint NOT NULL DEFAULT 0,
      download_bytes bigint NOT NULL DEFAULT 0,
      requests bigint NOT NULL DEFAULT 0,
      PRIMARY KEY (tenant_id, day)
    )`,
  ],
  run: async (transaction, { nowMs }) => {
    const sums = await transaction
      .selectFrom('usageTotals')
      .select(({ fn }) => [
        'tenantId',
        fn.sum<number | string>('usedBytes').as('usedBytes'),
        fn.sum<number | string>('usedFiles').as('usedFiles'),
      ])
      .groupBy('tenantId')
      .execute();
    for (const { tenantId, usedBytes, usedFiles } of sums) {
      await transaction
        .insertInto('usageDays')
        .values({
          tenantId,
          day: dayOf(nowMs),
          storedBytesChange: Number(usedBytes),
          storedFilesChange: Number(usedFiles),
          uploads: 0,
          uploadedBytes: 0,
          downloads: 0,
          downloadBytes: 0,
          requests: 0,
        })
        .execute();
    }
  },
} as const satisfies Migration;
