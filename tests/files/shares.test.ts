// Shares and archives: what people without an account can read, and what they cannot.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findPython } from '../../scripts/system-programs.ts';
import { dayMs, minuteMs, ServiceFixture, serviceOrigin } from './service-fixture.ts';

const run = promisify(execFile);
const text = (words: string): Buffer => Buffer.from(words);

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

test('a share ends with its time, and shows nothing that is not ready', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('a.txt', 'text/plain', text('a'));
  const share = await service.call('createShare', { body: { fileId: id, expiresInSeconds: 3600 } });
  await service.call('deleteFile', { id });
  assert.equal((await get(service, `${share.url}/files/${id}`)).status, 404);
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
