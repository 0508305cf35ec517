import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { aFile } from '../testing/a-file.ts';
import { accountsContract } from './accounts.contract.ts';
import { databaseContract } from './database.contract.ts';
import type { Database } from './database.ts';
import { listsContract } from './lists.contract.ts';
import { describeDatabase, openDatabase } from './open-database.ts';
import { sharedWorkContract } from './shared-work.contract.ts';

const newId = monotonicFactory();
let count = 0;

const open = (path: string, secret: Uint8Array = new Uint8Array(32)): Promise<Database> =>
  openDatabase({ settings: { path }, clock: () => 1_000, newId: () => newId(), secret });
const newFile = (over: Parameters<typeof aFile>[0] = {}): ReturnType<typeof aFile> => {
  const id = newId();
  count++;
  return aFile({ id, objectKey: `key-${count}`, ...over });
};

const folder = await mkdtemp(join(tmpdir(), 'stowage-database-'));
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

databaseContract('sqlite', () => open(':memory:'));
databaseContract('sqlite in a file', () => open(join(folder, 'contract.sqlite')));
listsContract('sqlite in a file', () => open(join(folder, 'lists.sqlite')));
sharedWorkContract('sqlite', async () => {
  const path = join(folder, 'shared.sqlite');
  return {
    database: await open(path),
    explain: async (query, parameters) => {
      const raw = new DatabaseSync(path, { readOnly: true });
      // The queries of the contract have numbers in them alone.
      const rows = raw.prepare(`EXPLAIN QUERY PLAN ${query}`).all(...parameters.map(Number));
      raw.close();
      return rows.map(({ detail }) => detail).join('\n');
    },
  };
});
accountsContract('sqlite', (secret) => open(':memory:', secret));

test('what was committed is there after opening again, durably written', async () => {
  const path = join(folder, 'again.sqlite');
  const one = await open(path);
  const file = await one.files.add(newFile());
  await one.close();
  const two = await open(path);
  assert.deepEqual(await two.files.find(file.id), file);
  await two.close();
  const raw = new DatabaseSync(path);
  assert.equal(raw.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  raw.close();
});

test('an owner without a time, as older versions made them, is given that of the opening, once', async () => {
  const path = join(folder, 'owner.sqlite');
  const createdAtMs = async (nowMs: number): Promise<number | undefined> => {
    const settings = { path };
    const database = await openDatabase({
      settings,
      clock: () => nowMs,
      newId: () => newId(),
      secret: new Uint8Array(32),
    });
    const owner = await database.users.get({ tenantId: 'main', id: 'owner' });
    await database.close();
    return owner?.createdAtMs;
  };
  assert.equal(await createdAtMs(1_000), 1_000);
  const raw = new DatabaseSync(path);
  raw.exec(`UPDATE users SET created_at_ms = 0 WHERE id = 'owner'`);
  raw.close();
  assert.equal(await createdAtMs(2_000), 2_000);
  assert.equal(await createdAtMs(3_000), 2_000);
});

test('a database of a newer version, or of other steps, is refused and left alone', async () => {
  const path = join(folder, 'newer.sqlite');
  await (await open(path)).close();
  const raw = new DatabaseSync(path);
  raw.exec(`INSERT INTO schema_migrations VALUES (999, 'x', 0)`);
  await assert.rejects(open(path), /schema step 999.* newer version/);
  raw.exec(`DELETE FROM schema_migrations WHERE number = 999; UPDATE schema_migrations SET checksum = 'x'`);
  await assert.rejects(open(path), /step 1 .*is not the one/);
  raw.close();
});

test('a second process is refused the file, clearly, until the first has ended', async () => {
  const path = join(folder, 'one-process.sqlite');
  const first = await open(path);
  await assert.rejects(open(path), /Another process has the database .*one-process\.sqlite open.*PostgreSQL/);
  assert.match(await describeDatabase({ path }), /up to date/, 'looking at it is no harm');
  await first.close();
  await (await open(path)).close();

  const source = `import { lockDatabase } from ${JSON.stringify(new URL('./sqlite/sqlite-lock.ts', import.meta.url).href)};
    lockDatabase(process.argv[1]); console.log('locked'); setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', source, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(other.stdout, 'data');
    await assert.rejects(open(path), /Another process/);
  } finally {
    // As a crash does: nobody lets go of the lock but the system.
    const ended = once(other, 'exit');
    other.kill('SIGKILL');
    await ended;
  }
  await (await open(path)).close();
});
