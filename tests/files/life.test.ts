// The whole life of a file, as a client lives it: announced, sent to the bucket, confirmed, checked, downloaded, trashed,
// restored, purged.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type FileList, fileEntrySchema, type UploadedPartList, uploadSchema } from '@stowage/contract';
import { dayMs, mib, ServiceFixture, smallParts } from './service-fixture.ts';

let fixture: ServiceFixture;
let close: () => Promise<void>;

before(async () => {
  ({ fixture, close } = await ServiceFixture.openShared({ limits: smallParts }));
});
after(() => close());

test('a small file goes by one PUT and comes back the same', async () => {
  const { client: api } = fixture;
  const bytes = new TextEncoder().encode('hello, world\n');
  const upload = await api.create('Grüße.txt', bytes, 'text/plain; charset=utf-8');
  assert.deepEqual(uploadSchema.parse(upload), upload);
  assert.equal(upload.strategy, 'put');
  assert.equal(upload.state, 'pending');
  assert.ok(upload.request);
  const signed = new URL(upload.request.url).searchParams.get('X-Amz-SignedHeaders');
  assert.equal(signed, 'content-length;content-type;host;if-none-match');
  assert.deepEqual(Object.keys(upload.request.headers).sort(), ['content-type', 'if-none-match']);

  await api.refused('wrong-state', 'GET', `/v1/files/${upload.id}/content`);
  await api.send(upload, bytes);
  const completed = await api.complete(upload.id);
  assert.equal(completed.state, 'uploaded');
  await api.refused('wrong-state', 'GET', `/v1/files/${upload.id}/content`);
  await api.service.tick();

  const file = await api.file(upload.id);
  assert.deepEqual(fileEntrySchema.parse(file), file);
  assert.equal(file.state, 'ready');
  assert.equal(file.contentType, 'text/plain');
  const download = await fetch(await api.redirect(`/v1/files/${upload.id}/content`));
  assert.equal(await download.text(), 'hello, world\n');
  assert.match(
    download.headers.get('content-disposition') ?? '',
    /^attachment; .*filename\*=UTF-8''Gr%C3%BC%C3%9Fe\.txt/,
  );
  assert.equal(download.headers.get('content-type'), 'text/plain; charset=utf-8');
  const shown = await fetch(await api.redirect(`/v1/files/${upload.id}/content?disposition=inline`));
  assert.match(shown.headers.get('content-disposition') ?? '', /^inline/);
  await shown.body?.cancel();
});

test('the URL of a PUT writes once, this size and this type', async () => {
  const { client: api } = fixture;
  const bytes = new TextEncoder().encode('first');
  const upload = await api.create('once.txt', bytes, 'text/plain');
  assert.ok(upload.request);
  const { url, headers } = upload.request;
  const put = async (body: string, extra: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(url, { method: 'PUT', headers: { ...headers, ...extra }, body });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await put('longer than announced'), 403);
  assert.equal(await put('first', { 'content-type': 'text/html' }), 403);
  assert.equal(await put('first', { 'if-none-match': '"other"' }), 403);
  assert.equal(await put('first'), 200);
  assert.equal(await put('other'), 412);
  assert.equal((await api.complete(upload.id)).state, 'uploaded');
});

test('an empty file', async () => {
  const file = await fixture.client.store('empty.bin', new Uint8Array());
  assert.equal(file.state, 'ready');
  assert.equal(file.sizeBytes, 0);
});

test('a large file goes in parts, resumes from what the bucket holds, and comes back the same', async () => {
  const { client: api } = fixture;
  const bytes = randomBytes(12 * mib);
  const upload = await api.create('large.bin', bytes);
  assert.equal(upload.strategy, 'multipart');
  assert.equal(upload.partCount, 3);
  assert.equal(upload.request, undefined);

  await api.sendParts(upload, bytes, [1, 3]);
  const missing = await api.refused('parts-missing', 'POST', `/v1/uploads/${upload.id}/complete`);
  assert.match(missing.detail ?? '', /1 of 3 parts .*: 2\./);
  const held = await api.ask<UploadedPartList>(200, 'GET', `/v1/uploads/${upload.id}/parts`);
  assert.deepEqual(
    held.parts.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]),
    [
      [1, 5 * mib],
      [3, 2 * mib],
    ],
  );
  assert.equal((await api.upload(upload.id)).state, 'uploading');

  await api.sendParts(upload, bytes, [2]);
  assert.equal((await api.complete(upload.id)).state, 'uploaded');
  assert.equal((await api.complete(upload.id)).state, 'uploaded', 'completing again is harmless');
  await api.service.tick();
  assert.equal((await api.complete(upload.id)).state, 'ready');
  await api.refused('wrong-state', 'POST', `/v1/uploads/${upload.id}/parts/sign`, { partNumbers: [1] });

  const download = await fetch(await api.redirect(`/v1/files/${upload.id}/content`));
  const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  assert.equal(hash(new Uint8Array(await download.arrayBuffer())), hash(bytes));
});

test('a part of another size is refused by the bucket, a part beyond the last by the service', async () => {
  const { client: api } = fixture;
  const bytes = new Uint8Array(6 * mib);
  const upload = await api.create('sizes.bin', bytes);
  const path = `/v1/uploads/${upload.id}/parts/sign`;
  const { parts } = await api.ask<{ parts: { url: string }[] }>(200, 'POST', path, { partNumbers: [2] });
  const response = await fetch(parts[0]?.url ?? '', { method: 'PUT', body: new Uint8Array(17) });
  assert.equal(response.status, 403);
  await response.body?.cancel();
  await api.refused('invalid-request', 'POST', path, { partNumbers: [3] });
  await api.request('DELETE', `/v1/uploads/${upload.id}`);
});

test('completing before the bytes came says so, and loses nothing', async () => {
  const { client: api } = fixture;
  const bytes = new TextEncoder().encode('late');
  const upload = await api.create('late.txt', bytes, 'text/plain');
  await api.refused('parts-missing', 'POST', `/v1/uploads/${upload.id}/complete`);
  await api.send(upload, bytes);
  assert.equal((await api.complete(upload.id)).state, 'uploaded');
});

test('twin completions race and both succeed', async () => {
  const { client: api } = fixture;
  const bytes = randomBytes(6 * mib);
  const upload = await api.create('twins.bin', bytes);
  await api.send(upload, bytes);
  const states = await Promise.all(Array.from({ length: 4 }, () => api.complete(upload.id)));
  assert.deepEqual(new Set(states.map(({ state }) => state)), new Set(['uploaded']));
  await api.service.tick();
  assert.equal((await api.file(upload.id)).state, 'ready');
});

test('a given-up upload leaves nothing in the bucket, and giving up again is harmless', async () => {
  const { client: api } = fixture;
  const bytes = randomBytes(6 * mib);
  const upload = await api.create('given-up.bin', bytes);
  await api.sendParts(upload, bytes, [1]);
  const { multipartUploadId } = fixture.row(upload.id);
  await api.ask(204, 'DELETE', `/v1/uploads/${upload.id}`);
  await api.ask(204, 'DELETE', `/v1/uploads/${upload.id}`);
  await api.refused('wrong-state', 'POST', `/v1/uploads/${upload.id}/complete`);
  await api.service.tick();
  const objects = fixture.keys();
  assert.ok(multipartUploadId !== null && !fixture.openUploads().includes(multipartUploadId));
  assert.equal(
    objects.some((key) => key.includes(upload.id)),
    false,
  );
});

test('trash, restore, and purge after the retention', async () => {
  const { client: api } = fixture;
  const file = await api.store('trash.txt', new TextEncoder().encode('to be thrown away'), 'text/plain');
  const names = async (): Promise<readonly string[]> =>
    (await api.ask<FileList>(200, 'GET', '/v1/files?name=TRASH')).files.map(({ name }) => name);
  assert.deepEqual(await names(), ['trash.txt']);

  const stale = await api.request('DELETE', `/v1/files/${file.id}`, undefined, { 'if-match': '"999"' });
  assert.equal(stale.status, 412);
  await api.ask(204, 'DELETE', `/v1/files/${file.id}`);
  await api.ask(204, 'DELETE', `/v1/files/${file.id}`);
  assert.deepEqual(await names(), []);
  const trashed = await api.file(file.id);
  assert.equal(trashed.state, 'trashed');
  assert.equal(Date.parse(trashed.purgeAt ?? '') - Date.parse(trashed.trashedAt ?? ''), 30 * dayMs);
  await api.refused('wrong-state', 'GET', `/v1/files/${file.id}/content`);

  await api.ask(200, 'POST', `/v1/files/${file.id}/restore`);
  await api.ask(200, 'POST', `/v1/files/${file.id}/restore`);
  const url = await api.redirect(`/v1/files/${file.id}/content`);
  assert.equal(await (await fetch(url)).text(), 'to be thrown away');

  await api.ask(204, 'DELETE', `/v1/files/${file.id}`);
  fixture.advance(29 * dayMs);
  await api.service.tick();
  await fixture.restart();
  await fixture.signIn(); // The session is older than its life by now.
  assert.equal((await fixture.client.file(file.id)).state, 'trashed');
  assert.equal(
    fixture.keys().some((key) => key.includes(file.id)),
    true,
  );
  fixture.advance(2 * dayMs);
  await fixture.service.tick();
  await fixture.client.refused('not-found', 'GET', `/v1/files/${file.id}`);
  const objects = fixture.keys();
  assert.equal(
    objects.some((key) => key.includes(file.id)),
    false,
  );
});

test('lists go page by page in each order, and a cursor belongs to one', async () => {
  const { client: api } = fixture;
  for (const [name, size] of [
    ['list-b', 3],
    ['List-A', 1],
    ['list-ä', 2],
  ] as const) {
    await api.store(name, new Uint8Array(size));
  }
  const all = async (sort: string): Promise<string[]> => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const query: string = `name=list-&limit=1&sort=${sort}${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const page: FileList = await api.ask(200, 'GET', `/v1/files?${query}`);
      names.push(...page.files.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return names;
  };
  assert.deepEqual(await all('name'), ['List-A', 'list-b', 'list-ä']);
  assert.deepEqual(await all('-name'), ['list-ä', 'list-b', 'List-A']);
  assert.deepEqual(await all('sizeBytes'), ['List-A', 'list-ä', 'list-b']);
  assert.deepEqual(await all('-createdAt'), ['list-ä', 'List-A', 'list-b']);
  const { nextCursor } = await api.ask<FileList>(200, 'GET', '/v1/files?limit=1&sort=name');
  await api.refused('invalid-request', 'GET', `/v1/files?sort=-name&cursor=${nextCursor}`);
  await api.refused('invalid-request', 'GET', '/v1/files?cursor=nonsense');
  assert.deepEqual(
    (await api.ask<FileList>(200, 'GET', '/v1/files?name=%25')).files,
    [],
    '% is a character, not a pattern',
  );
});

test('a repeated request with an Idempotency-Key makes one upload', async () => {
  const { client: api } = fixture;
  const body = { name: 'twice.txt', sizeBytes: 4 };
  const headers = { 'idempotency-key': 'a-key' };
  const post = async (request: object): Promise<{ id: string; code?: string }> =>
    (await api.request('POST', '/v1/uploads', request, headers)).json() as Promise<{ id: string; code?: string }>;
  const [one, two] = [await post(body), await post(body)];
  assert.equal(one.id, two.id);
  assert.equal((await post({ ...body, sizeBytes: 5 })).code, 'idempotency-conflict');
});

test('a waiting state query answers when the state changes', async () => {
  const { client: api } = fixture;
  const bytes = new TextEncoder().encode('wait');
  const upload = await api.create('wait.txt', bytes, 'text/plain');
  await api.send(upload, bytes);
  const startedMs = performance.now();
  const waiting = api.ask<{ state: string }>(200, 'GET', `/v1/uploads/${upload.id}?wait=20`);
  await api.complete(upload.id);
  assert.notEqual((await waiting).state, 'pending');
  await api.service.tick();
  assert.equal((await api.ask<{ state: string }>(200, 'GET', `/v1/uploads/${upload.id}?wait=20`)).state, 'ready');
  assert.ok(performance.now() - startedMs < 5_000);
});

test('names in any script survive, and hostile ones do no harm', async () => {
  const { client: api } = fixture;
  const names = [
    'naïve "quoted".txt',
    'a\r\nSet-Cookie: x=1.txt',
    'שלום.txt',
    '文件.txt',
    '../../etc/passwd',
    'photo\u202egpj.exe',
    '😀.txt',
  ];
  for (const name of names) {
    const file = await api.store(name, new TextEncoder().encode('x'), 'text/plain');
    assert.equal(file.name, name);
    const download = await fetch(await api.redirect(`/v1/files/${file.id}/content`));
    assert.equal(download.status, 200, name);
    const header = download.headers.get('content-disposition') ?? '';
    assert.match(header, /^attachment; filename/, name);
    assert.equal(download.headers.get('set-cookie'), null);
    assert.equal(header.includes('\u202e'), false);
    await download.body?.cancel();
  }
  await api.refused('invalid-request', 'POST', '/v1/uploads', { name: 'a\0b', sizeBytes: 1 });
  await api.refused('invalid-request', 'POST', '/v1/uploads', { name: 'x'.repeat(1025), sizeBytes: 1 });
});

test('a link downloads without signing in, until it expires', async () => {
  const { client: api } = fixture;
  const file = await api.store('linked.txt', new TextEncoder().encode('linked'), 'text/plain');
  const link = await api.ask<{ url: string; expiresAt: string }>(201, 'POST', `/v1/files/${file.id}/links`, {
    expiresInSeconds: 60,
  });
  assert.equal(await fetchText(link.url), 'linked');
  fixture.advance(61_000);
  const late = await fetch(link.url);
  assert.equal(late.status, 403);
  await late.body?.cancel();
});

async function fetchText(url: string): Promise<string> {
  return (await fetch(url)).text();
}
