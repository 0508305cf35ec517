// Comparing the bucket with the database: runs, what they found, and files whose bytes are missing. Runs are the service's own, of no
// tenant: in a transaction of a tenant nothing of them is seen, for they name the keys of all.

import type { Migration } from './migration.ts';

export const reconcile = {
  name: 'reconcile',
  statements: (dialect) => [
    `ALTER TABLE files ADD COLUMN missing_since_ms bigint`,
    `CREATE INDEX files_missing ON files (missing_since_ms) WHERE missing_since_ms IS NOT NULL`,
    // Rows and the bucket's listing are walked side by side: both in the order of bytes.
    ...(dialect === 'postgres' ? [`ALTER TABLE files ALTER COLUMN object_key TYPE text COLLATE "C"`] : []),
    `CREATE TABLE reconcile_runs (
      id text PRIMARY KEY,
      state text NOT NULL,
      dry_run bigint NOT NULL,
      max_changes bigint NOT NULL,
      started_by text NOT NULL,
      started_at_ms bigint NOT NULL,
      updated_at_ms bigint NOT NULL,
      finished_at_ms bigint,
      position text NOT NULL,
      counts text NOT NULL,
      last_error text,
      lease_holder text,
      leased_until_ms bigint NOT NULL
    )`,
    // Two at once would mend each other's findings.
    `CREATE UNIQUE INDEX reconcile_runs_running ON reconcile_runs (state) WHERE state = 'running'`,
    `CREATE TABLE reconcile_findings (
      run_id text NOT NULL REFERENCES reconcile_runs (id) ON DELETE CASCADE,
      number bigint NOT NULL,
      kind text NOT NULL,
      outcome text NOT NULL,
      key text NOT NULL,
      version_id text,
      upload_id text,
      file_id text,
      size_bytes bigint,
      detail text,
      PRIMARY KEY (run_id, number)
    )`,
    `CREATE INDEX reconcile_findings_planned ON reconcile_findings (run_id, number) WHERE outcome = 'planned'`,
    ...(dialect === 'postgres' ? ['reconcile_runs', 'reconcile_findings'].flatMap(ofServiceAlone) : []),
  ],
} as const satisfies Migration;

function ofServiceAlone(table: string): readonly string[] {
  const allowed = `(SELECT current_setting('stowage.tenant', true)) = '*'`;
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY ${table}_of_service ON ${table} USING (${allowed}) WITH CHECK (${allowed})`,
  ];
}
