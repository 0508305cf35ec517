// What every database keeps of many files: pages in order whoever asks, counts that equal the rows, folders of the trash.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FileState } from '@stowage/contract';
import { monotonicFactory } from 'ulid';
import { type FileRecord, shelfOf } from '../file-record.ts';
import { isFilesError } from '../files-error.ts';
import { noCounts } from '../orphans/reconcile-record.ts';
import { aFile } from '../testing/a-file.ts';
import type { Database, ListOptions, SortColumn } from './database.ts';

export function listsContract(kind: string, openEmpty: () => Promise<Database>): void {
  describe(`lists and counts on ${kind}`, () => contract(openEmpty));
}

const owner = { tenantId: 'main', userId: 'owner' } as const;
const page = { tenantId: 'main', shelf: 'files', limit: 4 } as const;

function contract(openEmpty: () => Promise<Database>): void {
  const newId = monotonicFactory();
  let database: Database;
  let count = 0;
  /** All that were added and are listed. */
  const listed: FileRecord[] = [];

  async function add(over: Partial<FileRecord> = {}): Promise<FileRecord> {
    count++;
    const file = aFile({ id: newId(), objectKey: `list-${count}`, state: 'ready', objectEtag: 'e', ...over });
    return database.files.add(file);
  }

  const ensure = (parentId: string, ...names: string[]): Promise<string> =>
    database.folders.ensure({ ...owner, parentId, names, nowMs: 1 });

  before(async () => {
    database = await openEmpty();
  });
  after(() => database.close());

  /** Every page after the other, as a client asks for them. */
  async function all(options: Omit<ListOptions, keyof typeof page>, name?: string): Promise<readonly string[]> {
    const found: FileRecord[] = [];
    let after: ListOptions['after'];
    for (let pages = 0; pages < 100; pages++) {
      const asked = { ...page, ...options, after };
      const { files, lookedUntil } =
        name === undefined
          ? { files: await database.files.list(asked), lookedUntil: undefined }
          : await database.files.listNamed({ ...asked, name, maxLookedAt: 5 });
      found.push(...files);
      const last = files.at(-1);
      if (files.length === page.limit && last !== undefined) after = database.files.placeOf(last, options.sort);
      else if (lookedUntil === undefined) return found.map(({ id }) => id);
      else after = lookedUntil;
    }
    throw new Error('The pages do not end.');
  }

  function expected(
    { sort, descending }: { readonly sort: SortColumn; readonly descending: boolean },
    isMeant: (file: FileRecord) => boolean,
  ): readonly string[] {
    const sortedBy = (file: FileRecord) => database.files.placeOf(file, sort).value;
    const up = (a: FileRecord, b: FileRecord): number =>
      sortedBy(a) < sortedBy(b) ? -1 : sortedBy(a) > sortedBy(b) ? 1 : a.id < b.id ? -1 : 1;
    const sorted = listed.filter(isMeant).sort(up);
    return (descending ? sorted.reverse() : sorted).map(({ id }) => id);
  }

  test('pages put together are all files in order: of a tenant, below granted folders, by a part of their names', async () => {
    const wide = await ensure('', 'wide');
    const deep = await ensure(wide, 'a', 'b');
    const other = await ensure('', 'other');
    const folders = ['', wide, deep, other];
    for (let number = 0; number < 24; number++) {
      const name = `${number % 3 === 0 ? 'Re%port' : 'Note_'} ${(number * 7) % 24}.txt`;
      const folderId = folders[number % folders.length] ?? '';
      // Equal values, too: then the ids decide.
      listed.push(await add({ name, folderId, createdAtMs: number % 5, sizeBytes: number % 4 }));
    }
    const below = new Set([wide, deep]);
    for (const sort of ['name', 'createdAt', 'sizeBytes'] as const) {
      for (const descending of [false, true]) {
        const order = { sort, descending };
        const isReport = ({ name }: FileRecord): boolean => name.startsWith('Re%port');
        assert.deepEqual(
          await all(order),
          expected(order, () => true),
        );
        assert.deepEqual(
          await all({ ...order, within: [wide] }),
          expected(order, ({ folderId }) => below.has(folderId)),
        );
        assert.deepEqual(
          await all({ ...order, within: [deep, other] }),
          expected(order, ({ folderId }) => folderId === deep || folderId === other),
        );
        assert.deepEqual(
          await all({ ...order, within: [wide], folderId: deep }),
          expected(order, ({ folderId }) => folderId === deep),
        );
        assert.deepEqual(await all({ ...order, within: [] }), []);
        assert.deepEqual(await all(order, 'e%P'), expected(order, isReport));
        assert.deepEqual(await all(order, 'none has this'), []);
        assert.deepEqual(
          await all({ ...order, within: [wide] }, 'e%p'),
          expected(order, (file) => isReport(file) && below.has(file.folderId)),
        );
        assert.deepEqual(
          await all({ ...order, folderId: deep }, 'note_'),
          expected(order, (file) => !isReport(file) && file.folderId === deep),
        );
      }
    }
  });

  test('the counts by state equal the rows, whatever goes on at the same time', async () => {
    const states = ['pending', 'ready', 'trashed', 'purging', 'purged'] as const satisfies readonly FileState[];
    const before = new Map((await database.files.count()).map((row) => [row.state, row.count]));
    const files = await Promise.all(Array.from({ length: 12 }, () => add({ state: 'pending' })));
    await Promise.all(
      files.map(async (file, index) => {
        let current = file;
        for (const state of states.slice(1, 1 + (index % states.length)))
          current = (await database.files.change(current, { state })) ?? current;
      }),
    );
    const counted = new Map((await database.files.count()).map((row) => [row.state, row.count]));
    const grown = states.map((state) => (counted.get(state) ?? 0) - (before.get(state) ?? 0));
    assert.deepEqual(grown, [3, 3, 2, 2, 2]);
  });

  test('what a user holds in a category is what their files there take, until they are gone', async () => {
    const announce = (sizeBytes: number, category = 'films'): Promise<FileRecord> => {
      count++;
      const file = aFile({ id: newId(), objectKey: `held-${count}`, category, sizeBytes });
      return database.files.add(file, { userQuotaBytes: 100 });
    };
    const isFull = (error: unknown): boolean => isFilesError(error) && error.code === 'quota-exceeded';
    let file = await announce(60);
    await announce(100, 'songs');
    await assert.rejects(announce(41), isFull);
    for (const state of ['uploaded', 'validating', 'scanning', 'ready', 'trashed', 'purging'] as const) {
      file = (await database.files.change(file, { state, objectEtag: 'e' })) ?? file;
      await assert.rejects(announce(41), isFull, `while it is ${state}`);
    }
    await database.files.change(file, { state: 'purged' });
    await announce(41);
    await assert.rejects(announce(60), isFull);
  });

  test('files in folders of the trash follow them, and the folders go when nothing is left', async () => {
    const top = await ensure('', 'to be trashed');
    const inner = await ensure(top, 'inner');
    const files = [await add({ folderId: top }), await add({ folderId: inner }), await add({ folderId: inner })];
    const folder = await database.folders.get({ tenantId: 'main', id: top });
    assert.ok(folder);
    assert.ok(await database.folders.trash(folder, 5));
    const trash = { nowMs: 5, purgeAtMs: 10, limit: 2 };
    const gone = [await database.files.trashWithin(trash), await database.files.trashWithin(trash)].flat();
    assert.deepEqual(new Set(gone.map(({ id }) => id)), new Set(files.map(({ id }) => id)));
    assert.ok(gone.every((file) => shelfOf(file) === 'trash'));
    assert.deepEqual(await database.files.trashWithin(trash), []);
    assert.equal(await database.folders.removeEmpty(10), 0, 'something in them can still be restored');
    for (const file of gone) {
      const purging = await database.files.change(file, { state: 'purging' });
      assert.ok(purging && (await database.files.change(purging, { state: 'purged' })));
    }
    assert.equal(await database.folders.removeEmpty(10), 1, 'the inner one');
    assert.equal(await database.folders.removeEmpty(10), 1);
  });

  test('nothing is made in a folder that is in the trash, or not there, by whatever way', async () => {
    const parentId = await ensure('', 'soon in the trash');
    const folder = await database.folders.get({ tenantId: 'main', id: parentId });
    assert.ok(folder && (await database.folders.trash(folder, 5)));
    const isMissing = (error: unknown): boolean => isFilesError(error) && error.code === 'not-found';
    for (const id of [parentId, 'nowhere']) {
      await assert.rejects(ensure(id, 'below'), isMissing);
      await assert.rejects(add({ folderId: id }), isMissing);
      const stamps = { createdAtMs: 1, updatedAtMs: 1, fence: 1, trashedAtMs: null };
      const below = { id: newId(), tenantId: 'main', parentId: id, name: 'below', createdBy: 'owner', ...stamps };
      await assert.rejects(database.folders.add(below), isMissing);
    }
  });

  test('a place in the bucket that no text of ours can hold is a place all the same', async () => {
    for (const objectKey of ['nul', 'nul a', 'nul\u0001']) await add({ objectKey });
    const keys = async (after: string | null, until: string | null): Promise<readonly string[]> =>
      (await database.reconcile.claimsByKey({ after, until, limit: 10 })).map(({ objectKey }) => objectKey);
    assert.deepEqual(await keys('nul\0z', 'nul a'), ['nul\u0001', 'nul a']);
    assert.deepEqual(await keys('nu', 'nul\0'), ['nul']);
    const run = {
      id: newId(),
      state: 'running',
      dryRun: true,
      maxChanges: 1,
      startedBy: 'test',
      startedAtMs: 1,
      updatedAtMs: 1,
      finishedAtMs: null,
      position: { phase: 'objects', after: 'nul\0z' },
      counts: noCounts,
      lastError: null,
    } as const;
    await database.reconcile.start(run, { keep: 3 });
    const lease = { holder: 'me', nowMs: 1, leaseMs: 10 };
    assert.deepEqual((await database.reconcile.take(lease))?.position, run.position);
    const finding = { key: 'nul\0z', versionId: null, uploadId: null, fileId: null, sizeBytes: 1, detail: 'of nul\0z' };
    const added = [{ ...finding, kind: 'object-foreign', runId: run.id, number: 1, outcome: 'reported' }] as const;
    assert.equal(await database.reconcile.keep({ ...run, state: 'finished' }, lease, { added }), true);
    const [kept] = await database.reconcile.findings({ runId: run.id, limit: 1 });
    assert.deepEqual([kept?.key, kept?.detail], ['nul\ufffdz', 'of nul\ufffdz']);
  });
}
