// Links by which people without an account read a file or a folder.

import type { Migration } from './migration.ts';

export const shares = {
  name: 'shares',
  statements: () => [
    `CREATE TABLE shares (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      created_by text NOT NULL REFERENCES users (id),
      target_kind text NOT NULL,
      target_id text NOT NULL,
      password_hash text,
      created_at_ms bigint NOT NULL,
      expires_at_ms bigint,
      max_downloads bigint,
      downloads bigint NOT NULL,
      revoked_at_ms bigint
    )`,
    `CREATE INDEX shares_by_tenant ON shares (tenant_id, id)`,
  ],
} as const satisfies Migration;
