import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSqliteThread } from './sqlite-thread.ts';

const settings = { path: ':memory:', readOnly: false, alone: false };
const statement = { sql: 'SELECT 1 AS one', parameters: [] };
const source = (words: string): URL => new URL(`data:text/javascript,${encodeURIComponent(words)}`);
const hangs = 'setInterval(() => {}, 1000);';

test('a thread opens, answers in order and closes', async () => {
  const thread = startSqliteThread(settings);
  await thread.opened;
  assert.deepEqual((await thread.run(statement)).rows, [{ one: 1 }]);
  await assert.rejects(thread.run({ sql: 'SELECT words FROM notes', parameters: [] }), /no such table/);
  await thread.close();
  await assert.rejects(thread.run(statement), /is closed/);
});

test('a thread that does not open in time is given up, and whoever waits for it is told', async () => {
  const thread = startSqliteThread(settings, { source: source(hangs), openTimeoutMs: 50 });
  const asked = thread.run(statement);
  await assert.rejects(thread.opened, /:memory: could not be opened within 0\.05 s/);
  await assert.rejects(asked, /could not be opened/);
  await assert.rejects(thread.run(statement), /could not be opened/);
  await thread.close();
});

test('a thread that does not close in time is given up', async () => {
  const greets = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage('open'); ${hangs}`;
  const thread = startSqliteThread(settings, { source: source(greets), closeTimeoutMs: 50 });
  await thread.opened;
  const asked = assert.rejects(thread.run(statement), /could not be closed/);
  await assert.rejects(thread.close(), /:memory: could not be closed within 0\.05 s and was given up/);
  await asked;
});
