// The contracts of the database on PostgreSQL.

import { test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { accountsContract } from '../../packages/files/src/database/accounts.contract.ts';
import { databaseContract } from '../../packages/files/src/database/database.contract.ts';
import type { Database } from '../../packages/files/src/database/database.ts';
import { listsContract } from '../../packages/files/src/database/lists.contract.ts';
import { openDatabase } from '../../packages/files/src/database/open-database.ts';
import { startPostgres } from '../servers/postgres-server.ts';

const postgres = await startPostgres();
const newId = monotonicFactory();

if (postgres.found) {
  const open = async (secret: Uint8Array = new Uint8Array(32)): Promise<Database> =>
    openDatabase({
      settings: { url: await postgres.createDatabase() },
      clock: () => 1_000,
      newId: () => newId(),
      secret,
    });
  databaseContract('postgres', open);
  accountsContract('postgres', open);
  listsContract('postgres', open);
} else {
  test('the contracts of the database on PostgreSQL', { skip: postgres.reason }, () => undefined);
}
