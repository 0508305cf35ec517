// Folders as rows of their own, several versions of a file, tenants with limits, and sums of what each user holds.

import { sql, type Transaction } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration, MigrationContext } from './migration.ts';

export const tree = {
  name: 'tree',

  statements: (dialect) => [
    `ALTER TABLE tenants ADD COLUMN created_at_ms bigint NOT NULL DEFAULT 0`,
    `ALTER TABLE tenants ADD COLUMN suspended_at_ms bigint`,
    `ALTER TABLE tenants ADD COLUMN quota_bytes bigint`,
    `ALTER TABLE tenants ADD COLUMN quota_files bigint`,

    // The top of the tree is the empty id: a parent that is NULL would be in no unique index.
    `CREATE TABLE folders (
      id text PRIMARY KEY,
      tenant_id text NOT NULL REFERENCES tenants (id),
      parent_id text NOT NULL,
      name text NOT NULL,
      name_folded ${dialect === 'postgres' ? 'text COLLATE "C"' : 'text'} NOT NULL,
      created_by text NOT NULL REFERENCES users (id),
      created_at_ms bigint NOT NULL,
      updated_at_ms bigint NOT NULL,
      fence bigint NOT NULL
    )`,
    `CREATE UNIQUE INDEX folders_by_name ON folders (tenant_id, parent_id, name_folded)`,

    // PostgreSQL sorts by the database's language otherwise, and pages would depend on it.
    ...(dialect === 'postgres' ? [`ALTER TABLE files ALTER COLUMN name_folded TYPE text COLLATE "C"`] : []),
    `ALTER TABLE files ADD COLUMN line_id text NOT NULL DEFAULT ''`,
    `ALTER TABLE files ADD COLUMN role text NOT NULL DEFAULT 'current'`,
    `ALTER TABLE files ADD COLUMN folder_id text NOT NULL DEFAULT ''`,
    `ALTER TABLE files ADD COLUMN category text NOT NULL DEFAULT 'default'`,
    `ALTER TABLE files ADD COLUMN tags text NOT NULL DEFAULT '[]'`,
    `ALTER TABLE files ADD COLUMN metadata text NOT NULL DEFAULT '{}'`,
    `ALTER TABLE files ADD COLUMN retain_until_ms bigint`,
    `ALTER TABLE files ADD COLUMN sealed_by text NOT NULL DEFAULT 'if-none-match'`,
    `ALTER TABLE files ADD COLUMN staging_key text`,
    `UPDATE files SET line_id = id`,
    `CREATE INDEX files_by_line ON files (line_id, role)`,
    `CREATE INDEX files_by_folder ON files (tenant_id, folder_id, shelf, name_folded, id)`,

    `CREATE TABLE usage_totals (
      tenant_id text NOT NULL REFERENCES tenants (id),
      user_id text NOT NULL REFERENCES users (id),
      used_bytes bigint NOT NULL,
      used_files bigint NOT NULL,
      reserved_bytes bigint NOT NULL,
      reserved_files bigint NOT NULL,
      PRIMARY KEY (tenant_id, user_id)
    )`,
    `INSERT INTO usage_totals (tenant_id, user_id, used_bytes, used_files, reserved_bytes, reserved_files)
      SELECT tenant_id, user_id,
        SUM(CASE WHEN ${isUsed} THEN size_bytes ELSE 0 END), SUM(CASE WHEN ${isUsed} THEN 1 ELSE 0 END),
        SUM(CASE WHEN ${isReserved} THEN size_bytes ELSE 0 END), SUM(CASE WHEN ${isReserved} THEN 1 ELSE 0 END)
      FROM files GROUP BY tenant_id, user_id`,
  ],

  /** Files knew the names of the folders above them; now each of those is a row. */
  run: async (transaction, context) => {
    const old = await sql<OldPlace>`SELECT id, tenant_id, user_id, folder FROM files WHERE folder <> '[]'`.execute(
      transaction,
    );
    const known = new Map<string, string>();
    for (const file of old.rows) {
      const folderId = await folderOf(transaction, file, known, context);
      await transaction.updateTable('files').set({ folderId }).where('id', '=', file.id).execute();
    }
    await sql`ALTER TABLE files DROP COLUMN folder`.execute(transaction);
  },
} as const satisfies Migration;

const isUsed = `state IN ('uploaded', 'validating', 'scanning', 'ready', 'trashed', 'purging', 'rejected', 'quarantined', 'scan-failed')`;
const isReserved = `state IN ('pending', 'uploading', 'completing')`;

interface OldPlace {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly folder: string;
}

async function folderOf(
  transaction: Transaction<Schema>,
  file: OldPlace,
  known: Map<string, string>,
  { nowMs, newId }: MigrationContext,
): Promise<string> {
  let parentId = '';
  // Written by the version before this step, as a list of names.
  for (const name of JSON.parse(file.folder) as string[]) {
    const nameFolded = name.normalize('NFC').toLowerCase();
    const place = JSON.stringify([file.tenantId, parentId, nameFolded]);
    let id = known.get(place);
    if (id === undefined) {
      id = newId();
      known.set(place, id);
      const { tenantId, userId: createdBy } = file;
      const row = {
        id,
        tenantId,
        parentId,
        name,
        nameFolded,
        createdBy,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        fence: 1,
      };
      await transaction.insertInto('folders').values(row).execute();
    }
    parentId = id;
  }
  return parentId;
}
