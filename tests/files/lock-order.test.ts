// Many transactions of one tenant at once on PostgreSQL, of every kind that locks more than one row: all come to their end, and none ever
// waited for one that waited for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { monotonicFactory } from 'ulid';
import { serviceNote } from '../../packages/files/src/accounts/audit-note.ts';
import { openDatabase } from '../../packages/files/src/database/open-database.ts';
import type { FileRecord } from '../../packages/files/src/file-record.ts';
import { aFile } from '../../packages/files/src/testing/a-file.ts';
import { takeJobs, takeReviews } from '../../packages/files/src/testing/take-due.ts';
import { startPostgres } from '../servers/postgres-server.ts';

const rounds = 2;
const filesOfEach = 3;

test('no transactions of one tenant wait for one another in a circle', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const url = await postgres.createDatabase();
  const newId = monotonicFactory();
  const options = { settings: { url }, clock: () => 1_000, newId: () => newId(), secret: new Uint8Array(32) };
  const members = [await openDatabase(options), await openDatabase(options)];
  const [database, other] = members;
  assert.ok(database && other);

  let count = 0;
  const add = (over: Partial<FileRecord>): Promise<FileRecord> => {
    count++;
    return database.files.add(aFile({ id: newId(), objectKey: `order-${count}`, name: 'same.txt', ...over }));
  };
  const several = (over: Partial<FileRecord>): Promise<readonly FileRecord[]> =>
    Promise.all(Array.from({ length: filesOfEach }, () => add(over)));
  const noteOn = (id: string) =>
    serviceNote({ tenantId: 'main', action: 'file.quarantined', subject: { kind: 'file', id } });

  for (let round = 0; round < rounds; round++) {
    const folder = (name: string, parentId = ''): Promise<string> =>
      database.folders.ensure({ tenantId: 'main', userId: 'owner', parentId, names: [`${name} ${round}`], nowMs: 1 });
    const upper = await folder('upper');
    const lower = await folder('lower', upper);
    const [scanning, ready, trashed, inUpper, inLower] = await Promise.all([
      several({ state: 'scanning' }),
      several({ state: 'ready' }),
      several({ state: 'trashed', folderId: lower }),
      several({ state: 'ready', folderId: upper }),
      several({ state: 'ready', folderId: lower }),
    ]);
    const job = { kind: 'preview', dueAtMs: 0 } as const;
    const above = await database.folders.get({ tenantId: 'main', id: upper });
    assert.ok(above);
    const all = [...scanning, ...ready, ...trashed, ...inUpper, ...inLower];
    await Promise.all([
      database.folders.trash(above, 5),
      ...members.map((member) => member.files.trashWithin({ nowMs: 5, purgeAtMs: 9, limit: 50 })),
      ...members.map((member) =>
        member.files.emptyTrash({ tenantId: 'main', nowMs: 5, note: noteOn('trash'), sliceSize: 3 }),
      ),
      ...members.map((member) => takeReviews(member, { nowMs: 10, leaseMs: 100, limit: 20 })),
      ...members.map((member) => takeJobs(member, { nowMs: 10, leaseMs: 100, limit: 20 })),
      ...members.map((member) => member.folders.removeEmpty(10)),
      ...all.flatMap((file, index) => {
        const [one, two] = index % 2 === 0 ? [database, other] : [other, database];
        return [
          one.files.change(file, { reason: 'with a note' }, [job], noteOn(file.lineId)),
          two.files.change(file, { reason: 'without one' }, [job]),
          one.outbox.add(file.id, job),
        ];
      }),
      ...ready.map((file) => other.files.relocate(file, { name: 'renamed.txt' }, { onConflict: 'keep-both' })),
      ...trashed.map((file) =>
        other.files.relocate(file, { state: 'ready', updatedAtMs: 6 }, { onConflict: 'keep-both' }),
      ),
      ...scanning.map((file) =>
        database.files.change(file, { state: 'ready', updatedAtMs: 6 }, [job], noteOn(file.id)),
      ),
      add({ state: 'pending' }),
    ]);
  }
  await Promise.all(members.map((member) => member.close()));
  assert.equal(await deadlocksIn(url), 0);
});

/** What PostgreSQL counted, whoever was told of it or tried again. Read when every connection has said what it saw. */
async function deadlocksIn(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (;;) {
      const { rows } = await client.query(
        'SELECT count(*)::int AS others FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      if (rows[0]?.others === 0) break;
      await sleep(20);
    }
    const { rows } = await client.query(
      'SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0]?.deadlocks;
  } finally {
    await client.end();
  }
}
