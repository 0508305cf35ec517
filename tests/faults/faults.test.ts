// The bucket misbehaves in every way at every operation it can befall: the file ends where it ends without. Design §6, invariants
// 5 and 6.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { errorDocument, type Fault, type SeenRequest } from '../files/fault-proxy.ts';
import { bucket, hourMs, minuteMs, requestOf, sendBytes } from '../files/service-fixture.ts';
import { isBucket, live, type Outcome, openFaultyWorld, type Way } from './life-under-fault.ts';

/** What the service and its clients ask of S3, with a way of sending in whose life it is asked. */
const operations = {
  'begin the parts': { way: 'multipart', matches: ({ method, query }) => method === 'POST' && query.has('uploads') },
  'send a part': { way: 'multipart', matches: ({ method, query }) => method === 'PUT' && query.has('partNumber') },
  'list the parts': { way: 'multipart', matches: ({ method, query }) => method === 'GET' && query.has('uploadId') },
  'join the parts': { way: 'multipart', matches: ({ method, query }) => method === 'POST' && query.has('uploadId') },
  'list the uploads': { way: 'multipart', matches: ({ method, query }) => method === 'GET' && query.has('uploads') },
  'abort the parts': { way: 'multipart', matches: ({ method, query }) => method === 'DELETE' && query.has('uploadId') },
  'send the file': { way: 'put', matches: (seen) => isObject(seen, 'PUT') && !seen.path.includes('/previews/') },
  'send a form': { way: 'form', matches: (seen) => seen.method === 'POST' && isBucket(seen) },
  'read the head': { way: 'put', matches: (seen) => isObject(seen, 'HEAD') },
  'read the head of parts': { way: 'multipart', matches: (seen) => isObject(seen, 'HEAD') },
  'read the head of what is promoted': { way: 'form', matches: (seen) => isObject(seen, 'HEAD') },
  'read the bytes': { way: 'put', matches: (seen) => isObject(seen, 'GET') },
  'write the preview': { way: 'put', matches: (seen) => isObject(seen, 'PUT') && seen.path.includes('/previews/') },
  'copy the file': { way: 'form', matches: ({ headers }) => 'x-amz-copy-source' in headers },
  'list the keys': { way: 'form', matches: (seen) => isBucket(seen) && seen.query.has('list-type') },
  'remove an object': { way: 'put', matches: (seen) => isObject(seen, 'DELETE') && !seen.query.has('uploadId') },
} as const satisfies Readonly<
  Record<string, { readonly way: Way; readonly matches: (request: SeenRequest) => boolean }>
>;
type Operation = keyof typeof operations;

const anywhere = Object.keys(operations) as Operation[]; // of a closed table
const ofUploads = ['list the parts', 'join the parts', 'abort the parts'] as const;
const withEtag = ['read the head', 'read the head of parts', 'read the bytes'] as const;

/** What can go wrong, and where. */
const faults: Readonly<Record<string, { readonly fault: Fault; readonly at: readonly Operation[] }>> = {
  'the request is lost': { fault: { kind: 'lose-request' }, at: anywhere },
  'the reply is lost after the deed': { fault: { kind: 'lose-reply' }, at: anywhere },
  'the reply breaks off': { fault: { kind: 'break-reply' }, at: anywhere },
  'it answers 503': { fault: answer(503, 'ServiceUnavailable'), at: anywhere },
  'it answers 500 after the deed': { fault: answer(500, 'InternalError', 'answer-after'), at: anywhere },
  'it answers 200 with an error inside': {
    fault: answer(200, 'InternalError'),
    at: ['join the parts', 'copy the file', 'begin the parts', 'list the parts', 'list the uploads', 'list the keys'],
  },
  'it answers 200 with an error inside after the deed': {
    fault: answer(200, 'InternalError', 'answer-after'),
    at: ['join the parts', 'copy the file'],
  },
  'it answers NoSuchUpload after the deed': { fault: answer(404, 'NoSuchUpload', 'answer-after'), at: ofUploads },
  'it answers with a stale ETag': { fault: { kind: 'alter', headers: { etag: '"stale"' } }, at: withEtag },
};

/** By these the bucket says what is not so. One that insists is believed: there is no other to ask. */
const lies: ReadonlySet<string> = new Set(['it answers NoSuchUpload after the deed', 'it answers with a stale ETag']);
/** How often in a row each goes wrong: once more than a first try. */
const times = 2;

test('whatever goes wrong between service and bucket, the file ends where it ends without', async (t) => {
  const world = await openFaultyWorld(t);
  const good = new Map<Way, Outcome>();
  for (const way of ['put', 'form', 'multipart'] as const) {
    const outcome = await live(world, way);
    assert.deepEqual(outcome.states, ['ready', 'purged']);
    assert.deepEqual(outcome.left, []);
    good.set(way, outcome);
  }
  for (const [what, { fault, at }] of Object.entries(faults)) {
    for (const operation of at) {
      const { way, matches } = operations[operation];
      await t.test(`${operation}: ${what}`, async () => {
        const before = world.proxy.faultCount;
        const outcome = await live(world, way, { matches, fault, times: lies.has(what) ? 1 : times });
        assert.ok(world.proxy.faultCount > before, 'The fault befell nothing.');
        // A bucket that lies about its bytes may cost the file; what it may not is have others served.
        if (lies.has(what) && outcome.states[0] === 'rejected') return;
        assert.deepEqual(outcome, good.get(way));
      });
    }
  }
});

test('bytes that are so slow that their URL ends are sent again by a new one', async (t) => {
  const { files, proxy } = await openFaultyWorld(t);
  const upload = await files.announce({ sizeBytes: 4 });
  const held = Promise.withResolvers<void>();
  proxy.fault = (seen) => (isObject(seen, 'PUT') ? { kind: 'hold', until: held.promise } : undefined);
  const slow = sendBytes(requestOf(upload), Buffer.from('slow'));
  files.advance(16 * minuteMs);
  held.resolve();
  assert.equal((await slow).status, 403);
  proxy.fault = () => undefined;
  await files.refused('parts-missing', 'completeUpload', { id: upload.id });
  const again = await files.call('getUpload', { id: upload.id });
  assert.equal((await sendBytes(requestOf(again), Buffer.from('slow'))).status, 200);
  await files.call('completeUpload', { id: upload.id });
  await files.tick();
  assert.equal((await files.download(upload.id)).toString(), 'slow');
});

test('bytes that come after their upload was given up are removed again', async (t) => {
  const { files, proxy } = await openFaultyWorld(t);
  const upload = await files.announce({ sizeBytes: 4 });
  const held = Promise.withResolvers<void>();
  proxy.fault = (seen) => (isObject(seen, 'PUT') ? { kind: 'hold', until: held.promise } : undefined);
  const late = sendBytes(requestOf(upload), Buffer.from('late'));
  await files.call('abortUpload', { id: upload.id });
  await files.tick();
  held.resolve();
  assert.equal((await late).status, 200);
  assert.equal(files.keys().length, 1);
  files.advance(2 * hourMs);
  await files.tick();
  assert.deepEqual(files.keys(), []);
  assert.equal(files.row(upload.id).state, 'purged');
});

test('a part of another size is not joined, however it came there', async (t) => {
  const { files } = await openFaultyWorld(t);
  const upload = await files.sendFile('cut.txt', 'text/plain', Buffer.alloc(3000, 'parts '));
  const { objectKey: Key, multipartUploadId } = files.row(upload.id);
  assert.ok(multipartUploadId !== null);
  const { endpoint, region, credentials } = files.engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const part = { Bucket: bucket, Key, UploadId: multipartUploadId, PartNumber: 1, Body: 'half' };
  await client.send(new UploadPartCommand(part));
  client.destroy();
  await files.refused('parts-missing', 'completeUpload', { id: upload.id });
  await files.sendParts(upload, Buffer.alloc(3000, 'parts '));
  await files.call('completeUpload', { id: upload.id });
});

test('an upload that the bucket’s lifecycle aborted is no success, whatever is asked', async (t) => {
  const { files } = await openFaultyWorld(t);
  for (const asks of ['completeUpload', 'listParts', 'review'] as const) {
    const upload = await files.sendFile('gone.txt', 'text/plain', Buffer.alloc(3000));
    const { objectKey: key, multipartUploadId: uploadId } = files.row(upload.id);
    assert.ok(uploadId);
    await files.engine.store.abortUpload({ bucket, key, uploadId });
    files.advance(11 * minuteMs);
    if (asks === 'review') await files.tick();
    else assert.match((await files.refused('wrong-state', asks, { id: upload.id })).detail ?? '', /no longer holds/);
    assert.equal(files.row(upload.id).state, 'aborted');
    await files.refused('wrong-state', 'getContent', { id: upload.id });
  }
});

function isObject(seen: SeenRequest, method: string): boolean {
  return seen.method === method && !isBucket(seen) && !seen.query.has('uploadId') && !seen.query.has('partNumber');
}

function answer(status: number, code: string, kind: 'answer' | 'answer-after' = 'answer'): Fault {
  return { kind, status, body: errorDocument(code) };
}
