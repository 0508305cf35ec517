// Where applications are told what happens, and what is still to be told them.

import type { Migration } from './migration.ts';

export const webhooks = {
  name: 'webhooks',
  statements: () => [
    `CREATE TABLE webhooks (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      url text NOT NULL,
      events text NOT NULL,
      secret_sealed text NOT NULL,
      old_secret_sealed text,
      old_secret_until_ms bigint,
      enabled bigint NOT NULL,
      disabled_reason text,
      created_at_ms bigint NOT NULL
    )`,
    `CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, id)`,
    `CREATE TABLE webhook_deliveries (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      webhook_id text NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
      event_id text NOT NULL,
      type text NOT NULL,
      body text NOT NULL,
      state text NOT NULL,
      attempts bigint NOT NULL,
      due_at_ms bigint,
      created_at_ms bigint NOT NULL,
      delivered_at_ms bigint,
      last_answer text
    )`,
    `CREATE INDEX webhook_deliveries_by_due ON webhook_deliveries (due_at_ms) WHERE due_at_ms IS NOT NULL`,
    `CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id)`,
  ],
} as const satisfies Migration;
