// Whose turn it is, however much waits: what is due is read off an index in its order, and each taking of a job has a number of its own.

import type { Migration } from './migration.ts';

export const turns = {
  name: 'turns',
  statements: () => [
    `ALTER TABLE outbox ADD COLUMN fence bigint NOT NULL DEFAULT 0`,
    // What came in one go is due at one time: with the ids the order is the index's, and nobody sorts all of it for the first few.
    `CREATE INDEX outbox_by_turn ON outbox (due_at_ms, id)`,
    `DROP INDEX outbox_by_due`,
    `CREATE INDEX webhook_deliveries_by_turn ON webhook_deliveries (due_at_ms, id) WHERE due_at_ms IS NOT NULL`,
    `DROP INDEX webhook_deliveries_by_due`,
  ],
} as const satisfies Migration;
