// The contracts of the database on PostgreSQL.

import { test } from 'node:test';
import pg from 'pg';
import { monotonicFactory } from 'ulid';
import { accountsContract } from '../../packages/files/src/database/accounts.contract.ts';
import { databaseContract } from '../../packages/files/src/database/database.contract.ts';
import type { Database } from '../../packages/files/src/database/database.ts';
import { listsContract } from '../../packages/files/src/database/lists.contract.ts';
import { openDatabase } from '../../packages/files/src/database/open-database.ts';
import { sharedWorkContract } from '../../packages/files/src/database/shared-work.contract.ts';
import { startPostgres } from '../servers/postgres-server.ts';

const postgres = await startPostgres();
const newId = monotonicFactory();

if (postgres.found) {
  const openAt = (url: string, secret: Uint8Array = new Uint8Array(32)): Promise<Database> =>
    openDatabase({ settings: { url }, clock: () => 1_000, newId: () => newId(), secret });
  const open = async (secret?: Uint8Array): Promise<Database> => openAt(await postgres.createDatabase(), secret);
  databaseContract('postgres', open);
  accountsContract('postgres', open);
  listsContract('postgres', open);
  sharedWorkContract('postgres', async () => {
    const url = await postgres.createDatabase();
    return { database: await openAt(url), explain: (query, parameters) => explain(url, query, parameters) };
  });
} else {
  test('the contracts of the database on PostgreSQL', { skip: postgres.reason }, () => undefined);
}

/** As of a large table: reading all of a small one is quicker than any index. */
async function explain(url: string, query: string, parameters: readonly unknown[]): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SET enable_seqscan = off');
    await client.query('SET enable_bitmapscan = off');
    await client.query("SELECT set_config('stowage.tenant', '*', false)");
    const { rows } = await client.query(`EXPLAIN ${query}`, [...parameters]);
    return rows.map((row: Readonly<Record<string, string>>) => row['QUERY PLAN']).join('\n');
  } finally {
    await client.end();
  }
}
