// PostgreSQL's row-level security over every table of a tenant: a query that forgot its WHERE still sees one tenant's rows, that
// of its transaction, and none at all where no tenant was said (sql-scope.ts says it). The service itself is '*'.
// https://www.postgresql.org/docs/15/ddl-rowsecurity.html. FORCE, because the service owns its tables, and owners pass by
// otherwise. It must stay the last step that existing tables need: a later step that adds a tenant's table adds its policy too.

import type { Migration } from './migration.ts';

/** Tables of rows that each belong to one tenant, and the column that says to which. */
const tenantTables: Readonly<Record<string, string>> = {
  tenants: 'id',
  users: 'tenant_id',
  recovery_codes: 'tenant_id',
  sign_in_tokens: 'tenant_id',
  sessions: 'tenant_id',
  api_keys: 'tenant_id',
  user_groups: 'tenant_id',
  group_members: 'tenant_id',
  grants: 'tenant_id',
  audit_entries: 'tenant_id',
  files: 'tenant_id',
  folders: 'tenant_id',
  shares: 'tenant_id',
  usage_totals: 'tenant_id',
  usage_days: 'tenant_id',
  idempotency_keys: 'tenant_id',
  webhooks: 'tenant_id',
  webhook_deliveries: 'tenant_id',
};

// In a subquery it is asked once a statement, not once a row.
const setting = `(SELECT current_setting('stowage.tenant', true))`;
const isService = `${setting} = '*'`;

export const rowSecurity = {
  name: 'row-security',
  statements: (dialect) => (dialect === 'postgres' ? policies() : []),
} as const satisfies Migration;

function policies(): readonly string[] {
  const statements: string[] = [];
  for (const [table, column] of Object.entries(tenantTables)) {
    const allowed = `${column} = ${setting} OR ${isService}`;
    statements.push(
      ...enable(table),
      `CREATE POLICY ${table}_of_tenant ON ${table} USING (${allowed}) WITH CHECK (${allowed})`,
    );
  }
  // A job belongs to whom its file belongs to, which the file's own policy decides.
  const ofFile = `${isService} OR EXISTS (SELECT 1 FROM files WHERE files.id = outbox.file_id)`;
  statements.push(
    ...enable('outbox'),
    `CREATE POLICY outbox_of_tenant ON outbox USING (${ofFile}) WITH CHECK (${ofFile})`,
    ...ofSearchDocuments(),
  );
  return statements;
}

/**
 * Words of files may be read and not written by other tenants' transactions. The operator of full text search is not leakproof, so
 * behind a policy PostgreSQL would not use the index, and read every row instead. What is found is joined with `files`, which
 * has a policy; and each document holds its tenant's own word, which every search asks for.
 */
function ofSearchDocuments(): readonly string[] {
  const allowed = `tenant_id = ${setting} OR ${isService}`;
  return [
    ...enable('search_documents'),
    `CREATE POLICY search_documents_read ON search_documents FOR SELECT USING (true)`,
    `CREATE POLICY search_documents_added ON search_documents FOR INSERT WITH CHECK (${allowed})`,
    `CREATE POLICY search_documents_changed ON search_documents FOR UPDATE USING (${allowed}) WITH CHECK (${allowed})`,
    `CREATE POLICY search_documents_removed ON search_documents FOR DELETE USING (${allowed})`,
  ];
}

function enable(table: string): readonly string[] {
  return [`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`, `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`];
}
