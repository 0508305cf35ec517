// What is not ready is given to nobody: in every state but `ready`, every route that takes an id is asked, and none may answer
// with a way to the bytes. Design §6, invariant 2.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileState, routeNames, routes } from '@stowage/contract';
import {
  dayMs,
  mib,
  minuteMs,
  numberedText,
  requestOf,
  ServiceFixture,
  sendBytes,
  smallParts,
} from './service-fixture.ts';

/** Enough of a Windows program to be told by. */
const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(510)]);

/** Routes that only look, and the one that makes a URL. */
const askingRoutes = routeNames.filter((name) => routes[name].method === 'GET' || name === 'createLink');

async function assertNoWayToBytes(files: ServiceFixture, id: string, state: FileState): Promise<void> {
  assert.equal(files.row(id).state, state);
  for (const name of askingRoutes) {
    const response =
      name === 'createLink' ? await files.respond(name, { id, body: {} }) : await files.respond(name, { id });
    assert.equal(response.headers.get('location'), null, `${name} of a file that is ${state}`);
    const text = await response.text();
    if (!text.includes('X-Amz-Signature')) continue;
    // The one URL there may be is the one that sends the bytes.
    assert.equal(name, 'getUpload', text);
    assert.equal(state, 'pending');
    const { url } = requestOf(JSON.parse(text));
    assert.equal((await fetch(url)).status, 403, 'the URL of a PUT does not GET');
  }
  const listed = (await files.call('listFiles')).files.find((file) => file.id === id);
  assert.deepEqual(listed?.previews ?? [], []);
}

test('an upload on its way, given up or too late', async (t) => {
  const files = await ServiceFixture.open(t, { limits: smallParts });
  const { id } = await files.announce({ sizeBytes: 5 });
  await assertNoWayToBytes(files, id, 'pending');

  const bytes = numberedText(6 * mib);
  const parts = await files.announce({ sizeBytes: bytes.length });
  await files.sendParts(parts, bytes, [1]);
  await files.call('listParts', { id: parts.id });
  await assertNoWayToBytes(files, parts.id, 'uploading');

  await files.call('abortUpload', { id: parts.id });
  await assertNoWayToBytes(files, parts.id, 'aborted');
  files.advance(dayMs);
  await files.tick();
  await assertNoWayToBytes(files, id, 'expired');
});

test('a file that arrived and was not looked at yet', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id } = await files.sendFile('new.txt', 'text/plain', Buffer.from('new'));
  await files.call('completeUpload', { id });
  await assertNoWayToBytes(files, id, 'uploaded');
});

for (const { name, contentType } of [
  { name: 'photo.png', contentType: 'image/png' },
  { name: 'letter.pdf', contentType: 'application/pdf' },
  { name: 'notes.txt', contentType: 'text/plain' },
]) {
  test(`a program that calls itself ${name} (${contentType}), from its rejection to its removal`, async (t) => {
    const files = await ServiceFixture.open(t);
    const upload = await files.upload(name, contentType, program);
    assert.equal(upload.state, 'rejected');
    assert.match(upload.reason ?? '', /program/);
    await assertNoWayToBytes(files, upload.id, 'rejected');
    await files.refused('wrong-state', 'restoreFile', { id: upload.id });

    files.advance(8 * dayMs);
    await files.tick();
    await assertNoWayToBytes(files, upload.id, 'purged');
    assert.deepEqual(files.keys(), []);
  });
}

test('a refused file that is deleted at once: its URL cannot put other bytes in its place', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.announce({ name: 'photo.png', contentType: 'image/png', sizeBytes: program.length });
  // A URL signed late counts, not the one of the announcement.
  files.advance(40 * minuteMs);
  const request = requestOf(await files.call('getUpload', { id: upload.id }));
  await sendBytes(request, program);
  await files.call('completeUpload', { id: upload.id });
  await files.tick();
  await files.call('deleteFile', { id: upload.id });
  await files.tick();
  await assertNoWayToBytes(files, upload.id, 'purging');
  files.advance(Date.parse(request.expiresAt) - files.nowMs - 1000);
  await files.tick();
  assert.equal((await sendBytes(request, program)).status, 412);
  files.advance(dayMs);
  await files.tick();
  assert.equal((await sendBytes(request, program)).status, 403);
  assert.equal(files.row(upload.id).state, 'purged');
  assert.deepEqual(files.keys(), []);
});

test('a file in the trash, and after it', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.upload('old.txt', 'text/plain', Buffer.from('old'));
  await files.call('deleteFile', { id: upload.id });
  await assertNoWayToBytes(files, upload.id, 'trashed');
  await files.call('restoreFile', { id: upload.id });
  assert.equal((await files.download(upload.id)).toString(), 'old');
  await files.call('deleteFile', { id: upload.id });
  files.advance(31 * dayMs);
  await files.tick();
  await files.signIn();
  await assertNoWayToBytes(files, upload.id, 'purged');
});
