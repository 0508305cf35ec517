// What was counted by reading every file is kept as it changes: files by state, and what a user holds in a category. What is purged
// keeps nothing that was its owner's. On PostgreSQL the audit log cannot be emptied at one blow either.

import { fileStateNames } from '@stowage/contract';
import { sql } from 'kysely';
import { chargeOf } from '../../file-record.ts';
import type { Migration } from './migration.ts';

export const largeTenants = {
  name: 'large-tenants',
  statements: (dialect) => [
    // Several rows a state, so that transactions that go on at the same time do not wait for one another.
    `CREATE TABLE file_counts (
      state text NOT NULL,
      shard bigint NOT NULL,
      files bigint NOT NULL,
      PRIMARY KEY (state, shard)
    )`,
    ...(dialect === 'postgres' ? countedByPostgres : countedBySqlite),
    // After the triggers: on PostgreSQL nobody else writes files from here to the commit.
    `INSERT INTO file_counts (state, shard, files) SELECT state, 0, count(*) FROM files GROUP BY state`,
    `CREATE TABLE category_totals (
      tenant_id text NOT NULL REFERENCES tenants (id),
      user_id text NOT NULL REFERENCES users (id),
      category text NOT NULL,
      held_bytes bigint NOT NULL,
      PRIMARY KEY (tenant_id, user_id, category)
    )`,
    ...(dialect === 'postgres' ? ofTenant('category_totals') : []),
    `UPDATE files SET name = '', name_folded = '', tags = '[]', metadata = '{}', excerpt = NULL WHERE state = 'purged'`,
    ...(dialect === 'postgres'
      ? [
          `CREATE TRIGGER audit_entries_stay_whole BEFORE TRUNCATE ON audit_entries
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
        ]
      : []),
  ],

  run: async (transaction) => {
    const uncharged = fileStateNames.filter((state) => chargeOf({ state, objectEtag: 'seen' }) === 'none');
    await sql`INSERT INTO category_totals (tenant_id, user_id, category, held_bytes)
      SELECT tenant_id, user_id, category, SUM(size_bytes) FROM files
      WHERE state NOT IN (${sql.join(uncharged)}) AND (state <> 'purging' OR object_etag IS NOT NULL)
      GROUP BY tenant_id, user_id, category`.execute(transaction);
    // It served the sum that is kept now, and was written with every change of state. Last: from here on PostgreSQL's readers wait too.
    await sql`DROP INDEX files_by_user_category`.execute(transaction);
  },
} as const satisfies Migration;

/** SQLite has one writer: one row a state will do. */
const countedBySqlite = [
  { name: 'added', event: 'INSERT', when: '', state: 'NEW.state', change: 1 },
  { name: 'removed', event: 'DELETE', when: '', state: 'OLD.state', change: -1 },
  { name: 'left', event: 'UPDATE OF state', when: 'WHEN OLD.state <> NEW.state', state: 'OLD.state', change: -1 },
  { name: 'entered', event: 'UPDATE OF state', when: 'WHEN OLD.state <> NEW.state', state: 'NEW.state', change: 1 },
].map(
  ({ name, event, when, state, change }) => `CREATE TRIGGER files_counted_${name} AFTER ${event} ON files ${when} BEGIN
    INSERT INTO file_counts (state, shard, files) VALUES (${state}, 0, ${change})
      ON CONFLICT (state, shard) DO UPDATE SET files = files + excluded.files;
  END`,
);

/** Each connection counts in rows of its own, as good as always; where two share one, both take its rows in the same order. */
const countedByPostgres = [
  `CREATE FUNCTION count_files() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO file_counts (state, shard, files)
        SELECT changed.state, pg_backend_pid() % 256, sum(changed.files) FROM (
          SELECT NEW.state, 1 WHERE TG_OP <> 'DELETE' UNION ALL SELECT OLD.state, -1 WHERE TG_OP <> 'INSERT'
        ) AS changed (state, files) GROUP BY changed.state ORDER BY changed.state
        ON CONFLICT (state, shard) DO UPDATE SET files = file_counts.files + excluded.files;
      RETURN NULL;
    END $$`,
  `CREATE TRIGGER files_counted AFTER INSERT OR DELETE ON files FOR EACH ROW EXECUTE FUNCTION count_files()`,
  `CREATE TRIGGER files_counted_again AFTER UPDATE OF state ON files FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_files()`,
];

function ofTenant(table: string): readonly string[] {
  const setting = `(SELECT current_setting('stowage.tenant', true))`;
  const allowed = `tenant_id = ${setting} OR ${setting} = '*'`;
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY ${table}_of_tenant ON ${table} USING (${allowed}) WITH CHECK (${allowed})`,
  ];
}
