// The database contract on PostgreSQL.

import { test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { databaseContract } from '../../packages/files/src/database/database.contract.ts';
import { openDatabase } from '../../packages/files/src/database/open-database.ts';
import { startPostgres } from '../servers/postgres-server.ts';

const postgres = await startPostgres();
const newId = monotonicFactory();

if (postgres.found) {
  databaseContract('postgres', async () =>
    openDatabase({
      settings: { url: await postgres.createDatabase() },
      clock: () => 1_000,
      newId: () => newId(),
      secret: new Uint8Array(32),
    }),
  );
} else {
  test('the database contract on PostgreSQL', { skip: postgres.reason }, () => undefined);
}
