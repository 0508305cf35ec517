// People: roles, passwords, second factors, sessions that can be told apart, groups, grants, keys with limits; and the audit log.

import type { Migration } from './migration.ts';

export const accounts = {
  name: 'accounts',
  statements: (dialect) => [
    `ALTER TABLE users ADD COLUMN email text`,
    `ALTER TABLE users ADD COLUMN email_folded text`,
    `ALTER TABLE users ADD COLUMN role text NOT NULL DEFAULT 'none'`,
    // 1: runs the service, and not only a tenant of it.
    `ALTER TABLE users ADD COLUMN service_admin bigint NOT NULL DEFAULT 0`,
    `ALTER TABLE users ADD COLUMN created_at_ms bigint NOT NULL DEFAULT 0`,
    `ALTER TABLE users ADD COLUMN disabled_at_ms bigint`,
    `ALTER TABLE users ADD COLUMN password_hash text`,
    `ALTER TABLE users ADD COLUMN issuer text`,
    `ALTER TABLE users ADD COLUMN subject text`,
    `ALTER TABLE users ADD COLUMN authenticator text`,
    `ALTER TABLE users ADD COLUMN authenticator_at_ms bigint`,
    `ALTER TABLE users ADD COLUMN authenticator_step bigint NOT NULL DEFAULT 0`,
    `UPDATE users SET role = 'owner', service_admin = 1 WHERE id = 'owner'`,
    `CREATE UNIQUE INDEX users_by_email ON users (tenant_id, email_folded) WHERE email_folded IS NOT NULL`,
    `CREATE UNIQUE INDEX users_by_subject ON users (tenant_id, issuer, subject) WHERE issuer IS NOT NULL`,
    `CREATE INDEX users_by_tenant ON users (tenant_id, id)`,

    `CREATE TABLE recovery_codes (
      tenant_id text NOT NULL REFERENCES tenants (id),
      user_id text NOT NULL REFERENCES users (id),
      code_hash text NOT NULL,
      PRIMARY KEY (user_id, code_hash)
    )`,

    // Who was signed in does so again: sessions and links last days, and gain columns that cannot be guessed.
    `DROP TABLE sessions`,
    `CREATE TABLE sessions (
      token_hash text PRIMARY KEY,
      id text NOT NULL UNIQUE,
      tenant_id text NOT NULL REFERENCES tenants (id),
      user_id text NOT NULL REFERENCES users (id),
      how text NOT NULL,
      address text,
      user_agent text,
      created_at_ms bigint NOT NULL,
      expires_at_ms bigint NOT NULL
    )`,
    `CREATE INDEX sessions_by_user ON sessions (user_id)`,
    `DROP TABLE sign_in_tokens`,
    `CREATE TABLE sign_in_tokens (
      token_hash text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      user_id text NOT NULL REFERENCES users (id),
      issued_by text NOT NULL,
      expires_at_ms bigint NOT NULL
    )`,

    `ALTER TABLE api_keys ADD COLUMN scopes text`,
    `ALTER TABLE api_keys ADD COLUMN folder_id text`,
    `ALTER TABLE api_keys ADD COLUMN expires_at_ms bigint`,
    `CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, id)`,

    `CREATE TABLE user_groups (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      name text NOT NULL,
      name_folded ${dialect === 'postgres' ? 'text COLLATE "C"' : 'text'} NOT NULL,
      created_at_ms bigint NOT NULL
    )`,
    `CREATE UNIQUE INDEX user_groups_by_name ON user_groups (tenant_id, name_folded)`,
    `CREATE TABLE group_members (
      tenant_id text NOT NULL REFERENCES tenants (id),
      group_id text NOT NULL REFERENCES user_groups (id),
      user_id text NOT NULL REFERENCES users (id),
      PRIMARY KEY (group_id, user_id)
    )`,
    `CREATE INDEX group_members_by_user ON group_members (user_id)`,

    // The folder's id is empty for the top, which has no row.
    `CREATE TABLE grants (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      folder_id text NOT NULL,
      subject_kind text NOT NULL,
      subject_id text NOT NULL,
      role text NOT NULL,
      created_at_ms bigint NOT NULL
    )`,
    `CREATE UNIQUE INDEX grants_by_subject ON grants (tenant_id, subject_id, folder_id)`,
    `CREATE INDEX grants_by_folder ON grants (folder_id)`,

    `CREATE TABLE audit_entries (
      tenant_id text NOT NULL REFERENCES tenants (id),
      sequence bigint NOT NULL,
      at_ms bigint NOT NULL,
      action text NOT NULL,
      actor_kind text NOT NULL,
      actor_id text NOT NULL,
      subject_kind text NOT NULL,
      subject_id text NOT NULL,
      details text NOT NULL,
      address text,
      request_id text,
      previous_hash text NOT NULL,
      hash text NOT NULL,
      PRIMARY KEY (tenant_id, sequence)
    )`,
    ...appendOnly(dialect),
  ],
} as const satisfies Migration;

/** A mistake in a query must not be able to change the log; who means to can take the trigger away, and the chain shows it. */
function appendOnly(dialect: 'sqlite' | 'postgres'): readonly string[] {
  if (dialect === 'postgres') {
    return [
      `CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'The audit log is only ever added to.'; END $$`,
      `CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
        FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
    ];
  }
  return ['UPDATE', 'DELETE'].map(
    (event) => `CREATE TRIGGER audit_entries_no_${event.toLowerCase()} BEFORE ${event} ON audit_entries BEGIN
      SELECT RAISE(ABORT, 'The audit log is only ever added to.');
    END`,
  );
}
