// What is cut off, given up, refused or left alone comes to where the bucket is: outages, uploads that nobody finishes, bytes that go
// away. What single faults do at each operation: tests/faults. Design §6, invariants 5, 6 and 8.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { errorDocument, type Fault, type FaultProxy, type SeenRequest, startFaultProxy } from './fault-proxy.ts';
import { bucket, dayMs, hourMs, mib, minuteMs, numberedText, ServiceFixture, smallParts } from './service-fixture.ts';

const bytes = numberedText(6 * mib);

async function open(t: TestContext): Promise<{ readonly files: ServiceFixture; readonly proxy: FaultProxy }> {
  let proxy: FaultProxy | undefined;
  const files = await ServiceFixture.open(t, {
    limits: smallParts,
    through: async (engine) => {
      proxy = await startFaultProxy(t, engine.endpoint);
      return proxy.endpoint;
    },
  });
  assert.ok(proxy);
  return { files, proxy };
}

function isComplete({ method, query }: SeenRequest): boolean {
  return method === 'POST' && query.has('uploadId');
}

const unavailable: Fault = { kind: 'answer', status: 503, body: errorDocument('ServiceUnavailable') };

test('an outage while the bytes are checked only delays the file', async (t) => {
  const { files, proxy } = await open(t);
  const upload = await files.sendFile('late.txt', 'text/plain', Buffer.from('late'));
  await files.call('completeUpload', { id: upload.id });
  proxy.fault = () => unavailable;
  await files.tick();
  assert.ok(['uploaded', 'validating'].includes(files.row(upload.id).state));
  proxy.fault = () => undefined;
  files.advance(minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'ready');
});

test('an outage while a sweep runs expires nothing whose bytes may be there', async (t) => {
  const { files, proxy } = await open(t);
  const upload = await files.sendFile('there.txt', 'text/plain', Buffer.from('there'));
  proxy.fault = () => unavailable;
  files.advance(2 * dayMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'pending');
  proxy.fault = () => undefined;
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'ready');
});

test('a bucket that refuses to join for good holds the file for a while, and then no longer', async (t) => {
  const { files, proxy } = await open(t);
  const upload = await files.sendFile('stuck.txt', 'text/plain', bytes);
  proxy.fault = (request) => (isComplete(request) ? unavailable : undefined);
  files.advance(dayMs + minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'uploading');
  files.advance(dayMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'expired');
  assert.deepEqual(files.openUploads(), []);
});

test('bytes that vanish from the bucket before they were checked are never called ready', async (t) => {
  const { files } = await open(t);
  const upload = await files.sendFile('gone.txt', 'text/plain', Buffer.from('gone'));
  await files.call('completeUpload', { id: upload.id });
  await files.engine.store.deleteObject({ bucket, key: files.row(upload.id).objectKey });
  await files.tick();
  const { state, missingSince } = await files.call('getFile', { id: upload.id });
  assert.equal(state, 'validating', 'they were acknowledged, and may come back');
  assert.ok(missingSince);
  await files.refused('bytes-missing', 'getContent', { id: upload.id });
});

test('a purge that the bucket refuses is not called done', async (t) => {
  const { files, proxy } = await open(t);
  const upload = await files.upload('kept.txt', 'text/plain', Buffer.from('kept'));
  await files.call('deleteFile', { id: upload.id });
  proxy.fault = ({ method }) => (method === 'DELETE' ? unavailable : undefined);
  files.advance(31 * dayMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'purging');
  assert.equal(files.keys().length, 1);
  proxy.fault = () => undefined;
  files.advance(minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'purged');
  assert.deepEqual(files.keys(), []);
});

test('bytes of which nobody said that they were sent are found, once their time has come', async (t) => {
  const { files } = await open(t);
  const small = await files.sendFile('found.txt', 'text/plain', Buffer.from('found'));
  const parts = await files.sendFile('found.bin', 'text/plain', bytes);
  await files.restart();
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal(files.row(small.id).state, 'ready');
  assert.equal(files.row(parts.id).state, 'uploading', 'the client may still be at it');
  files.advance(dayMs);
  await files.tick();
  assert.equal(files.row(parts.id).state, 'ready');
});

test('uploads that are never finished expire, and what they left is swept', async (t) => {
  const { files } = await open(t);
  const parts = await files.announce({ sizeBytes: 11 * mib });
  await files.sendParts(parts, numberedText(11 * mib), [1]);
  const put = await files.announce({ sizeBytes: 10 });
  files.advance(25 * hourMs);
  await files.tick();
  for (const { id } of [parts, put]) {
    const { state, reason } = await files.call('getUpload', { id });
    assert.equal(state, 'expired');
    assert.match(reason ?? '', /in time/);
  }
  assert.deepEqual([files.keys(), files.openUploads()], [[], []]);
  files.advance(hourMs);
  await files.tick();
  assert.equal(files.row(put.id).state, 'purged');
});

test('bytes that were refused are kept for a while and then removed', async (t) => {
  const { files } = await open(t);
  const program = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(57)]);
  const { id } = await files.upload('notes.txt', 'text/plain', program);
  assert.equal(files.row(id).state, 'rejected');
  assert.equal(files.keys().length, 1);
  files.advance(8 * dayMs);
  await files.tick();
  assert.deepEqual([files.row(id).state, files.keys()], ['purged', []]);
});
