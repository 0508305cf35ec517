// The life of a file that is sent by one PUT, from its announcement to its bytes coming back, and each way in which the client
// can go wrong or away. Design §6, invariants 1, 3, 5.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dayMs,
  hourMs,
  minuteMs,
  numberedText,
  requestOf,
  ServiceFixture,
  s3Code,
  sendBytes,
} from './service-fixture.ts';

test('a file goes from announcement to download, state by state', async (t) => {
  const files = await ServiceFixture.open(t);
  const bytes = numberedText(3000);
  const upload = await files.announce({ name: 'Überblick.txt', sizeBytes: bytes.length, folder: ['a', 'b'] });
  assert.equal(upload.state, 'pending');
  assert.equal(upload.strategy, 'put');
  assert.deepEqual(upload.folder, ['a', 'b']);
  await files.refused('wrong-state', 'getContent', { id: upload.id });

  assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
  const completed = await files.call('completeUpload', { id: upload.id });
  assert.equal(completed.state, 'uploaded');
  assert.equal(completed.request, undefined);
  await files.refused('wrong-state', 'getContent', { id: upload.id });

  await files.tick();
  const entry = await files.call('getFile', { id: upload.id });
  assert.equal(entry.state, 'ready');
  assert.equal(entry.name, 'Überblick.txt');
  assert.equal(entry.sizeBytes, bytes.length);
  assert.equal(entry.contentType, 'text/plain');
  assert.deepEqual(await files.download(upload.id), bytes);
  const { files: listed } = await files.call('listFiles');
  assert.deepEqual(
    listed.map(({ id }) => id),
    [upload.id],
  );
  assert.deepEqual((await files.call('listUploads')).uploads, []);
  assert.deepEqual(files.complaints, []);
});

test('the URL writes once: used again it is refused and what is served stays', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  const request = requestOf(upload);
  assert.equal((await sendBytes(request, Buffer.from('first'))).status, 200);
  await files.call('completeUpload', { id: upload.id });
  const early = await sendBytes(request, Buffer.from('other'));
  assert.equal(early.status, 412);
  assert.equal(await s3Code(early), 'PreconditionFailed');
  await files.tick();
  assert.equal((await sendBytes(request, Buffer.from('other'))).status, 412);
  assert.equal((await files.download(upload.id)).toString(), 'first');
});

test('without its If-None-Match header the signed URL is refused', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  const { url, headers } = requestOf(upload);
  const { 'if-none-match': _seal, ...unsealed } = headers;
  const refused = await fetch(url, { method: 'PUT', headers: unsealed, body: 'first' });
  assert.equal(refused.status, 403);
  assert.deepEqual(files.keys(), []);
});

for (const { what, bytes, contentType } of [
  { what: 'more bytes', bytes: 'abcdef', contentType: 'text/plain' },
  { what: 'fewer bytes', bytes: 'abcd', contentType: 'text/plain' },
  { what: 'another type', bytes: 'abcde', contentType: 'text/html' },
]) {
  test(`a PUT of ${what} than announced is refused by the bucket itself`, async (t) => {
    const files = await ServiceFixture.open(t);
    const upload = await files.announce({ sizeBytes: 5 });
    const { url, headers } = requestOf(upload);
    const refused = await fetch(url, {
      method: 'PUT',
      headers: { ...headers, 'content-type': contentType },
      body: bytes,
    });
    assert.equal(refused.status, 403);
    assert.equal(await s3Code(refused), 'SignatureDoesNotMatch');
    assert.deepEqual(files.keys(), []);
    await files.refused('parts-missing', 'completeUpload', { id: upload.id });
  });
}

test('an empty file is a file', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.upload('nothing.txt', 'text/plain', new Uint8Array());
  assert.equal(upload.state, 'ready');
  assert.equal((await files.download(upload.id)).length, 0);
});

test('complete may be repeated, also at the same time, and before the bytes came', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 4 });
  const missing = await files.refused('parts-missing', 'completeUpload', { id: upload.id });
  assert.match(missing.detail ?? '', /does not hold the bytes/);
  await sendBytes(requestOf(upload), Buffer.from('four'));
  const both = await Promise.all([1, 2, 3].map(() => files.call('completeUpload', { id: upload.id })));
  assert.deepEqual(
    both.map(({ state }) => state),
    ['uploaded', 'uploaded', 'uploaded'],
  );
  await files.tick();
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'ready');
});

test('a client that vanishes after its PUT is not needed: the sweep finds the bytes', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.sendFile('left.txt', 'text/plain', Buffer.from('left behind'));
  await files.tick();
  assert.equal(files.row(upload.id).state, 'pending');
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal((await files.call('getFile', { id: upload.id })).state, 'ready');
  assert.equal((await files.download(upload.id)).toString(), 'left behind');
});

test('an upload that never comes expires at its deadline, not before, and stays so', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  const leftMs = Date.parse(upload.expiresAt) - files.nowMs;
  files.advance(leftMs - minuteMs);
  await files.tick();
  assert.equal((await files.call('getUpload', { id: upload.id })).state, 'pending');
  files.advance(2 * minuteMs);
  await files.tick();
  const expired = await files.call('getUpload', { id: upload.id });
  assert.equal(expired.state, 'expired');
  assert.equal(expired.request, undefined);
  await files.refused('wrong-state', 'completeUpload', { id: upload.id });
  assert.deepEqual((await files.call('listUploads')).uploads, []);
});

test('no URL outlives the upload it is for', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  files.advance(Date.parse(upload.expiresAt) - files.nowMs - 5 * minuteMs);
  const late = await files.call('getUpload', { id: upload.id });
  assert.ok(requestOf(late).expiresAt <= upload.expiresAt);
});

test('a URL that has expired is refused; reading the upload again gives a fresh one', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  files.advance(hourMs);
  assert.equal((await sendBytes(requestOf(upload), Buffer.from('hello'))).status, 403);
  const fresh = await files.call('getUpload', { id: upload.id });
  assert.equal((await sendBytes(requestOf(fresh), Buffer.from('hello'))).status, 200);
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'uploaded');
});

test('an upload that was given up leaves nothing, even when its URL is used afterwards', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  await files.call('abortUpload', { id: upload.id });
  await files.call('abortUpload', { id: upload.id });
  await files.refused('wrong-state', 'completeUpload', { id: upload.id });
  assert.equal((await sendBytes(requestOf(upload), Buffer.from('hello'))).status, 200);
  files.advance(dayMs);
  await files.tick();
  files.advance(dayMs);
  await files.tick();
  assert.deepEqual(files.keys(), []);
  assert.equal(files.row(upload.id).state, 'purged');
});

test('a file that has arrived cannot be given up as an upload', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.upload('kept.txt', 'text/plain', Buffer.from('kept'));
  await files.refused('wrong-state', 'abortUpload', { id: upload.id });
  assert.equal((await files.download(upload.id)).toString(), 'kept');
});

test('an Idempotency-Key makes a repeated announcement one upload, and another one a conflict', async (t) => {
  const files = await ServiceFixture.open(t);
  const headers = { 'idempotency-key': 'once' };
  const body = { name: 'a.txt', sizeBytes: 3 };
  const [first, second] = await Promise.all([
    files.call('createUpload', { body, headers }),
    files.call('createUpload', { body, headers }),
  ]);
  assert.equal(first.id, second.id);
  await sendBytes(requestOf(second), Buffer.from('abc'));
  await files.call('completeUpload', { id: first.id });
  assert.equal((await files.call('createUpload', { body, headers })).state, 'uploaded');
  await files.refused('idempotency-conflict', 'createUpload', { body: { ...body, sizeBytes: 4 }, headers });
  assert.notEqual((await files.call('createUpload', { body })).id, first.id);
  files.advance(2 * dayMs);
  await files.signIn();
  assert.notEqual((await files.call('createUpload', { body, headers })).id, first.id);
});

test('a repeated announcement is answered as the first was, whatever became of what that one found', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id: fileId } = await files.upload('plan.txt', 'text/plain', Buffer.from('one'));
  const inFolder = { name: 'a.txt', sizeBytes: 1, folder: ['Holiday'] };
  const asVersion = { name: 'b.txt', sizeBytes: 1, versionOf: fileId };
  const announced = async (): Promise<readonly (string | undefined)[]> => {
    const one = await files.call('createUpload', { body: inFolder, headers: { 'idempotency-key': 'one' } });
    const two = await files.call('createUpload', { body: asVersion, headers: { 'idempotency-key': 'two' } });
    const uploads = [inFolder, asVersion].map((body) => ({ ...body, name: 'c.txt' }));
    const { results } = await files.call('createUploads', { body: { uploads }, headers: { 'idempotency-key': 'all' } });
    return [one.id, two.id, ...results.map((result) => ('upload' in result ? result.upload?.id : undefined))];
  };
  const first = await announced();
  assert.equal(new Set(first).size, 4);
  const { folders } = await files.call('listFolders');
  for (const { id } of folders) await files.call('changeFolder', { id, body: { name: 'Summer' } });
  await files.call('deleteFile', { id: fileId });
  assert.deepEqual(await announced(), first);
  assert.deepEqual(
    (await files.call('listFolders')).folders.map(({ name }) => name),
    ['Summer'],
  );
});

test('a file beyond the limit is refused before anything is signed', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { maxFileSizeBytes: 1000 } });
  await files.refused('file-too-large', 'createUpload', { body: { name: 'big', sizeBytes: 1001 } });
  assert.equal((await files.announce({ sizeBytes: 1000 })).state, 'pending');
});
