// What a browser is told about a download: its name in any script and against any trick, its type, and for how long.
// RFC 6266, RFC 8187.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, ServiceFixture } from './service-fixture.ts';

for (const { name, shown = name } of [
  { name: 'plain.txt' },
  { name: `quoted "name" and 'single'.txt` },
  { name: 'per%20cent %41.txt' },
  { name: 'semi;colon=1, comma.txt' },
  { name: 'line\r\nSet-Cookie: stolen=1.txt', shown: 'line__Set-Cookie: stolen=1.txt' },
  { name: 'bell\u0007\u001b[31m.txt', shown: 'bell__[31m.txt' },
  { name: 'invoice\u202efdp.exe', shown: 'invoicefdp.exe' },
  { name: '日本語のファイル名.txt' },
  { name: 'e\u0301tude — №5 🎹.txt' },
  { name: '../../etc/passwd', shown: '.._.._etc_passwd' },
  { name: 'C:\\temp\\file.txt', shown: 'C:_temp_file.txt' },
  { name: `${'長'.repeat(300)}.txt` },
  { name: `${'x'.repeat(300)}.txt` },
]) {
  test(`a name is saved as ${shown.slice(0, 40)}, ${shown.length} units long`, async (t) => {
    const files = await ServiceFixture.open(t);
    const { id } = await files.upload(name, 'text/plain', Buffer.from('x'));
    assert.equal((await files.call('getFile', { id })).name, name);
    const response = await fetch(await files.contentUrl(id));
    assert.equal(response.status, 200, await response.clone().text());
    const header = response.headers.get('content-disposition') ?? '';
    assert.match(header, /^attachment; [\x20-\x7e]+$/);
    assert.equal(response.headers.get('set-cookie'), null);
    assert.equal(savedAs(header), shown);
  });
}

/** The name that a browser takes from the header: `filename*` where there is one. */
function savedAs(header: string): string {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1];
  if (extended !== undefined) return decodeURIComponent(extended);
  const quoted = /filename="((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1');
  return /filename=([^;]+)/.exec(header)?.[1] ?? '';
}

for (const { name, contentType, bytes, inline } of [
  { name: 'a.txt', contentType: 'text/plain', bytes: 'text', inline: 'text/plain; charset=utf-8' },
  { name: 'a.pdf', contentType: 'application/pdf', bytes: '%PDF-1.7\n', inline: 'application/pdf' },
  { name: 'a.html', contentType: 'text/html', bytes: '<!doctype html><script>alert(1)</script>', inline: undefined },
  {
    name: 'a.svg',
    contentType: 'image/svg+xml',
    bytes: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    inline: undefined,
  },
  { name: 'a.xml', contentType: 'application/xml', bytes: '<?xml version="1.0"?><a/>', inline: undefined },
  { name: 'a.js', contentType: 'text/javascript', bytes: 'alert(1)', inline: undefined },
]) {
  test(`${contentType} asked for inline is ${inline === undefined ? 'a download of bytes all the same' : 'shown'}`, async (t) => {
    const files = await ServiceFixture.open(t);
    const { id } = await files.upload(name, contentType, Buffer.from(bytes));
    const response = await fetch(await files.contentUrl(id, { disposition: 'inline' }));
    assert.match(response.headers.get('content-disposition') ?? '', inline === undefined ? /^attachment/ : /^inline/);
    assert.equal(response.headers.get('content-type'), inline ?? 'application/octet-stream');
    assert.equal(await response.text(), bytes);
  });
}

test('a link works without signing in, for as long as was asked and no longer', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id } = await files.upload('shared.txt', 'text/plain', Buffer.from('shared'));
  for (const expiresInSeconds of [60, 3600, 604_800]) {
    const link = await files.call('createLink', { id, body: { expiresInSeconds } });
    const leftMs = Date.parse(link.expiresAt) - files.nowMs;
    assert.ok(Math.abs(leftMs - expiresInSeconds * 1000) <= 1000, `${leftMs} ms`);
    files.advance(leftMs - 1000);
    assert.equal(await (await fetch(link.url)).text(), 'shared');
    files.advance(2000);
    assert.equal((await fetch(link.url)).status, 403);
  }
  for (const expiresInSeconds of [59, 604_801, 90.5]) {
    await files.refused('invalid-request', 'createLink', { id, body: { expiresInSeconds } });
  }
  const link = await files.call('createLink', { id, body: {} });
  assert.ok(Math.abs(Date.parse(link.expiresAt) - files.nowMs - 3_600_000) <= 1000);
});

test('a download URL is changed by nobody: altered, it is refused', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id } = await files.upload('a.txt', 'text/plain', Buffer.from('mine'));
  const other = await files.upload('b.txt', 'text/plain', Buffer.from('other'));
  const url = await files.contentUrl(id);
  const altered = [
    url.replace(files.row(id).objectKey, files.row(other.id).objectKey),
    url.replace('attachment', 'inline'),
    url.replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${(7 * dayMs) / 1000}`),
  ];
  for (const attempt of altered) {
    assert.notEqual(attempt, url);
    const response = await fetch(attempt);
    assert.equal(response.status, 403, attempt);
    await response.body?.cancel();
  }
});
