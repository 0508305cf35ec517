import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kysely, sql } from 'kysely';
import { sqliteDialect } from './sqlite-dialect.ts';

interface Notes {
  readonly notes: { readonly words: string };
}

test('what only reads waits for no transaction, however it is written, and sees what was committed last', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-dialect-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const database = new Kysely<Notes>({ dialect: sqliteDialect(join(folder, 'notes.db')) });
  t.after(() => database.destroy());
  await sql`CREATE TABLE notes (words text NOT NULL)`.execute(database);

  const reads = {
    built: async () => (await database.selectFrom('notes').select('words').execute()).length,
    written: async () => (await sql`SELECT words FROM notes`.execute(database)).rows.length,
    recursive: async () =>
      (
        await sql`
        WITH RECURSIVE all_notes (words) AS (SELECT words FROM notes) SELECT words FROM all_notes`.execute(database)
      ).rows.length,
  };
  for (let count = 0; count < 50; count++) {
    await database.insertInto('notes').values({ words: 'a' }).execute();
    for (const [how, read] of Object.entries(reads)) assert.equal(await read(), count + 1, how);
  }
  await database.transaction().execute(async (transaction) => {
    await transaction.insertInto('notes').values({ words: 'b' }).execute();
    for (const [how, read] of Object.entries(reads)) {
      const late = new Promise((resolve) => setTimeout(resolve, 2_000, 'it waits for the transaction').unref());
      assert.equal(await Promise.race([read(), late]), 50, how);
    }
  });
  for (const read of Object.values(reads)) assert.equal(await read(), 51);
  await assert.rejects(sql`WITH all_notes AS (SELECT 1) DELETE FROM notes`.execute(database), /readonly/);
});
