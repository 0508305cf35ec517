import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { isFilesError } from '../files-error.ts';
import { aFile } from '../testing/a-file.ts';
import type { Database } from './database.ts';
import { openDatabase } from './open-database.ts';

const newId = monotonicFactory();
let folder: string;
let database: Database;
let count = 0;

const open = (path: string): Promise<Database> =>
  openDatabase({ settings: { path }, clock: () => 1_000, newId: () => newId() });
const newFile = (over: Parameters<typeof aFile>[0] = {}): ReturnType<typeof aFile> => {
  const id = newId();
  count++;
  return aFile({ id, objectKey: `key-${count}`, ...over });
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-database-'));
  database = await open(':memory:');
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

test('of many changes from the same fence exactly one wins, and only its job is written', async () => {
  const file = await database.files.add(newFile());
  const job = { kind: 'validate', dueAtMs: 0 } as const;
  const before = await database.outbox.count();
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, index) => database.files.change(file, { reason: `${index}` }, [job])),
  );
  const winners = results.filter((result) => result !== undefined);
  assert.equal(winners.length, 1);
  assert.deepEqual(await database.files.find(file.id), winners[0]);
  assert.equal(winners[0]?.fence, file.fence + 1);
  assert.equal((await database.outbox.count()) - before, 1);
});

test('a job of a kind that waits already is not written twice', async () => {
  let file = await database.files.add(newFile());
  const before = await database.outbox.count();
  for (const dueAtMs of [500, 200, 900]) {
    const changed = await database.files.change(file, {}, [{ kind: 'purge', dueAtMs }]);
    assert.ok(changed);
    file = changed;
  }
  assert.equal((await database.outbox.count()) - before, 1);
  const taken = await database.outbox.take({ nowMs: 200, leaseMs: 100, limit: 50 });
  const [purge] = taken.filter(({ kind }) => kind === 'purge');
  assert.equal(purge?.fileId, file.id, 'it is due at the earliest time');
  for (const job of taken) await database.outbox.done(job);
});

test('a job that was taken comes back when its lease is over, or when the process is gone', async () => {
  const file = await database.files.add(newFile());
  await database.files.change(file, {}, [{ kind: 'preview', dueAtMs: 0 }]);
  const take = (nowMs: number): ReturnType<Database['outbox']['take']> =>
    database.outbox.take({ nowMs, leaseMs: 100, limit: 1 });
  const [first] = await take(1_000);
  assert.equal(first?.attempts, 0);
  assert.deepEqual(await take(1_050), []);
  const [second] = await take(1_100);
  assert.equal(second?.attempts, 1);
  await database.outbox.release();
  const [third] = await take(1_101);
  assert.ok(third);
  await database.outbox.retry(third, 5_000, 'later');
  assert.deepEqual(await take(4_999), []);
  const [fourth] = await take(5_000);
  assert.ok(fourth);
  await database.outbox.done(fourth);
  assert.deepEqual(await take(100_000), []);
});

test('a tenant does not see another’s row', async () => {
  const file = await database.files.add(newFile());
  assert.ok(await database.files.get({ tenantId: 'main', id: file.id }));
  assert.equal(await database.files.get({ tenantId: 'other', id: file.id }), undefined);
});

test('an idempotency key gives the first row again, until it is forgotten', async () => {
  const key = { key: 'k', requestHash: 'h', expiresAtMs: 2_000 };
  const first = await database.files.add(newFile({ createdAtMs: 1_000 }), key);
  assert.equal((await database.files.add(newFile({ createdAtMs: 1_500 }), key)).id, first.id);
  const other = database.files.add(newFile({ createdAtMs: 1_500 }), { ...key, requestHash: 'x' });
  await assert.rejects(other, (error) => isFilesError(error) && error.code === 'idempotency-conflict');
  const late = await database.files.add(newFile({ createdAtMs: 2_000 }), {
    ...key,
    requestHash: 'x',
    expiresAtMs: 3_000,
  });
  assert.notEqual(late.id, first.id);
});

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
