import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { versionNumbers } from './019-version-numbers.ts';

test('versions that are there are numbered by their ids, the current one last', () => {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE TABLE files (id text PRIMARY KEY, line_id text NOT NULL, role text NOT NULL);
    CREATE INDEX files_by_line ON files (line_id, role);
    INSERT INTO files VALUES ('a', 'a', 'current'), ('b', 'b', 'version'), ('c', 'b', 'current'), ('d', 'b', 'version'),
      ('e', 'e', 'version'), ('f', 'e', 'version'), ('g', 'e', 'current')`);
  for (const statement of versionNumbers.statements()) database.exec(statement);
  const rows = database.prepare('SELECT id, version_number AS number FROM files ORDER BY id').all();
  assert.deepEqual(
    rows.map(({ id, number }) => `${id}${number}`),
    ['a1', 'b1', 'c3', 'd2', 'e1', 'f2', 'g3'],
  );
  database.close();
});
