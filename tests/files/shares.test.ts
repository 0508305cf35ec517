// Shares and archives: what people without an account can read, and what they cannot.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findPython } from '../../scripts/system-programs.ts';
import { dayMs, mib, minuteMs, numberedText, readProblem, ServiceFixture, serviceOrigin } from './service-fixture.ts';

const run = promisify(execFile);
const text = (words: string): Buffer => Buffer.from(words);

const json = { accept: 'application/json' };

function get(service: ServiceFixture, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return service.send(new Request(new URL(path, serviceOrigin), { headers }));
}

test('a shared file is seen and downloaded without an account, counted, and gone when revoked', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('<b>plan</b>.txt', 'text/plain', text('a plan'));
  const share = await service.call('createShare', { body: { fileId: id } });
  const page = await get(service, share.url);
  assert.equal(page.status, 200);
  const shown = await page.text();
  assert.match(shown, /&lt;b&gt;plan&lt;\/b&gt;\.txt/);
  assert.match(shown, />6 bytes</);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.equal(shown.includes('<script'), false);
  const download = await get(service, `${share.url}/files/${id}`);
  assert.equal(download.status, 302);
  assert.equal(await (await fetch(download.headers.get('location') ?? '')).text(), 'a plan');
  assert.equal((await service.call('listShares')).shares[0]?.downloads, 1);
  await service.call('revokeShare', { id: share.id });
  assert.equal((await get(service, share.url)).status, 410);
  assert.equal((await get(service, `${share.url}/files/${id}`)).status, 410);
  const forged = `${share.url.slice(0, -1)}${share.url.endsWith('A') ? 'B' : 'A'}`;
  assert.equal((await get(service, forged)).status, 404);
});

test('of many downloads at once exactly as many succeed as the limit says', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const share = await service.call('createShare', { body: { fileId: id, maxDownloads: 7 } });
  const answers = await Promise.all(Array.from({ length: 30 }, () => get(service, `${share.url}/files/${id}`)));
  assert.equal(answers.filter(({ status }) => status === 302).length, 7);
  assert.equal(answers.filter(({ status }) => status === 410).length, 23);
  assert.equal((await service.call('listShares')).shares[0]?.downloads, 7);
});

test('a share with a password opens to it alone, and to few tries', async (t) => {
  const service = await ServiceFixture.open(t, { limits: { sharePasswordsPerMinute: 3 } });
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const share = await service.call('createShare', { body: { fileId: id, password: 'open sesame' } });
  assert.equal((await get(service, share.url)).status, 401);
  assert.equal((await get(service, `${share.url}/files/${id}`)).status, 403);
  const enter = (password: string): Promise<Response> =>
    service.send(
      new Request(new URL(share.url, serviceOrigin), { method: 'POST', body: new URLSearchParams({ password }) }),
    );
  assert.equal((await enter('wrong')).status, 403);
  const right = await enter('open sesame');
  assert.equal(right.status, 303);
  const cookie = right.headers.get('set-cookie')?.split(';')[0] ?? '';
  assert.equal((await get(service, `${share.url}/files/${id}`, { cookie })).status, 302);
  assert.equal((await enter('wrong')).status, 403);
  assert.equal((await enter('open sesame')).status, 429);
  service.advance(61 * minuteMs);
  assert.equal((await get(service, `${share.url}/files/${id}`, { cookie })).status, 403, 'the pass has ended');
});

test('the pass of a share is sent by https alone where people come by https, whatever a proxy asks us by', async (t) => {
  const service = await ServiceFixture.open(t, { publicUrl: 'https://files.example.com' });
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const share = await service.call('createShare', { body: { fileId: id, password: 'open sesame' } });
  const behind = new URL(new URL(share.url).pathname, 'http://127.0.0.1:3000');
  const body = new URLSearchParams({ password: 'open sesame' });
  const entered = await service.send(new Request(behind, { method: 'POST', body }));
  assert.equal(entered.status, 303);
  assert.match(entered.headers.get('set-cookie') ?? '', /; Secure$/);
});

test('people sign in while others try the passwords of a share', async (t) => {
  const limits = { sharePasswordsPerMinute: 1_000, passwordTriesPerMinute: 1_000, signInsPerMinute: 1_000 };
  const service = await ServiceFixture.open(t, { limits });
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const share = await service.call('createShare', { body: { fileId: id, password: 'open sesame' } });
  const order: string[] = [];
  const tries = Array.from({ length: 12 }, async () => {
    const body = new URLSearchParams({ password: 'wrong' });
    await service.send(new Request(new URL(share.url, serviceOrigin), { method: 'POST', body }));
    order.push('share');
  });
  const signIn = service
    .respond('signIn', { anonymous: true, body: { email: 'nobody@example.com', password: 'a long password' } })
    .then(({ status }) => order.push(String(status)));
  await Promise.all([...tries, signIn]);
  assert.ok(order.indexOf('401') < 6, `the sign-in came after ${order.indexOf('401')} of 12 tries`);
});

test('an archive of a share counts as a file of it does: once it goes out, and in no books when it does not', async (t) => {
  const limits = { archiveConcurrency: 100, tenantArchiveConcurrency: 100 };
  const service = await ServiceFixture.open(t, { limits });
  const folder = await service.call('createFolder', { body: { name: 'Out' } });
  const share = await service.call('createShare', { body: { folderId: folder.id, maxDownloads: 3 } });
  const downloads = async (): Promise<readonly unknown[]> => {
    const { days } = await service.call('getUsage');
    const [listed] = (await service.call('listShares')).shares;
    const today = days.at(-1);
    return [listed?.downloads, today?.downloads ?? 0, today?.downloadBytes ?? 0];
  };
  assert.equal((await get(service, `${share.url}/archive`)).status, 404, 'there is nothing in it');
  assert.deepEqual(await downloads(), [0, 0, 0]);
  for (const name of ['a.txt', 'b.txt']) {
    const { id } = await service.upload(name, 'text/plain', text('12345'));
    await service.call('changeFile', { id, body: { folderId: folder.id } });
  }
  const answers = await Promise.all(Array.from({ length: 10 }, () => get(service, `${share.url}/archive`)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 3);
  assert.equal(answers.filter(({ status }) => status === 410).length, 7);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  assert.deepEqual(await downloads(), [3, 3, 30]);
});

test('one share takes half of the places of its tenant’s archives at most', async (t) => {
  const limits = { archiveConcurrency: 4, tenantArchiveConcurrency: 4, multipartThresholdBytes: 64 * mib };
  const service = await ServiceFixture.open(t, { limits });
  const { id } = await service.upload('large.txt', 'text/plain', numberedText(4 * mib));
  const urls: string[] = [];
  for (let count = 0; count < 2; count++) urls.push((await service.call('createShare', { body: { fileId: id } })).url);
  const ask = (url = ''): Promise<Response> => get(service, `${url}/archive`, json);
  const open = [await ask(urls[0]), await ask(urls[0])];
  const refused = await ask(urls[0]);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  await readProblem('too-busy', refused);
  open.push(await ask(urls[1]), await service.respond('getArchive', { query: { files: id } }));
  assert.deepEqual(
    open.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.equal((await ask(urls[1])).status, 503, 'and all of them together no more than there are');
  await Promise.all(open.map(({ body }) => body?.cancel()));
  assert.equal((await ask(urls[0])).status, 200);
});

test('who asks for headers alone is given no byte, no place and no count', async (t) => {
  const limits = { archiveConcurrency: 1, tenantArchiveConcurrency: 1 };
  const service = await ServiceFixture.open(t, { limits });
  const { id } = await service.upload('plan.txt', 'text/plain', text('12345'));
  const share = await service.call('createShare', { body: { fileId: id, maxDownloads: 1 } });
  const head = (path: string): Promise<Response> =>
    service.send(new Request(new URL(path, serviceOrigin), { method: 'HEAD', headers: { cookie: service.cookie } }));
  for (let round = 0; round < 3; round++) {
    for (const path of [`/v1/archive?files=${id}`, `${share.url}/archive`]) {
      const answer = await head(path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.get('content-type'), 'application/zip');
      assert.match(answer.headers.get('content-disposition') ?? '', /\.zip/);
      assert.equal((await answer.arrayBuffer()).byteLength, 0);
    }
    for (const path of [`/v1/files/${id}/content`, `${share.url}/files/${id}`]) {
      const answer = await head(path);
      assert.equal(answer.status, 302, path);
      const url = answer.headers.get('location') ?? '';
      const headers = await fetch(url, { method: 'HEAD' });
      assert.deepEqual([headers.status, headers.headers.get('content-length')], [200, '5']);
      assert.equal((await fetch(url)).status, 403, 'it gives no byte');
    }
  }
  assert.equal((await head(share.url)).status, 200);
  assert.equal((await head('/v1/archive?files=nothing')).status, 404);
  assert.equal((await service.call('listShares')).shares[0]?.downloads, 0);
  assert.equal((await service.call('getUsage')).days.at(-1)?.downloads ?? 0, 0);
  assert.equal((await get(service, `${share.url}/files/${id}`)).status, 302);
  assert.equal((await head(`${share.url}/files/${id}`)).status, 410, 'and where nothing is left, that is said');
});

test('a share ends with its time, and shows nothing that is not ready', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const share = await service.call('createShare', { body: { fileId: id, expiresInSeconds: 3600 } });
  await service.call('deleteFile', { id });
  for (const path of ['', `/files/${id}`, `/files/${id}/preview`, '/archive'])
    assert.equal((await get(service, share.url + path)).status, 410, path);
  await service.call('restoreFile', { id });
  assert.equal((await get(service, `${share.url}/files/${id}`)).status, 302);
  service.advance(61 * minuteMs);
  assert.equal((await get(service, share.url)).status, 410);
  const waiting = await service.announce({ sizeBytes: 5 });
  await service.refused('wrong-state', 'createShare', { body: { fileId: waiting.fileId } });
});

test('a shared folder shows what lies in it and nothing else', async (t) => {
  const service = await ServiceFixture.open(t);
  const folder = await service.call('createFolder', { body: { name: 'Out' } });
  const inside = await service.upload('in.txt', 'text/plain', text('in'));
  const outside = await service.upload('out.txt', 'text/plain', text('out'));
  await service.call('changeFile', { id: inside.id, body: { folderId: folder.id } });
  const share = await service.call('createShare', { body: { folderId: folder.id } });
  const seen = await get(service, share.url, { accept: 'application/json' });
  const { files } = (await seen.json()) as { readonly files: readonly { readonly id: string }[] };
  assert.deepEqual(
    files.map((file) => file.id),
    [inside.id],
  );
  assert.equal((await get(service, `${share.url}/files/${inside.id}`)).status, 302);
  assert.equal((await get(service, `${share.url}/files/${outside.id}`)).status, 404);
});

test('a shared folder names where below it a file lies, by path, in JSON and on the page', async (t) => {
  const service = await ServiceFixture.open(t);
  const above = await service.call('createFolder', { body: { name: 'Not told' } });
  const shared = await service.call('createFolder', { body: { name: 'Out', parentId: above.id } });
  const place = async (names: readonly string[], fileName: string): Promise<string> => {
    let parentId = shared.id;
    for (const name of names) {
      const { folders } = await service.call('listFolders', { query: { parentId } });
      const there = folders.find((folder) => folder.name === name);
      parentId = (there ?? (await service.call('createFolder', { body: { name, parentId } }))).id;
    }
    const { id } = await service.upload(fileName, 'text/plain', text(names.join()));
    await service.call('changeFile', { id, body: { folderId: parentId } });
    return id;
  };
  const deep = ['2024', 'one', 'two', 'three', `${'very '.repeat(20)}long`];
  const ids = [await place(['b'], 'plan.txt'), await place(['a \u202e<i>'], 'plan.txt'), await place([], 'Also.txt')];
  ids.push(await place(deep, 'plan.txt'));
  const share = await service.call('createShare', { body: { folderId: shared.id } });
  const seen = await get(service, share.url, json);
  const { files } = (await seen.json()) as {
    readonly files: readonly { readonly id: string; readonly folder: readonly string[] }[];
  };
  assert.deepEqual(
    files.map(({ id, folder }) => [id, folder]),
    [
      [ids[3], deep],
      [ids[1], ['a \u202e<i>']],
      [ids[2], []],
      [ids[0], ['b']],
    ],
  );
  const page = await (await get(service, share.url)).text();
  assert.match(page, /<bdi>b<\/bdi> · 1 byte</);
  assert.match(page, /<bdi>a \[U\+202E\]&lt;i&gt;<\/bdi> · /);
  assert.match(page, /aria-label="Download plan.txt from b"/);
  assert.match(
    page,
    /<bdi>2024<\/bdi> \/ <bdi>…<\/bdi> \/ <bdi>three<\/bdi> \/ <bdi>very very very…ery very long<\/bdi>/,
  );
  assert.doesNotMatch(page, /Not told/);
});

test('who is refused on the page of a share is told so by a page, and a program by a problem', async (t) => {
  const limits = { sharePasswordsPerMinute: 1, pageBurst: 12, pagesPerSecond: 1 };
  const service = await ServiceFixture.open(t, { limits });
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const open = await service.call('createShare', { body: { fileId: id } });
  const closed = await service.call('createShare', { body: { fileId: id, password: 'open sesame' } });
  const enter = (headers: Readonly<Record<string, string>>): Promise<Response> => {
    const body = new URLSearchParams({ password: 'wrong' });
    return service.send(new Request(new URL(closed.url, serviceOrigin), { method: 'POST', body, headers }));
  };
  const page = async (answer: Response, status: number, words: RegExp): Promise<void> => {
    assert.equal(answer.status, status);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(answer.headers.get('content-security-policy') ?? '', /img-src 'self' data: /);
    const shown = await answer.text();
    assert.match(shown, words);
    assert.match(shown, /<link rel="icon" href="data:image\/svg\+xml,%3Csvg/);
  };
  await page(await get(service, `${open.url}/files/gone`), 404, /not there any more.*href="\/s\/\w+[^"]*"/s);
  await readProblem('not-found', await get(service, `${open.url}/files/gone`, json));
  await page(await get(service, `${closed.url}/files/${id}`), 403, /<form method="post" action="\/s\/[^/"]+"/);
  await page(await get(service, '/s/none/at/all'), 404, /leads nowhere/);
  assert.equal((await enter(json)).status, 403);
  const refused = await enter({ accept: 'text/html' });
  assert.equal(refused.headers.get('retry-after'), '60');
  await page(refused, 429, /Too many tries.*try again in 60 seconds/s);
  await readProblem('too-many-requests', await enter(json));
  for (let rest = 0; rest < 5; rest += 1) await get(service, open.url);
  await page(await get(service, open.url), 429, /Too many tries.*try again in 1 second\./s);
  await readProblem('too-many-requests', await get(service, open.url, json));
});

test('an archive holds the files of a selection under paths that are safe to unpack', async (t) => {
  const python = await findPython();
  if (!python.found) return t.skip(python.reason);
  const service = await ServiceFixture.open(t);
  const folder = await service.call('createFolder', { body: { name: 'Über' } });
  const bytes = { 'plan.txt': 'a plan', '../../evil.txt': 'no', 'PLAN.txt': 'another' };
  for (const [name, words] of Object.entries(bytes)) {
    const { id } = await service.upload(name, 'text/plain', text(words));
    await service.call('changeFile', { id, body: { folderId: folder.id, onConflict: 'keep-both' } });
  }
  const top = await service.upload('top.txt', 'text/plain', text('top'));
  const empty = await service.upload('empty.txt', 'text/plain', text(''));
  const response = await service.respond('getArchive', {
    query: { files: `${top.id},${empty.id}`, folders: folder.id, name: 'übersicht' },
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-disposition') ?? '', /filename\*=UTF-8''%C3%BCbersicht\.zip/);
  const path = join(service.directory, 'archive.zip');
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  const script = `import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps({name: archive.read(name).decode() for name in archive.namelist()}))`;
  const { stdout } = await run(python.path, ['-c', script, path]);
  assert.deepEqual(JSON.parse(stdout), {
    'top.txt': 'top',
    'empty.txt': '',
    'Über/.._.._evil.txt': 'no',
    'Über/plan.txt': 'a plan',
    'Über/PLAN (2).txt': 'another',
  });
  await service.refused('not-found', 'getArchive', { query: { files: 'nothing' } });
  service.advance(40 * dayMs);
});

test('of a file that is in the trash, or gone for good, its link tells nothing, and its row keeps nothing of its owner’s', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('secret plan.txt', 'text/plain', text('the words of a plan'));
  await service.call('changeFile', { id, body: { tags: ['hush'], metadata: { about: 'whispers' } } });
  const share = await service.call('createShare', { body: { fileId: id } });
  const told = async (): Promise<string> => {
    const json = await get(service, share.url, { accept: 'application/json' });
    const page = await get(service, share.url, { accept: 'text/html' });
    assert.deepEqual([json.status, page.status], [410, 410]);
    return (await json.text()) + (await page.text());
  };
  await service.call('deleteFile', { id });
  assert.doesNotMatch(await told(), /secret|plan/);
  await service.call('purgeFile', { id });
  service.advance(2 * dayMs);
  await service.tick();
  assert.equal(service.row(id).state, 'purged');
  assert.doesNotMatch(await told(), /secret|plan/);
  const database = new DatabaseSync(service.databasePath, { readOnly: true });
  t.after(() => database.close());
  const kept = ['files', 'search_documents', 'idempotency_keys', 'outbox', 'shares', 'audit_entries'].map((table) =>
    JSON.stringify(database.prepare(`SELECT * FROM ${table}`).all()),
  );
  assert.doesNotMatch(kept.join('\n'), /secret|plan|hush|whispers|words of/);
  assert.equal((await service.call('listShares')).shares[0]?.target.name, '');
});
