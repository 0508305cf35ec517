// What every database promises to several that work at once: what one holds is nobody else's, what is added meanwhile is not lost, and a
// backlog costs no more than what is taken of it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  SqliteQueryCompiler,
} from 'kysely';
import { monotonicFactory } from 'ulid';
import { serviceNote } from '../accounts/audit-note.ts';
import type { FileRecord } from '../file-record.ts';
import type { Job, NewJob } from '../lifecycle/job.ts';
import { aFile } from '../testing/a-file.ts';
import { takeJobs as takeDueJobs, takeReviews } from '../testing/take-due.ts';
import type { Database } from './database.ts';
import { dueRows, queueHeads } from './due-rows.ts';
import type { Schema } from './schema.ts';

/** A database with nothing in it, and how it would go about a query. */
interface SharedDatabase {
  readonly database: Database;
  /** The plan, as the database describes it when it may use any index. */
  explain(sql: string, parameters: readonly unknown[]): Promise<string>;
}

export function sharedWorkContract(kind: 'sqlite' | 'postgres', openEmpty: () => Promise<SharedDatabase>): void {
  describe(`work that is shared on ${kind}`, () => contract(kind, openEmpty));
}

const leaseMs = 100;

function contract(kind: 'sqlite' | 'postgres', openEmpty: () => Promise<SharedDatabase>): void {
  const newId = monotonicFactory();
  let database: Database;
  let explain: SharedDatabase['explain'];
  let count = 0;

  async function add(over: Partial<FileRecord> = {}, jobs: readonly NewJob[] = []): Promise<FileRecord> {
    count++;
    return database.files.add(aFile({ id: newId(), objectKey: `shared-${count}`, ...over }), { jobs });
  }

  const takeJobs = (nowMs: number, limit = 10): Promise<readonly Job[]> =>
    takeDueJobs(database, { nowMs, leaseMs, limit });

  async function takeJob(nowMs: number): Promise<Job> {
    const [job, ...more] = await takeJobs(nowMs);
    assert.ok(job);
    assert.deepEqual(more, []);
    return job;
  }

  before(async () => {
    ({ database, explain } = await openEmpty());
  });
  after(() => database.close());

  test('a review that changes its row keeps it: nobody else gets it before the lease is over', async () => {
    const file = await add({ state: 'completing', reviewAtMs: 1_000 });
    const take = (nowMs: number): Promise<readonly FileRecord[]> =>
      takeReviews(database, { nowMs, leaseMs, limit: 10 });
    const [taken] = await take(1_000);
    assert.deepEqual(taken, file, 'as it was when it was due');
    const changed = await database.files.change(taken, { objectKey: 'another' });
    assert.ok(changed);
    assert.ok(await database.files.change(changed, { reason: 'said meanwhile' }), 'nor by who read the row before');
    assert.deepEqual(await take(1_099), []);
    const renewal = { id: file.id, fromMs: 1_100, untilMs: 1_200 };
    assert.equal(await database.files.renewDue(renewal), true);
    assert.equal(await database.files.renewDue(renewal), false);
    assert.deepEqual(await take(1_199), []);
    // Given back: due as before, and the same row to whoever knows it.
    const known = await database.files.find(file.id);
    assert.equal(await database.files.renewDue({ id: file.id, fromMs: 1_200, untilMs: 1_000 }), true);
    const [again] = await take(1_001);
    assert.equal(again?.fence, known?.fence);
    await database.files.change(again ?? file, { reviewAtMs: null });
  });

  test('a job is who took it last: nobody else renews it, strikes it off or puts it back', async () => {
    const file = await add({}, [{ kind: 'discard', dueAtMs: 0 }]);
    const first = await takeJob(1_000);
    assert.equal(first.fileId, file.id);
    assert.deepEqual(await database.outbox.renew([first], { nowMs: 1_050, leaseMs }), new Set([first.id]));
    assert.deepEqual(await takeJobs(1_149), [], 'it was renewed');
    const second = await takeJob(1_150);
    const note = serviceNote({ tenantId: 'main', action: 'job.given-up', subject: { kind: 'file', id: file.id } });
    const refused = async (job: Job): Promise<void> => {
      assert.deepEqual(await database.outbox.renew([job], { nowMs: 1_160, leaseMs: 10_000 }), new Set());
      assert.equal(await database.outbox.done(job), false);
      assert.equal(await database.outbox.giveUp(job, note), false);
      assert.equal(await database.outbox.retry(job, { dueAtMs: 0, error: 'late' }), false);
      await database.outbox.giveBack([job]);
    };
    await refused(first);
    assert.deepEqual(await takeJobs(1_200), [], 'the second one has it');
    // Given back and taken anew, with the same number of tries: still another taking.
    await database.outbox.giveBack([second]);
    const third = await takeJob(1_201);
    assert.equal(third.attempts, second.attempts);
    await refused(second);
    assert.equal(await database.outbox.retry(third, { dueAtMs: 1_202, error: 'away', tries: 0 }), true);
    const fourth = await takeJob(1_202);
    assert.equal(fourth.attempts, 0);
    await refused(third);
    const logged = (): Promise<number> =>
      database.audit.list({ tenantId: 'main', action: 'job.given-up', limit: 10 }).then((rows) => rows.length);
    assert.equal(await logged(), 0);
    assert.equal(await database.outbox.giveUp(fourth, note), true);
    assert.equal(await logged(), 1);
    await refused(fourth);
    assert.equal(await logged(), 1);
    assert.equal(await database.outbox.count(), 0);
  });

  test('a job that is added while one of its kind is taken and done is not lost', async () => {
    // The others make the transaction long, and are not due.
    const others = (['copy', 'unstage', 'preview', 'prune', 'discard', 'purge'] as const).map((kind) => ({
      kind,
      dueAtMs: 9_000,
    }));
    const raced = { kind: 'validate', dueAtMs: 0 } as const;
    const races = 8;
    for (let race = 0; race < races; race++) {
      const file = await add({}, [raced]);
      let seen = 0;
      const work = async (): Promise<number> => {
        const jobs = await takeJobs(1_000);
        for (const job of jobs) {
          const fence = (await database.files.find(job.fileId))?.fence ?? 0;
          if (await database.outbox.done(job)) seen = Math.max(seen, fence);
        }
        return jobs.length;
      };
      const change = database.files.change(file, { reason: 'changed' }, [raced, ...others]);
      await sleep(race % 5);
      await Promise.all([change, work()]);
      for (let rest = 1; rest > 0; ) rest = await work();
      assert.equal(seen, file.fence + 1, 'nobody looked at what the job was added for');
    }
    for (let rest = 1; rest > 0; ) {
      const left = await takeDueJobs(database, { nowMs: 9_000, leaseMs, limit: 100 });
      for (const job of left) await database.outbox.done(job);
      rest = left.length;
    }
  });

  test('the trash is emptied slice by slice: all of it that is not retained, counted and told of once', async () => {
    const stays: FileRecord[] = [];
    const goes: FileRecord[] = [];
    for (let number = 0; number < 12; number++) {
      const isKept = number % 5 === 4;
      const over = { state: 'trashed', createdAtMs: number % 3, purgeAtMs: 9_000, reviewAtMs: 9_000 } as const;
      (isKept ? stays : goes).push(await add({ ...over, retainUntilMs: isKept ? 8_000 : null }));
    }
    const note = serviceNote({ tenantId: 'main', action: 'trash.emptied', subject: { kind: 'tenant', id: 'main' } });
    assert.equal(await database.files.emptyTrash({ tenantId: 'main', nowMs: 5_000, note, sliceSize: 4 }), goes.length);
    for (const { id, fence } of goes) {
      const row = await database.files.find(id);
      assert.deepEqual([row?.purgeAtMs, row?.reviewAtMs, row?.fence], [5_000, 5_000, fence + 1]);
    }
    for (const file of stays) assert.deepEqual(await database.files.find(file.id), file);
    const told = await database.audit.list({ tenantId: 'main', action: 'trash.emptied', limit: 10 });
    assert.deepEqual(
      told.map(({ details }) => details),
      [JSON.stringify({ files: goes.length })],
    );
    for (let rest = 1; rest > 0; ) rest = (await takeReviews(database, { nowMs: 10_000, leaseMs, limit: 50 })).length;
  });

  test('a file that comes back from the trash too late brings no folder with it', async () => {
    const folderId = await database.folders.ensure({
      tenantId: 'main',
      userId: 'owner',
      parentId: '',
      names: ['back'],
      nowMs: 1,
    });
    const file = await add({ state: 'trashed', folderId });
    const neighbour = await add({ state: 'ready', folderId });
    const folder = await database.folders.get({ tenantId: 'main', id: folderId });
    assert.ok(folder && (await database.folders.trash(folder, 5)));
    const latest = await database.files.change(file, { reason: 'it has moved on' });
    assert.ok(latest);
    const back = { state: 'ready', updatedAtMs: 6 } as const;
    assert.equal(await database.files.relocate(file, back, { onConflict: 'keep-both' }), undefined);
    assert.equal(await database.folders.get({ tenantId: 'main', id: folderId }), undefined);
    assert.equal((await database.files.find(neighbour.id))?.state, 'ready');
    assert.equal((await database.files.relocate(latest, back, { onConflict: 'keep-both' }))?.state, 'ready');
    assert.ok(await database.folders.get({ tenantId: 'main', id: folderId }));
    assert.equal((await database.files.find(neighbour.id))?.state, 'trashed');
  });

  test('what is due is read off an index in its order, and nothing is sorted', async () => {
    const kysely = new Kysely<Schema>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: () => assert.fail('Nobody asks.'),
        createQueryCompiler: () => (kind === 'postgres' ? new PostgresQueryCompiler() : new SqliteQueryCompiler()),
      },
      plugins: [new CamelCasePlugin()],
    });
    for (const [waiting, byTurn, byQueue] of [
      ['review', 'files_by_review', 'files_by_tenant_review'],
      ['job', 'outbox_jobs_by_turn', 'outbox_jobs_by_tenant'],
      ['preview', 'outbox_previews_by_turn', 'outbox_previews_by_tenant'],
      ['delivery', 'webhook_deliveries_by_turn', 'webhook_deliveries_by_webhook_turn'],
    ] as const) {
      const first = dueRows(waiting, { nowMs: 1_000, limit: 4 }).compile(kysely);
      const plan = await explain(first.sql, first.parameters);
      assert.match(plan, new RegExp(`INDEX.* ${byTurn}\\b`, 'i'));
      assert.doesNotMatch(plan, /sort|temp b-tree/i, plan);
      const heads = queueHeads(waiting, { nowMs: 1_000, afterQueueId: '', limit: 4 }).compile(kysely);
      const walk = await explain(heads.sql, heads.parameters);
      // To the first queue, from each to the next, and to the first of each; PostgreSQL does not tell of the second.
      const steps = walk.match(new RegExp(`INDEX.* ${byQueue}\\b`, 'gi'))?.length;
      assert.equal(steps, kind === 'postgres' ? 2 : 3, walk);
    }
  });
}
