// The life of a file that is sent in parts: signed just in time, resumed by ListParts, joined once whoever asks and how often,
// and nothing left in the bucket of what was given up. Design §6, invariants 5 and 6.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { dayMs, mib, minuteMs, numberedText, ServiceFixture, sendBytes, smallParts } from './service-fixture.ts';

const bytes = numberedText(12 * mib);

async function open(t: TestContext): Promise<ServiceFixture> {
  return ServiceFixture.open(t, { limits: smallParts });
}

test('a file of three parts goes from announcement to download', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ name: 'long.txt', sizeBytes: bytes.length });
  assert.equal(upload.strategy, 'multipart');
  assert.equal(upload.partCount, 3);
  assert.equal(upload.partSizeBytes, 5 * mib);
  assert.equal(upload.request, undefined);

  await files.sendParts(upload, bytes, [2]);
  const { parts } = await files.call('listParts', { id: upload.id });
  assert.deepEqual(
    parts.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]),
    [[2, 5 * mib]],
  );
  assert.equal((await files.call('getUpload', { id: upload.id })).state, 'uploading');
  await files.sendParts(upload, bytes, [3, 1]);

  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'uploaded');
  await files.tick();
  assert.equal((await files.call('getFile', { id: upload.id })).state, 'ready');
  assert.ok((await files.download(upload.id)).equals(bytes));
  assert.deepEqual(files.openUploads(), []);
  assert.deepEqual(files.complaints, []);
});

test('complete before all parts came names the missing ones, and works once they are there', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: bytes.length });
  await files.sendParts(upload, bytes, [1, 3]);
  const problem = await files.refused('parts-missing', 'completeUpload', { id: upload.id });
  assert.match(problem.detail ?? '', /1 of 3 parts .*: 2\./);
  await files.sendParts(upload, bytes, [2]);
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'uploaded');
});

test('complete may be repeated and may race itself', async (t) => {
  const files = await open(t);
  const upload = await files.sendFile('raced.txt', 'text/plain', bytes);
  const raced = await Promise.all([1, 2, 3, 4].map(() => files.call('completeUpload', { id: upload.id })));
  assert.deepEqual(new Set(raced.map(({ state }) => state)), new Set(['uploaded']));
  await files.tick();
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'ready');
  assert.ok((await files.download(upload.id)).equals(bytes));
  assert.equal(files.keys('files/').length, 1);
  assert.deepEqual(files.openUploads(), []);
});

test('a part of another size than signed is refused by the bucket itself', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: bytes.length });
  const { parts } = await files.call('signParts', { id: upload.id, body: { partNumbers: [3] } });
  assert.ok(parts[0]);
  assert.equal((await sendBytes(parts[0], bytes.subarray(0, 3 * mib))).status, 403);
  assert.deepEqual((await files.call('listParts', { id: upload.id })).parts, []);
});

test('parts beyond the plan are not signed', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: bytes.length });
  await files.refused('invalid-request', 'signParts', { id: upload.id, body: { partNumbers: [1, 4] } });
  const put = await files.announce({ sizeBytes: 10 });
  await files.refused('wrong-state', 'signParts', { id: put.id, body: { partNumbers: [1] } });
});

test('part URLs that expired during a long pause are signed anew', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: bytes.length });
  const { parts: old } = await files.call('signParts', { id: upload.id, body: { partNumbers: [1] } });
  await files.sendParts(upload, bytes, [2]);
  files.advance(20 * 60 * minuteMs);
  assert.ok(old[0]);
  assert.equal((await sendBytes(old[0], bytes.subarray(0, 5 * mib))).status, 403);
  await files.sendParts(upload, bytes, [1, 3]);
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'uploaded');
});

test('a client that vanishes after its last part is not needed: the deadline joins them', async (t) => {
  const files = await open(t);
  const upload = await files.sendFile('left.txt', 'text/plain', bytes);
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'uploading');
  files.advance(dayMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'ready');
  await files.signIn();
  assert.ok((await files.download(upload.id)).equals(bytes));
});

test('an upload that never ends expires and leaves no parts in the bucket', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: bytes.length });
  await files.sendParts(upload, bytes, [1]);
  assert.equal(files.openUploads().length, 1);
  files.advance(dayMs + minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'expired');
  assert.deepEqual(files.openUploads(), []);
  assert.deepEqual(files.keys(), []);
});

test('abort frees the parts, also when it races complete', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: bytes.length });
  await files.sendParts(upload, bytes, [1]);
  await files.call('abortUpload', { id: upload.id });
  await files.tick();
  assert.deepEqual(files.openUploads(), []);
  await files.refused('wrong-state', 'signParts', { id: upload.id, body: { partNumbers: [2] } });

  const raced = await files.sendFile('raced.txt', 'text/plain', bytes);
  await Promise.all([
    files.respond('completeUpload', { id: raced.id }),
    files.respond('abortUpload', { id: raced.id }),
  ]);
  await files.tick();
  files.advance(dayMs);
  await files.tick();
  const { state, objectKey } = files.row(raced.id);
  assert.ok(['ready', 'aborted', 'purging', 'purged'].includes(state), state);
  assert.equal(files.keys().includes(objectKey), state === 'ready');
  assert.deepEqual(files.openUploads(), []);
});

test('the same announcement twice at once begins one upload in the bucket', async (t) => {
  const files = await open(t);
  const headers = { 'idempotency-key': 'once' };
  const body = { name: 'a.txt', sizeBytes: bytes.length };
  const twins = await Promise.all([1, 2, 3].map(() => files.call('createUpload', { body, headers })));
  assert.equal(new Set(twins.map(({ id }) => id)).size, 1);
  assert.equal(files.openUploads().length, 1);
  const [upload] = twins;
  assert.ok(upload);
  await files.sendParts(upload, bytes);
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'uploaded');
});
