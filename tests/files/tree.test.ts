// The tree of folders, names, search, copies and versions, over HTTP.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPostgres } from '../servers/postgres-server.ts';
import { dayMs, ServiceFixture } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);

test('a folder is renamed and moved by its row alone, and its files go along', async (t) => {
  const service = await ServiceFixture.open(t);
  const work = await service.call('createFolder', { body: { name: 'Work' } });
  const plans = await service.call('createFolder', { body: { name: 'Plans', parentId: work.id } });
  const { id } = await service.upload('plan.txt', 'text/plain', text('a plan'));
  await service.call('changeFile', { id, body: { folderId: plans.id } });
  const before = service.keys();
  await service.call('changeFolder', { id: work.id, body: { name: 'Office' } });
  const file = await service.call('getFile', { id });
  assert.deepEqual(file.folder, ['Office', 'Plans']);
  assert.deepEqual(service.keys(), before, 'nothing moved in the bucket');
  await service.call('changeFolder', { id: plans.id, body: { parentId: '' } });
  assert.deepEqual((await service.call('getFile', { id })).folder, ['Plans']);
  assert.deepEqual(await service.download(id), text('a plan'));
});

test('a folder cannot be moved into itself or below itself, nor take a name that is taken', async (t) => {
  const service = await ServiceFixture.open(t);
  const a = await service.call('createFolder', { body: { name: 'a' } });
  const b = await service.call('createFolder', { body: { name: 'b', parentId: a.id } });
  for (const parentId of [a.id, b.id])
    await service.refused('folder-cycle', 'changeFolder', { id: a.id, body: { parentId } });
  await service.refused('name-taken', 'createFolder', { body: { name: 'A' } });
  await service.refused('not-found', 'createFolder', { body: { name: 'x', parentId: 'nowhere' } });
  await service.refused('precondition-failed', 'changeFolder', {
    id: a.id,
    body: { name: 'c' },
    headers: { 'if-match': '"99"' },
  });
  const { folders } = await service.call('listFolders');
  assert.deepEqual(
    folders.map(({ name }) => name),
    ['a'],
  );
});

test('two moves at once cannot make a circle', async (t) => {
  const service = await ServiceFixture.open(t);
  for (let round = 0; round < 5; round++) {
    const a = await service.call('createFolder', { body: { name: `a${round}` } });
    const b = await service.call('createFolder', { body: { name: `b${round}` } });
    const statuses = await Promise.all([
      service.respond('changeFolder', { id: a.id, body: { parentId: b.id } }),
      service.respond('changeFolder', { id: b.id, body: { parentId: a.id } }),
    ]);
    assert.deepEqual(statuses.map(({ status }) => status).sort(), [200, 409]);
  }
});

test('a name that is taken gets a number, is refused, or becomes a new version', async (t) => {
  const service = await ServiceFixture.open(t);
  const first = await service.upload('notes.tar.gz', 'application/octet-stream', text('one'));
  const both = await service.announce({ name: 'Notes.tar.gz', sizeBytes: 3 });
  assert.equal(both.name, 'Notes (2).tar.gz');
  await service.refused('name-taken', 'createUpload', {
    body: { name: 'NOTES.tar.gz', sizeBytes: 3, onConflict: 'refuse' },
  });
  const replacing = await service.announce({ name: 'notes.tar.gz', sizeBytes: 3, onConflict: 'replace' });
  assert.equal(replacing.fileId, first.id);
  await service
    .refused('name-taken', 'changeFile', { id: both.id, body: { name: 'notes.tar.gz' } })
    .catch(() => undefined);
});

test('a new version takes the place of the old one only once it was checked', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('plan.txt', 'text/plain', text('the first plan'));
  await service.call('changeFile', { id, body: { tags: ['draft'] } });
  const second = await service.announce({ name: 'whatever.txt', sizeBytes: 15, versionOf: id });
  assert.notEqual(second.id, id);
  assert.equal(second.fileId, id);
  assert.ok(second.request);
  const { url, headers, method } = second.request;
  await fetch(url, { method, headers, body: 'the second plan' });
  await service.call('completeUpload', { id: second.id });
  assert.deepEqual(await service.download(id), text('the first plan'));
  await service.tick();
  assert.deepEqual(await service.download(id), text('the second plan'));
  const file = await service.call('getFile', { id });
  assert.deepEqual([file.name, file.tags, file.versionId], ['plan.txt', ['draft'], second.id]);
  const { files } = await service.call('listFiles');
  assert.equal(files.length, 1);
});

test('a copy has bytes of its own', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('plan.txt', 'text/plain', text('a plan'));
  const copy = await service.call('copyFile', { id, body: {} });
  assert.equal(copy.name, 'plan (2).txt');
  await service.tick();
  assert.equal((await service.call('getFile', { id: copy.fileId })).state, 'ready');
  await service.call('deleteFile', { id });
  service.advance(40 * dayMs);
  await service.signIn();
  await service.tick();
  assert.deepEqual(await service.download(copy.fileId), text('a plan'));
});

test('a folder goes into the trash with its files, and comes back with the first that is restored', async (t) => {
  const service = await ServiceFixture.open(t);
  const outer = await service.call('createFolder', { body: { name: 'Outer' } });
  const inner = await service.call('createFolder', { body: { name: 'Inner', parentId: outer.id } });
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const other = await service.upload('b.txt', 'text/plain', text('b'));
  for (const file of [id, other.id]) await service.call('changeFile', { id: file, body: { folderId: inner.id } });
  const { contents } = await service.call('getFolder', { id: outer.id });
  assert.deepEqual(contents, { folders: 1, files: 2, sizeBytes: 2 });
  await service.call('deleteFolder', { id: outer.id });
  assert.equal((await service.call('getFile', { id })).state, 'trashed');
  await service.refused('not-found', 'getFolder', { id: inner.id });
  // The name is free again, and taken when the old folder comes back.
  const again = await service.call('createFolder', { body: { name: 'outer' } });
  const restored = await service.call('restoreFile', { id });
  assert.deepEqual(restored.folder, ['outer', 'Inner']);
  assert.equal((await service.call('listFolders')).folders[0]?.id, again.id);
  service.advance(40 * dayMs);
  await service.signIn();
  await service.tick();
  await service.refused('not-found', 'getFile', { id: other.id });
  assert.deepEqual(await service.download(id), text('a'));
});

test('all that lies below a deleted folder is out of sight at once, before the worker has come to any of it', async (t) => {
  const service = await ServiceFixture.open(t);
  const outer = await service.call('createFolder', { body: { name: 'Outer' } });
  const inner = await service.call('createFolder', { body: { name: 'Inner', parentId: outer.id } });
  const kept = await service.upload('kept notes.txt', 'text/plain', text('kept'));
  const ids: string[] = [];
  for (let number = 0; number < 4; number++) {
    const { id } = await service.upload(`notes ${number}.txt`, 'text/plain', text(`${number}`));
    await service.call('changeFile', { id, body: { folderId: inner.id } });
    ids.push(id);
  }
  const [first = '', second = '', third = '', fourth = ''] = ids;
  const ofFile = await service.call('createShare', { body: { fileId: third } });
  const ofFolder = await service.call('createShare', { body: { folderId: outer.id } });
  await service.call('deleteFolder', { id: inner.id });

  const states = (): readonly string[] => ids.map((id) => service.row(id).state);
  assert.deepEqual(states(), ['ready', 'ready', 'ready', 'ready'], 'the request only marks');
  const names = async (query: object): Promise<readonly string[]> =>
    (await service.call('listFiles', { query: { ...query } })).files.map(({ name }) => name);
  assert.deepEqual(await names({}), ['kept notes.txt']);
  assert.deepEqual(await names({ sort: 'name' }), ['kept notes.txt']);
  assert.deepEqual(await names({ name: 'notes' }), ['kept notes.txt']);
  const found = (await service.call('search', { query: { q: 'notes' } })).files;
  assert.deepEqual(
    found.map(({ id }) => id),
    [kept.id],
  );
  await service.refused('not-found', 'getArchive', { query: { folders: outer.id } });
  const shown = await service.send(new Request(new URL(`${ofFolder.url}/archive`, 'http://files.test')));
  assert.equal(shown.status, 404);
  assert.deepEqual(states(), ['ready', 'ready', 'ready', 'ready'], 'nobody has asked for one of them');

  await service.refused('wrong-state', 'getContent', { id: first });
  assert.equal((await service.call('getFile', { id: second })).state, 'trashed');
  const shared = await service.send(new Request(new URL(`${ofFile.url}/files/${third}`, 'http://files.test')));
  assert.equal(shared.status, 410);
  // One comes back, and with it its folder: the others were thrown away all the same.
  await service.call('restoreFile', { id: first });
  assert.deepEqual(states(), ['ready', 'trashed', 'trashed', 'trashed']);
  await service.call('deleteFolder', { id: inner.id });
  await service.tick();
  assert.deepEqual(states(), ['trashed', 'trashed', 'trashed', 'trashed']);
  const trash = (await service.call('listTrash')).files.map(({ id }) => id).sort();
  assert.deepEqual(trash, [first, second, third, fourth].sort());
});

test('a change to what is so already changes nothing, neither time nor etag', async (t) => {
  const service = await ServiceFixture.open(t);
  const folder = await service.call('createFolder', { body: { name: 'Work' } });
  const { id } = await service.upload('plan.txt', 'text/plain', text('a plan'));
  const made = { tags: ['a', 'b'], metadata: { one: '1', two: '2' }, folderId: folder.id };
  const before = await service.call('changeFile', { id, body: made });
  service.advance(dayMs / 24);
  for (const body of [
    {},
    made,
    { name: 'plan.txt' },
    { tags: ['a', 'b', 'a'] },
    { metadata: { two: '2', one: '1' } },
  ]) {
    const headers = { 'if-match': before.etag };
    assert.deepEqual(await service.call('changeFile', { id, body, headers }), before, JSON.stringify(body));
  }
  assert.deepEqual(await service.call('getFile', { id }), before);
  const changed = await service.call('changeFile', { id, body: { name: 'plan.txt', tags: ['b', 'a'] } });
  assert.notEqual(changed.etag, before.etag, 'tags have an order');
  assert.notEqual(changed.updatedAt, before.updatedAt);
  for (const body of [{}, { name: 'Work', parentId: '' }]) {
    assert.deepEqual(await service.call('changeFolder', { id: folder.id, body }), folder);
  }
  await service.refused('precondition-failed', 'changeFile', { id, body: {}, headers: { 'if-match': before.etag } });
  await service.refused('not-found', 'changeFile', { id: 'NOBODY', body: {} });
  await service.call('deleteFile', { id });
  await service.refused('wrong-state', 'changeFile', { id, body: {} });
});

test('files are found by the words of their names and tags, in any script, below a folder, page by page', async (t) => {
  const service = await ServiceFixture.open(t);
  const folder = await service.call('createFolder', { body: { name: 'Reports' } });
  const names = ['Résumé 2024.txt', 'IMG1234.txt', '東京都の計画.txt', 'budget-2024_final.txt', 'x%y_z.txt'];
  const ids = new Map<string, string>();
  for (const name of names) ids.set(name, (await service.upload(name, 'text/plain', text(name))).id);
  const find = async (q: string, more: Readonly<Record<string, string | number>> = {}): Promise<string[]> =>
    (await service.call('search', { query: { q, ...more } })).files.map(({ name }) => name);
  assert.deepEqual(await find('resume'), ['Résumé 2024.txt']);
  assert.deepEqual(await find('1234'), ['IMG1234.txt']);
  assert.deepEqual(await find('京都'), ['東京都の計画.txt']);
  assert.deepEqual(await find('2024 fin'), ['budget-2024_final.txt']);
  assert.deepEqual(await find('2024'), ['budget-2024_final.txt', 'Résumé 2024.txt']);
  assert.deepEqual(await find('2024', { folderId: folder.id }), []);
  const id = ids.get('budget-2024_final.txt') ?? '';
  await service.call('changeFile', { id, body: { folderId: folder.id, tags: ['Quarterly'] } });
  assert.deepEqual(await find('2024', { folderId: folder.id }), ['budget-2024_final.txt']);
  assert.deepEqual(await find('quarter', { tag: 'Quarterly' }), ['budget-2024_final.txt']);
  assert.deepEqual(await find('quarter', { type: 'image/*' }), []);
  const byTag = async (more: object): Promise<string[]> =>
    (await service.call('search', { query: { tag: 'Quarterly', ...more } })).files.map(({ name }) => name);
  assert.deepEqual(await byTag({}), ['budget-2024_final.txt'], 'a tag is enough to search by');
  assert.deepEqual(await byTag({ type: 'image/*' }), []);
  assert.deepEqual(await byTag({ tag: 'quarter' }), [], 'a tag is found whole');
  const page = await service.call('search', { query: { q: 'txt', limit: 2 } });
  const rest = await service.call('search', { query: { q: 'txt', limit: 10, cursor: page.nextCursor ?? '' } });
  assert.equal(new Set([...page.files, ...rest.files].map((file) => file.id)).size, names.length);
  await service.call('deleteFile', { id });
  assert.deepEqual(await find('quarterly'), []);
  await service.refused('invalid-request', 'search', { query: { q: '%%%' } });
  await service.refused('invalid-request', 'search', { query: { tag: '%%%' } });
  await service.refused('invalid-request', 'search', { query: { type: 'image/*' } });
  await service.refused('not-found', 'search', { query: { q: 'a', folderId: 'nowhere' } });
});

test('a tag is enough to search by on PostgreSQL too', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const service = await ServiceFixture.open(t, { database: { url: await postgres.createDatabase() } });
  const { id } = await service.upload('plan.txt', 'text/plain', text('a plan'));
  await service.upload('other.txt', 'text/plain', text('another plan'));
  const { etag } = await service.call('changeFile', {
    id,
    body: { tags: ['Quarterly'], metadata: { b: '1', a: '2' } },
  });
  const { files } = await service.call('search', { query: { tag: 'Quarterly', maxSizeBytes: 100 } });
  assert.deepEqual(
    files.map((file) => file.id),
    [id],
  );
  await service.refused('invalid-request', 'search', { query: { maxSizeBytes: 100 } });
  const body = { tags: ['Quarterly'], metadata: { a: '2', b: '1' } };
  assert.equal((await service.call('changeFile', { id, body })).etag, etag);
});
