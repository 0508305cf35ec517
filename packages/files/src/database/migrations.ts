// The database's shape, as steps that only go forward. A step that was published never changes: its checksum is kept in the
// database and compared at every start. The SQL is the part that SQLite and PostgreSQL share.

import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** Numbered by their place, from 1. */
const migrations: readonly (readonly string[])[] = [
  [
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
];

/**
 * Brings the database to this version's shape, one transaction a step. Throws when it was written by a newer version, or by
 * one whose steps differ: then nothing is changed.
 */
export async function migrate(database: Kysely<Schema>, nowMs: number): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS schema_migrations (
    number bigint PRIMARY KEY, checksum text NOT NULL, applied_at_ms bigint NOT NULL
  )`.execute(database);
  const applied = await database.selectFrom('schemaMigrations').selectAll().orderBy('number').execute();
  for (const row of applied) {
    const statements = migrations[row.number - 1];
    if (statements === undefined) {
      throw new Error(
        `The database has schema step ${row.number}; this version knows ${migrations.length}. It was written by a newer version: use that one.`,
      );
    }
    if (row.checksum !== checksumOf(statements)) {
      throw new Error(`Schema step ${row.number} of the database is not the one this version knows. Restore a backup.`);
    }
  }
  for (const [index, statements] of migrations.entries()) {
    if (index < applied.length) continue;
    await database.transaction().execute(async (transaction) => {
      for (const statement of statements) await sql.raw(statement).execute(transaction);
      await transaction
        .insertInto('schemaMigrations')
        .values({ number: index + 1, checksum: checksumOf(statements), appliedAtMs: nowMs })
        .execute();
    });
  }
}

function checksumOf(statements: readonly string[]): string {
  // White space is layout, not meaning.
  const text = statements.map((statement) => statement.replace(/\s+/g, ' ')).join(';');
  return createHash('sha256').update(text).digest('hex');
}
