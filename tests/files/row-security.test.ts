// The second wall between tenants: row-level security on PostgreSQL, tried with queries that are wrong on purpose.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { monotonicFactory } from 'ulid';
import type { Database } from '../../packages/files/src/database/database.ts';
import { openDatabase } from '../../packages/files/src/database/open-database.ts';
import { aFile } from '../../packages/files/src/testing/a-file.ts';
import { startPostgres } from '../servers/postgres-server.ts';

const postgres = await startPostgres();
const newId = monotonicFactory();

/** Tables of the service that belong to no tenant. A new table without a tenant’s column must be named here, or have one. */
const ofNobody = ['schema_migrations', 'endpoint_profiles', 'database_identity', 'file_counts'];
/** Whose rows belong to a tenant by another table, or as a tenant itself. */
const withoutColumn = ['tenants', 'outbox', 'reconcile_runs', 'reconcile_findings'];
/** Read by all: see migrations/011-row-security.ts. */
const readByAll = ['search_documents'];

function suite(url: string): void {
  let database: Database;
  let client: pg.Client;

  const rowsOf = async (sql: string): Promise<readonly Record<string, unknown>[]> => (await client.query(sql)).rows;
  /** Runs in a transaction of a tenant, or of nobody; leaves nothing behind. */
  async function as<Result>(tenant: string | undefined, work: () => Promise<Result>): Promise<Result> {
    await client.query('BEGIN');
    try {
      if (tenant !== undefined) await client.query(`SELECT set_config('stowage.tenant', $1, true)`, [tenant]);
      return await work();
    } finally {
      await client.query('ROLLBACK');
    }
  }
  const tables = async (): Promise<readonly string[]> =>
    (await rowsOf(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)).map(({ tablename }) =>
      String(tablename),
    );

  before(async () => {
    database = await openDatabase({
      settings: { url },
      clock: () => 1_000,
      newId: () => newId(),
      secret: new Uint8Array(32),
    });
    client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('BEGIN');
    await client.query(`SELECT set_config('stowage.tenant', '*', true)`);
    await client.query(`INSERT INTO tenants (id, name) VALUES ('bee', 'Bee')`);
    await client.query(`INSERT INTO users (id, tenant_id, name) VALUES ('bea', 'bee', 'Bea')`);
    await client.query('COMMIT');
    for (const [tenantId, userId] of [
      ['main', 'owner'],
      ['bee', 'bea'],
    ] as const) {
      const id = newId();
      const file = aFile({ id, objectKey: `key-${id}`, tenantId, userId, state: 'ready' });
      await database.files.add(file, { jobs: [{ kind: 'preview', dueAtMs: 0 }] });
    }
  });
  after(async () => {
    await client.end();
    await database.close();
  });

  test('every table of a tenant has its policy, forced upon its owner too', async () => {
    const columns = await rowsOf(`SELECT table_name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'tenant_id'`);
    const withColumn = columns.map(({ table_name: table }) => String(table));
    for (const table of await tables()) {
      if (ofNobody.includes(table)) continue;
      assert.ok(withColumn.includes(table) || withoutColumn.includes(table), `${table} has no tenant_id: whose is it?`);
      const [row] = await rowsOf(
        `SELECT relrowsecurity, relforcerowsecurity, (SELECT count(*)::int FROM pg_policy WHERE polrelid = pg_class.oid) AS policies
         FROM pg_class WHERE oid = '${table}'::regclass`,
      );
      assert.ok(
        row?.relrowsecurity === true && row.relforcerowsecurity === true && Number(row.policies) > 0,
        `${table}: give it a policy, as migrations/011-row-security.ts does`,
      );
    }
  });

  test('a query without WHERE sees one tenant’s rows, and none where no tenant was said', async () => {
    const seen = async (tenant: string | undefined): Promise<readonly unknown[]> =>
      as(tenant, async () => (await rowsOf('SELECT tenant_id FROM files')).map(({ tenant_id: id }) => id));
    assert.deepEqual(await seen('bee'), ['bee']);
    assert.deepEqual(await seen('main'), ['main']);
    assert.equal((await seen('*')).length, 2);
    assert.deepEqual(await seen('somebody'), []);
    assert.deepEqual(await seen(undefined), []);
    assert.deepEqual(await seen(''), []);
    for (const table of await tables()) {
      if (ofNobody.includes(table) || readByAll.includes(table)) continue;
      assert.equal((await as(undefined, () => rowsOf(`SELECT 1 FROM ${table}`))).length, 0, table);
    }
    assert.equal((await as('bee', () => rowsOf('SELECT * FROM outbox'))).length, 1);
    assert.equal((await as('bee', () => rowsOf('SELECT * FROM tenants'))).length, 1);
  });

  test('a query without WHERE changes and removes one tenant’s rows alone', async () => {
    await as('bee', async () => {
      assert.equal((await client.query(`UPDATE files SET name = 'x'`)).rowCount, 1);
      assert.equal((await client.query(`UPDATE search_documents SET words = 'x'`)).rowCount, 1);
      assert.equal((await client.query(`DELETE FROM outbox`)).rowCount, 1);
      assert.equal((await client.query(`DELETE FROM search_documents`)).rowCount, 1);
      assert.equal((await client.query(`UPDATE users SET role = 'owner'`)).rowCount, 1);
      assert.equal((await client.query(`UPDATE tenants SET quota_bytes = 1`)).rowCount, 1);
    });
  });

  test('no row is written for, or given to, another tenant', async () => {
    const refused = /row-level security/;
    await as('bee', () =>
      assert.rejects(client.query(`INSERT INTO users (id, tenant_id, name) VALUES ('x', 'main', 'x')`), refused),
    );
    await as('bee', () => assert.rejects(client.query(`UPDATE files SET tenant_id = 'main'`), refused));
    await as(undefined, () =>
      assert.rejects(client.query(`INSERT INTO tenants (id, name) VALUES ('x', 'x')`), refused),
    );
  });

  test('a found word leads to no other tenant’s file, and search keeps its index', async () => {
    await as('bee', async () => {
      const joined = await rowsOf(
        `SELECT files.id FROM search_documents JOIN files ON files.id = search_documents.file_id`,
      );
      assert.equal(joined.length, 1);
      await client.query('SET LOCAL enable_seqscan = off');
      const plan = await rowsOf(
        `EXPLAIN SELECT number FROM search_documents WHERE document @@ to_tsquery('simple', 'a:*') AND tenant_id = 'bee'`,
      );
      assert.match(JSON.stringify(plan), /search_documents_by_word/);
    });
  });

  test('the audit log is neither changed nor emptied, not even by its owner', async () => {
    for (const statement of ['TRUNCATE audit_entries', 'TRUNCATE tenants CASCADE', 'DELETE FROM audit_entries']) {
      await as('*', async () => {
        await client.query(`INSERT INTO audit_entries (tenant_id, sequence, at_ms, action, actor_kind, actor_id, subject_kind, subject_id,
          details, previous_hash, hash) VALUES ('main', 999, 1, 'x', 'x', 'x', 'x', 'x', '{}', 'x', 'x')`);
        await assert.rejects(client.query(statement), /only ever added to/, statement);
      });
    }
  });

  test('a role that PostgreSQL never stops is told from one that it does', async () => {
    assert.equal(database.rowSecurity, 'enforced');
    const asSuperuser = new URL(url);
    asSuperuser.username = 'stowage_admin';
    const opened = await openDatabase({
      settings: { url: asSuperuser.href },
      clock: () => 1_000,
      newId: () => newId(),
      secret: new Uint8Array(32),
    });
    assert.equal(opened.rowSecurity, 'bypassed');
    await opened.close();
  });
}

if (postgres.found) {
  const url = await postgres.createDatabase();
  describe('row-level security', () => suite(url));
} else {
  test('row-level security', { skip: postgres.reason }, () => undefined);
}
