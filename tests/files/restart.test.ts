// The service ends at any point and is opened again on the same database: every life goes on to where it would have gone, also
// when the job that was to do the next step is lost.

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { FileState } from '@stowage/contract';
import {
  bucket,
  dayMs,
  mib,
  minuteMs,
  numberedText,
  requestOf,
  ServiceFixture,
  sendBytes,
  smallParts,
} from './service-fixture.ts';

test('restarted after every step, a file sent by PUT lives its whole life', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id } = await files.announce({ sizeBytes: 5 });
  await files.restart();
  await sendBytes(requestOf(await files.call('getUpload', { id })), Buffer.from('bytes'));
  await files.restart();
  await files.call('completeUpload', { id });
  await files.restart();
  await files.tick();
  await files.restart();
  assert.equal((await files.download(id)).toString(), 'bytes');
  await files.call('deleteFile', { id });
  await files.restart();
  await files.call('restoreFile', { id });
  await files.restart();
  assert.equal((await files.download(id)).toString(), 'bytes');
  await files.call('deleteFile', { id });
  files.advance(31 * dayMs);
  await files.restart();
  await files.tick();
  assert.equal(files.row(id).state, 'purged');
  assert.deepEqual(files.keys(), []);
});

test('restarted between its parts, an upload goes on with what the bucket holds', async (t) => {
  const files = await ServiceFixture.open(t, { limits: smallParts });
  const bytes = numberedText(11 * mib);
  const upload = await files.announce({ sizeBytes: bytes.length });
  for (const partNumber of [3, 1, 2]) {
    await files.restart();
    await files.sendParts(upload, bytes, [partNumber]);
  }
  await files.restart();
  const { parts } = await files.call('listParts', { id: upload.id });
  assert.deepEqual(
    parts.map(({ partNumber }) => partNumber),
    [1, 2, 3],
  );
  await files.call('completeUpload', { id: upload.id });
  await files.restart();
  await files.tick();
  assert.ok((await files.download(upload.id)).equals(bytes));
});

/** Puts the database into what a process leaves that ends in the middle: that state, and no job that remembers. */
async function endInTheMiddle(files: ServiceFixture, id: string, state: FileState): Promise<void> {
  await files.service.close();
  const database = new DatabaseSync(files.databasePath);
  database
    .prepare('UPDATE files SET state = ?, shelf = ?, review_at_ms = ? WHERE id = ?')
    .run(
      state,
      state === 'completing' ? 'uploads' : state === 'purging' ? 'none' : 'files',
      files.nowMs + 10 * minuteMs,
      id,
    );
  database.exec('DELETE FROM outbox');
  database.close();
  await files.restart();
}

for (const state of ['uploaded', 'validating', 'scanning'] as const) {
  test(`left in ${state} with its job lost, a file becomes ready`, async (t) => {
    const files = await ServiceFixture.open(t);
    const { id } = await files.sendFile('left.txt', 'text/plain', Buffer.from('left'));
    await files.call('completeUpload', { id });
    await endInTheMiddle(files, id, state);
    files.advance(11 * minuteMs);
    await files.tick();
    assert.equal((await files.download(id)).toString(), 'left');
  });
}

test('left while the parts were being joined, before the bucket heard of it', async (t) => {
  const files = await ServiceFixture.open(t, { limits: smallParts });
  const bytes = numberedText(6 * mib);
  const { id } = await files.sendFile('parts.txt', 'text/plain', bytes);
  await endInTheMiddle(files, id, 'completing');
  assert.equal((await files.call('completeUpload', { id })).state, 'uploaded');
  await files.tick();
  assert.ok((await files.download(id)).equals(bytes));
});

test('left while the parts were being joined, after the bucket had done it', async (t) => {
  const files = await ServiceFixture.open(t, { limits: smallParts });
  const bytes = numberedText(6 * mib);
  const { id } = await files.sendFile('parts.txt', 'text/plain', bytes);
  const { objectKey: key, multipartUploadId: uploadId } = files.row(id);
  assert.ok(uploadId);
  await files.call('completeUpload', { id });
  assert.equal(files.engine.store.getUpload({ bucket, key, uploadId }), undefined);
  await endInTheMiddle(files, id, 'completing');
  files.advance(11 * minuteMs);
  await files.tick();
  assert.ok((await files.download(id)).equals(bytes));
});

test('left while the parts were being joined, and aborted by someone else meanwhile: never a success', async (t) => {
  const files = await ServiceFixture.open(t, { limits: smallParts });
  const { id } = await files.sendFile('parts.txt', 'text/plain', numberedText(6 * mib));
  const { objectKey: key, multipartUploadId: uploadId } = files.row(id);
  assert.ok(uploadId);
  await files.engine.store.abortUpload({ bucket, key, uploadId });
  await endInTheMiddle(files, id, 'completing');
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal(files.row(id).state, 'aborted');
  await files.refused('wrong-state', 'completeUpload', { id });
});

test('left in purging with its job lost, a file is purged: bytes first, then the row', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id } = await files.upload('old.txt', 'text/plain', Buffer.from('old'));
  await endInTheMiddle(files, id, 'purging');
  assert.equal(files.keys().length, 1);
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal(files.row(id).state, 'purged');
  assert.deepEqual(files.keys(), []);
});
