// Files, accounts and the outbox, as they began. A step that was published never changes: add another.

import type { Migration } from './migration.ts';

export const first = {
  name: 'first',
  statements: () => [
    `CREATE TABLE tenants (id text PRIMARY KEY, name text NOT NULL)`,
    `CREATE TABLE users (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      name text NOT NULL
    )`,
    `INSERT INTO tenants (id, name) VALUES ('main', 'Main')`,
    `INSERT INTO users (id, tenant_id, name) VALUES ('owner', 'main', 'Owner')`,
    `CREATE TABLE sign_in_tokens (
      token_hash text PRIMARY KEY,
      user_id text NOT NULL REFERENCES users (id),
      expires_at_ms bigint NOT NULL
    )`,
    `CREATE TABLE sessions (
      token_hash text PRIMARY KEY,
      user_id text NOT NULL REFERENCES users (id),
      created_at_ms bigint NOT NULL,
      expires_at_ms bigint NOT NULL
    )`,
    `CREATE TABLE api_keys (
      id text PRIMARY KEY,
      user_id text NOT NULL REFERENCES users (id),
      tenant_id text NOT NULL REFERENCES tenants (id),
      name text NOT NULL,
      hint text NOT NULL,
      secret_hash text NOT NULL UNIQUE,
      created_at_ms bigint NOT NULL,
      last_used_at_ms bigint
    )`,
    `CREATE TABLE files (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      user_id text NOT NULL REFERENCES users (id),
      name text NOT NULL,
      name_folded text NOT NULL,
      folder text NOT NULL,
      declared_type text NOT NULL,
      content_type text NOT NULL,
      size_bytes bigint NOT NULL,
      state text NOT NULL,
      shelf text NOT NULL,
      fence bigint NOT NULL,
      reason text,
      strategy text NOT NULL,
      part_size_bytes bigint,
      part_count bigint,
      object_key text NOT NULL UNIQUE,
      multipart_upload_id text,
      object_etag text,
      object_version_id text,
      checksum_algorithm text,
      checksum_value text,
      scan_policy text,
      previews text NOT NULL,
      width bigint,
      height bigint,
      created_at_ms bigint NOT NULL,
      updated_at_ms bigint NOT NULL,
      modified_at_ms bigint,
      upload_expires_at_ms bigint NOT NULL,
      signed_until_ms bigint NOT NULL,
      review_at_ms bigint,
      trashed_at_ms bigint,
      purge_at_ms bigint
    )`,
    `CREATE INDEX files_by_creation ON files (tenant_id, shelf, created_at_ms, id)`,
    `CREATE INDEX files_by_name ON files (tenant_id, shelf, name_folded, id)`,
    `CREATE INDEX files_by_size ON files (tenant_id, shelf, size_bytes, id)`,
    `CREATE INDEX files_by_review ON files (review_at_ms) WHERE review_at_ms IS NOT NULL`,
    `CREATE TABLE idempotency_keys (
      tenant_id text NOT NULL,
      key text NOT NULL,
      request_hash text NOT NULL,
      file_id text NOT NULL REFERENCES files (id),
      expires_at_ms bigint NOT NULL,
      PRIMARY KEY (tenant_id, key)
    )`,
    `CREATE TABLE outbox (
      id text PRIMARY KEY,
      kind text NOT NULL,
      file_id text NOT NULL REFERENCES files (id),
      due_at_ms bigint NOT NULL,
      attempts bigint NOT NULL,
      leased_until_ms bigint NOT NULL,
      last_error text
    )`,
    `CREATE INDEX outbox_by_due ON outbox (due_at_ms)`,
    `CREATE INDEX outbox_by_file ON outbox (file_id)`,
  ],
} as const satisfies Migration;
