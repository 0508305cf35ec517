// Whose turn it is when one tenant has much to do: what waits is found tenant by tenant too, deliveries webhook by webhook, and previews
// apart from all other jobs. The rows as due-rows.ts reads them.

import type { Migration } from './migration.ts';

export const fairTurns = {
  name: 'fair-turns',
  statements: () => [
    // An instance of the version before, which may still run, writes jobs without it: they share one queue.
    `ALTER TABLE outbox ADD COLUMN tenant_id text NOT NULL DEFAULT ''`,
    `UPDATE outbox SET tenant_id = (SELECT files.tenant_id FROM files WHERE files.id = outbox.file_id)`,
    `CREATE INDEX outbox_jobs_by_turn ON outbox (due_at_ms, id) WHERE kind <> 'preview'`,
    `CREATE INDEX outbox_jobs_by_tenant ON outbox (tenant_id, due_at_ms, id) WHERE kind <> 'preview'`,
    `CREATE INDEX outbox_previews_by_turn ON outbox (due_at_ms, id) WHERE kind = 'preview'`,
    `CREATE INDEX outbox_previews_by_tenant ON outbox (tenant_id, due_at_ms, id) WHERE kind = 'preview'`,
    `DROP INDEX outbox_by_turn`,
    `CREATE INDEX files_by_tenant_review ON files (tenant_id, review_at_ms) WHERE review_at_ms IS NOT NULL`,
    `CREATE INDEX webhook_deliveries_by_webhook_turn ON webhook_deliveries (webhook_id, due_at_ms, id)
      WHERE due_at_ms IS NOT NULL`,
  ],
} as const satisfies Migration;
