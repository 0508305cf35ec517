// What every database of the file service keeps. SQLite and PostgreSQL pass the same tests.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { expectedCapabilities } from '../bucket/capabilities.ts';
import { isFilesError } from '../files-error.ts';
import { aFile } from '../testing/a-file.ts';
import { takeJobs, takeReviews } from '../testing/take-due.ts';
import type { Database } from './database.ts';

type OpenEmpty = () => Promise<Database>;

export function databaseContract(kind: string, openEmpty: OpenEmpty): void {
  describe(`the database contract on ${kind}`, () => contract(openEmpty));
}

function contract(openEmpty: OpenEmpty): void {
  const newId = monotonicFactory();
  let database: Database;
  let count = 0;

  const newFile = (over: Parameters<typeof aFile>[0] = {}): ReturnType<typeof aFile> => {
    const id = newId();
    count++;
    return aFile({ id, objectKey: `key-${count}`, ...over });
  };

  before(async () => {
    database = await openEmpty();
  });
  after(() => database.close());

  test('of many changes from the same fence exactly one wins, and only its job is written', async () => {
    const file = await database.files.add(newFile());
    const job = { kind: 'validate', dueAtMs: 0 } as const;
    const waiting = await database.outbox.count();
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) => database.files.change(file, { reason: `${index}` }, [job])),
    );
    const winners = results.filter((result) => result !== undefined);
    assert.equal(winners.length, 1);
    assert.deepEqual(await database.files.find(file.id), winners[0]);
    assert.equal(winners[0]?.fence, file.fence + 1);
    assert.equal((await database.outbox.count()) - waiting, 1);
  });

  test('a job of a kind that waits already is not written twice', async () => {
    let file = await database.files.add(newFile());
    const waiting = await database.outbox.count();
    for (const dueAtMs of [500, 200, 900]) {
      const changed = await database.files.change(file, {}, [{ kind: 'purge', dueAtMs }]);
      assert.ok(changed);
      file = changed;
    }
    assert.equal((await database.outbox.count()) - waiting, 1);
    const taken = await takeJobs(database, { nowMs: 200, leaseMs: 100, limit: 50 });
    const [purge] = taken.filter(({ kind: job }) => job === 'purge');
    assert.equal(purge?.fileId, file.id, 'it is due at the earliest time');
    for (const job of taken) await database.outbox.done(job);
  });

  test('a job that was taken comes back when its lease is over, or when it is released', async () => {
    const file = await database.files.add(newFile());
    await database.files.change(file, {}, [{ kind: 'preview', dueAtMs: 0 }]);
    const take = (nowMs: number): ReturnType<typeof takeJobs> => takeJobs(database, { nowMs, leaseMs: 100, limit: 1 });
    const [first] = await take(1_000);
    assert.equal(first?.attempts, 0);
    assert.deepEqual(await take(1_050), []);
    const [second] = await take(1_100);
    assert.equal(second?.attempts, 1);
    await database.outbox.release();
    const [third] = await take(1_101);
    assert.ok(third);
    await database.outbox.retry(third, { dueAtMs: 5_000, error: 'later' });
    assert.deepEqual(await take(4_999), []);
    const [fourth] = await take(5_000);
    assert.ok(fourth);
    await database.outbox.done(fourth);
    assert.deepEqual(await take(100_000), []);
  });

  test('of several that take jobs or reviews at once, each is taken by one', async () => {
    const files = await Promise.all(
      Array.from({ length: 20 }, () => database.files.add(newFile({ reviewAtMs: 10_000 }))),
    );
    for (const file of files) await database.files.change(file, {}, [{ kind: 'discard', dueAtMs: 10_000 }]);
    const options = { nowMs: 10_000, leaseMs: 60_000, limit: 7 };
    const jobs = (await Promise.all(Array.from({ length: 6 }, () => takeJobs(database, options)))).flat();
    assert.equal(new Set(jobs.map(({ id }) => id)).size, jobs.length, 'no job twice');
    const reviews = (await Promise.all(Array.from({ length: 6 }, () => takeReviews(database, options)))).flat();
    assert.equal(new Set(reviews.map(({ id }) => id)).size, reviews.length, 'no review twice');
    for (let rest = 1; rest > 0; ) rest = (await takeJobs(database, options)).length;
    for (let rest = 1; rest > 0; ) rest = (await takeReviews(database, options)).length;
  });

  test('a job can be written without a change of its file, and only once while it waits', async () => {
    const file = await database.files.add(newFile());
    const waiting = await database.outbox.count();
    for (const dueAtMs of [900, 300]) await database.outbox.add(file.id, { kind: 'reconcile', dueAtMs });
    assert.equal((await database.outbox.count()) - waiting, 1);
    assert.equal((await database.files.find(file.id))?.fence, file.fence);
    const taken = await takeJobs(database, { nowMs: 300, leaseMs: 100, limit: 50 });
    assert.deepEqual(
      taken.filter(({ kind }) => kind === 'reconcile').map(({ fileId }) => fileId),
      [file.id],
    );
    for (const job of taken) await database.outbox.done(job);
  });

  test('what was found of an endpoint is kept for each bucket, and replaced', async () => {
    const place = { endpoint: 'http://s3.test', bucket: 'files' };
    assert.equal(await database.endpoints.get(place), undefined);
    const found = {
      ...place,
      version: 1,
      probedAtMs: 1,
      basis: 'found',
      capabilities: expectedCapabilities('aws'),
    } as const;
    await database.endpoints.put(found);
    const later = { ...found, probedAtMs: 2, capabilities: expectedCapabilities('ceph16') };
    await database.endpoints.put(later);
    assert.deepEqual(await database.endpoints.get(place), later);
    assert.equal(await database.endpoints.get({ ...place, bucket: 'other' }), undefined);
  });

  test('a tenant does not see another’s row', async () => {
    const { id } = await database.files.add(newFile());
    assert.ok(await database.files.get({ tenantId: 'main', id }));
    assert.ok(await database.files.current({ tenantId: 'main', id }));
    assert.equal(await database.files.get({ tenantId: 'other', id }), undefined);
    assert.equal(await database.files.current({ tenantId: 'other', id }), undefined);
    assert.deepEqual(await database.files.versions({ tenantId: 'other', id }, 10), []);
  });

  test('an idempotency key gives the first row again, until it is forgotten', async () => {
    const key = { key: 'k', requestHash: 'h', expiresAtMs: 2_000 };
    const first = await database.files.add(newFile({ createdAtMs: 1_000 }), { idempotency: key });
    assert.equal((await database.files.add(newFile({ createdAtMs: 1_500 }), { idempotency: key })).id, first.id);
    const other = database.files.add(newFile({ createdAtMs: 1_500 }), {
      idempotency: { ...key, requestHash: 'x' },
    });
    await assert.rejects(other, (error) => isFilesError(error) && error.code === 'idempotency-conflict');
    const late = await database.files.add(newFile({ createdAtMs: 2_000 }), {
      idempotency: { ...key, requestHash: 'x', expiresAtMs: 3_000 },
    });
    assert.notEqual(late.id, first.id);
  });

  test('a version that becomes the current one takes the place of the one before it, in one step', async () => {
    const first = await database.files.add(
      newFile({ state: 'ready', name: 'Plan.txt', tags: ['a'], metadata: { b: 'c' } }),
    );
    const second = await database.files.add(
      newFile({ state: 'scanning', name: 'other.txt', lineId: first.id, role: 'version' }),
    );
    const file = { tenantId: 'main', id: first.id };
    assert.equal((await database.files.current(file))?.id, first.id);
    const promoted = await database.files.change(second, { state: 'ready', role: 'current' });
    assert.equal(promoted?.name, 'Plan.txt');
    assert.deepEqual(promoted.tags, ['a']);
    assert.deepEqual(promoted.metadata, { b: 'c' });
    assert.equal((await database.files.current(file))?.id, second.id);
    const versions = await database.files.versions(file, 10);
    assert.deepEqual(
      versions.map(({ id, role }) => [id, role]),
      [
        [second.id, 'current'],
        [first.id, 'version'],
      ],
    );
    const page = { tenantId: 'main', shelf: 'files', sort: 'name', descending: false, limit: 100 } as const;
    const listed = (await database.files.list(page)).filter(({ lineId }) => lineId === first.id);
    assert.deepEqual(
      listed.map(({ id }) => id),
      [second.id],
    );
  });

  test('a version does not take the place of a file in the trash', async () => {
    const first = await database.files.add(newFile({ state: 'trashed' }));
    const second = await database.files.add(newFile({ state: 'scanning', lineId: first.id, role: 'version' }));
    const changed = await database.files.change(second, { state: 'ready', role: 'current' });
    assert.equal(changed?.role, 'version');
    assert.equal((await database.files.current({ tenantId: 'main', id: first.id }))?.id, first.id);
  });

  test('versions stand in the order in which they ceased to be the current one, whatever their ids', async () => {
    const first = await database.files.add(newFile({ state: 'ready' }));
    const line = { tenantId: 'main', id: first.id };
    const order = async (): Promise<readonly string[]> => (await database.files.versions(line, 10)).map(({ id }) => id);
    const ids = [newId(), newId(), newId(), newId()] as const;
    const [lowest, low, high, highest] = ids;
    const announce = (id: string): ReturnType<Database['files']['add']> =>
      database.files.add(newFile({ id, state: 'scanning', lineId: first.id, role: 'version', versionNumber: 2 }));
    const arrive = async (id: string): Promise<void> => {
      const version = await announce(id);
      assert.ok(await database.files.change(version, { state: 'ready', role: 'current' }));
    };
    await arrive(highest);
    await arrive(low);
    assert.deepEqual(await order(), [low, highest, first.id]);
    // One that arrives while the file is in the trash is not its current one, and comes before all that were.
    const current = await database.files.current(line);
    const trashed = await database.files.change(current ?? first, { state: 'trashed' });
    await arrive(high);
    assert.deepEqual(await order(), [low, high, highest, first.id]);
    const back = await database.files.relocate(trashed ?? first, { state: 'ready' }, { onConflict: 'keep-both' });
    assert.equal(back?.id, low);
    const restored = await database.files.find(first.id);
    assert.ok(await database.files.change(restored ?? first, { role: 'current' }));
    assert.deepEqual(await order(), [first.id, low, high, highest]);
    await arrive(lowest);
    assert.deepEqual(await order(), [lowest, first.id, low, high, highest]);
    assert.equal((await database.files.current(line))?.id, lowest);
    assert.deepEqual(
      (await database.files.versions(line, 2)).map(({ id }) => id),
      [lowest, first.id],
    );
  });

  test('folders are made once, whatever the case of their names, and know their paths', async () => {
    const path = { tenantId: 'main', userId: 'owner', parentId: '', nowMs: 1 };
    const ids = await Promise.all(
      [['Holiday', 'Day 1'], ['holiday', 'DAY 1'], ['HOLIDAY']].map((names) =>
        database.folders.ensure({ ...path, names }),
      ),
    );
    assert.equal(ids[0], ids[1]);
    const [day = '', , holiday = ''] = ids;
    const paths = await database.folders.paths('main', [day, holiday, '', 'missing']);
    const name = paths.get(holiday)?.[0] ?? '';
    assert.equal(name.toLowerCase(), 'holiday');
    assert.equal(paths.get(day)?.length, 2);
    assert.deepEqual(paths.get(''), []);
    assert.equal(paths.get('missing'), undefined);
    assert.equal((await database.folders.get({ tenantId: 'main', id: day }))?.parentId, holiday);
    assert.equal(await database.folders.get({ tenantId: 'other', id: day }), undefined);
    const deep = database.folders.ensure({ ...path, names: Array.from({ length: 65 }, () => 'x') });
    await assert.rejects(deep, (error) => isFilesError(error) && error.code === 'invalid-request');
  });
}
