// The bucket misbehaves: replies are lost after the deed, requests refused, errors dressed as success, uploads aborted by
// someone else. Whatever happens, the file ends where it would have ended. Design §6, invariants 5 and 6.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { errorDocument, type Fault, type FaultProxy, type SeenRequest, startFaultProxy } from './fault-proxy.ts';
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

/** The fault for the first `times` requests that match. */
function first(times: number, matches: (request: SeenRequest) => boolean, fault: Fault): FaultProxy['fault'] {
  let left = times;
  return (request) => (matches(request) && left-- > 0 ? fault : undefined);
}

const unavailable: Fault = { kind: 'answer', status: 503, body: errorDocument('ServiceUnavailable') };
const errorInside: Fault = { kind: 'answer', status: 200, body: errorDocument('InternalError') };

for (const { what, fault } of [
  { what: 'its reply is lost', fault: { kind: 'drop-reply' } as const },
  { what: 'it answers 503', fault: unavailable },
  { what: 'it answers 200 with an error inside', fault: errorInside },
  {
    what: 'it was done and answers 500',
    fault: { kind: 'answer-after', status: 500, body: errorDocument('InternalError') } as const,
  },
  {
    what: 'it was done and answers NoSuchUpload',
    fault: { kind: 'answer-after', status: 404, body: errorDocument('NoSuchUpload') } as const,
  },
]) {
  // What was done is not asked for again: there is no while of it.
  for (const times of fault.kind === 'answer-after' ? [1] : [1, 100]) {
    test(`joining the parts when ${what}, ${times === 1 ? 'once' : 'for a while'}`, async (t) => {
      const { files, proxy } = await open(t);
      const upload = await files.sendFile('parts.txt', 'text/plain', bytes);
      proxy.fault = first(times, isComplete, fault);
      const answer = await files.respond('completeUpload', { id: upload.id });
      assert.ok(proxy.faultCount > 0);
      assert.ok([200, 503].includes(answer.status), await answer.text());
      proxy.fault = () => undefined;
      assert.ok(['uploaded', 'ready'].includes((await files.call('completeUpload', { id: upload.id })).state));
      await files.tick();
      assert.equal(files.row(upload.id).state, 'ready');
      assert.ok((await files.download(upload.id)).equals(bytes));
      assert.deepEqual(files.openUploads(), []);
    });
  }
}

test('a PUT whose reply is lost was done: sending it again is refused, completing it works', async (t) => {
  const { files, proxy } = await open(t);
  const upload = await files.announce({ sizeBytes: 5 });
  proxy.fault = first(1, ({ method }) => method === 'PUT', { kind: 'drop-reply' });
  await assert.rejects(sendBytes(requestOf(upload), Buffer.from('hello')));
  assert.equal((await sendBytes(requestOf(upload), Buffer.from('hello'))).status, 412);
  assert.equal((await files.call('completeUpload', { id: upload.id })).state, 'uploaded');
  await files.tick();
  assert.equal((await files.download(upload.id)).toString(), 'hello');
});

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

test('an upload that was aborted from outside is not taken for complete', async (t) => {
  const { files } = await open(t);
  const upload = await files.sendFile('gone.txt', 'text/plain', bytes);
  const { objectKey: key, multipartUploadId: uploadId } = files.row(upload.id);
  assert.ok(uploadId);
  await files.engine.store.abortUpload({ bucket, key, uploadId });
  const problem = await files.refused('wrong-state', 'completeUpload', { id: upload.id });
  assert.match(problem.detail ?? '', /no longer holds this upload/);
  assert.equal(files.row(upload.id).state, 'aborted');
  await files.refused('wrong-state', 'getContent', { id: upload.id });
});

test('bytes that vanish from the bucket before they were checked are never called ready', async (t) => {
  const { files } = await open(t);
  const upload = await files.sendFile('gone.txt', 'text/plain', Buffer.from('gone'));
  await files.call('completeUpload', { id: upload.id });
  await files.engine.store.deleteObject({ bucket, key: files.row(upload.id).objectKey });
  await files.tick();
  assert.equal((await files.call('getFile', { id: upload.id })).state, 'rejected');
  await files.refused('wrong-state', 'getContent', { id: upload.id });
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
