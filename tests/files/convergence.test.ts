// Whatever is lost, repeated or cut off: the row comes to where the bucket is. Requests and replies are lost on the wire, the
// service is closed in the middle and opened again on the same database, deadlines pass.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import type { UploadList } from '@stowage/contract';
import { bucketHolds, type Fixture, openFixture } from './api-fixture.ts';
import { type LossyProxy, startLossyProxy } from './lossy-proxy.ts';

const mib = 1024 * 1024;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
let fixture: Fixture;
let proxy: LossyProxy;

before(async () => {
  const target = { endpoint: '' };
  proxy = await startLossyProxy(target);
  fixture = await openFixture({
    serviceEndpoint: (endpoint) => {
      target.endpoint = endpoint;
      return proxy.endpoint;
    },
  });
});
afterEach(() => {
  proxy.fate = () => 'pass';
});
after(async () => {
  await fixture.close();
  await proxy.close();
});

const isComplete = (method: string, url: string): boolean => method === 'POST' && /uploadId=/.test(url);
const isCreate = (method: string, url: string): boolean => method === 'POST' && /[?&]uploads/.test(url);

async function holds(id: string): Promise<{ objects: number; uploads: number }> {
  const { objects, uploads } = await bucketHolds(fixture.engine);
  const ours = (keys: readonly string[]): number => keys.filter((key) => key.includes(id)).length;
  return { objects: ours(objects), uploads: ours(uploads) };
}

test('the reply of the completion is lost: the object itself is believed', async () => {
  const { api } = fixture;
  const bytes = randomBytes(6 * mib);
  const upload = await api.create('lost-reply.bin', bytes);
  await api.send(upload, bytes);
  proxy.fate = (method, url) => (isComplete(method, url) ? 'lose-reply' : 'pass');
  assert.equal((await api.complete(upload.id)).state, 'uploaded');
  assert.equal((await api.complete(upload.id)).state, 'uploaded');
});

test('the completion never arrives: an error, the parts are kept, and another try succeeds', async () => {
  const { api } = fixture;
  const bytes = randomBytes(6 * mib);
  const upload = await api.create('lost-request.bin', bytes);
  await api.send(upload, bytes);
  proxy.fate = (method, url) => (isComplete(method, url) ? 'lose-request' : 'pass');
  await api.refused('storage-unavailable', 'POST', `/v1/uploads/${upload.id}/complete`);
  assert.equal((await api.upload(upload.id)).state, 'uploading');
  proxy.fate = () => 'pass';
  assert.equal((await api.complete(upload.id)).state, 'uploaded');
});

test('the bucket falls silent right after the completion: the state is settled later', async () => {
  const { api, clock } = fixture;
  const bytes = randomBytes(6 * mib);
  const upload = await api.create('silent.bin', bytes);
  await api.send(upload, bytes);
  let completed = false;
  proxy.fate = (method, url) => {
    if (completed) return 'lose-request';
    completed = isComplete(method, url);
    return completed ? 'lose-reply' : 'pass';
  };
  await api.refused('storage-unavailable', 'POST', `/v1/uploads/${upload.id}/complete`);
  assert.equal((await api.upload(upload.id)).state, 'completing');
  await fixture.reopen();
  proxy.fate = () => 'pass';
  clock.forward(11 * minuteMs);
  await fixture.api.service.tick();
  assert.equal((await fixture.api.file(upload.id)).state, 'ready');
});

test('an upload that someone aborted in the bucket is never called a success', async () => {
  const { api } = fixture;
  const bytes = randomBytes(6 * mib);
  const upload = await api.create('aborted.bin', bytes);
  await api.send(upload, bytes);
  const { S3Client, AbortMultipartUploadCommand, ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
  const { endpoint, region, credentials } = fixture.engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'files' }));
  const theirs = Uploads.find(({ Key }) => Key?.includes(upload.id));
  assert.ok(theirs);
  await client.send(new AbortMultipartUploadCommand({ Bucket: 'files', Key: theirs.Key, UploadId: theirs.UploadId }));
  client.destroy();
  const problem = await api.refused('wrong-state', 'POST', `/v1/uploads/${upload.id}/complete`);
  assert.match(problem.detail ?? '', /no longer holds this upload/);
  assert.equal((await api.upload(upload.id)).state, 'aborted');
});

test('a crash between the row and the upload in the bucket: the next request goes on', async () => {
  const { api } = fixture;
  const bytes = randomBytes(6 * mib);
  proxy.fate = (method, url) => (isCreate(method, url) ? 'lose-reply' : 'pass');
  const body = { name: 'half-made.bin', sizeBytes: bytes.byteLength };
  const headers = { 'idempotency-key': 'half-made' };
  assert.equal((await api.request('POST', '/v1/uploads', body, headers)).status, 503);
  proxy.fate = () => 'pass';
  const upload = (await (await api.request('POST', '/v1/uploads', body, headers)).json()) as Awaited<
    ReturnType<typeof api.create>
  >;
  assert.ok((await holds(upload.id)).uploads > 1, 'uploads whose ids were lost lie in the bucket');
  await api.send(upload, bytes);
  await api.complete(upload.id);
  await api.service.tick();
  assert.equal((await api.file(upload.id)).state, 'ready');
  assert.deepEqual(await holds(upload.id), { objects: 1, uploads: 0 });
});

test('a client that sent the bytes and went away: the file is found', async () => {
  const { api, clock } = fixture;
  const small = new TextEncoder().encode('found');
  const one = await api.create('found.txt', small, 'text/plain');
  await api.send(one, small);
  const large = randomBytes(6 * mib);
  const two = await api.create('found.bin', large);
  await api.send(two, large);
  await fixture.reopen();
  clock.forward(11 * minuteMs);
  await fixture.api.service.tick();
  assert.equal((await fixture.api.file(one.id)).state, 'ready');
  assert.equal((await fixture.api.upload(two.id)).state, 'uploading', 'the client may still be at it');
  clock.forward(24 * hourMs);
  await fixture.api.service.tick();
  assert.equal((await fixture.api.file(two.id)).state, 'ready');
});

test('uploads that are never finished expire, and what they left is swept', async () => {
  const { api, clock } = fixture;
  const bytes = randomBytes(12 * mib);
  const parts = await api.create('abandoned.bin', bytes);
  await api.sendParts(parts, bytes, [1]);
  const put = await api.create('abandoned.txt', new Uint8Array(10));
  assert.ok(put.request);
  clock.forward(25 * hourMs);
  await api.service.tick();
  for (const { id } of [parts, put]) {
    const { state, reason } = await api.upload(id);
    assert.equal(state, 'expired');
    assert.match(reason ?? '', /in time/);
    assert.deepEqual(await holds(id), { objects: 0, uploads: 0 });
  }
  clock.forward(hourMs);
  await api.service.tick();
  assert.equal((await api.upload(put.id)).state, 'purged');
});

test('an upload in parts that the bucket never heard of expires too', async () => {
  const { api, clock } = fixture;
  proxy.fate = (method, url) => (isCreate(method, url) ? 'lose-request' : 'pass');
  const body = { name: 'never-begun.bin', sizeBytes: 6 * mib };
  assert.equal((await api.request('POST', '/v1/uploads', body)).status, 503);
  proxy.fate = () => 'pass';
  const { uploads } = await api.ask<UploadList>(200, 'GET', '/v1/uploads');
  const upload = uploads.find(({ name }) => name === body.name);
  assert.ok(upload);
  await api.refused('parts-missing', 'POST', `/v1/uploads/${upload.id}/complete`);
  clock.forward(25 * hourMs);
  await api.service.tick();
  assert.equal((await api.upload(upload.id)).state, 'expired');
});

test('a PUT that comes after its upload was given up is swept when its URL is over', async () => {
  const { api, clock } = fixture;
  const bytes = new TextEncoder().encode('too late');
  const upload = await api.create('too-late.txt', bytes, 'text/plain');
  await api.ask(204, 'DELETE', `/v1/uploads/${upload.id}`);
  await api.service.tick();
  await api.send(upload, bytes);
  assert.equal((await holds(upload.id)).objects, 1);
  clock.forward(2 * hourMs);
  await api.service.tick();
  assert.deepEqual(await holds(upload.id), { objects: 0, uploads: 0 });
  assert.equal((await api.upload(upload.id)).state, 'purged');
});

test('checks that the bucket did not answer are done later, also by the next process', async () => {
  const { api, clock } = fixture;
  const bytes = new TextEncoder().encode('later');
  const upload = await api.create('later.txt', bytes, 'text/plain');
  await api.send(upload, bytes);
  await api.complete(upload.id);
  proxy.fate = (method) => (method === 'GET' ? 'lose-request' : 'pass');
  await api.service.tick();
  assert.equal((await api.file(upload.id)).state, 'validating');
  await fixture.reopen();
  proxy.fate = () => 'pass';
  clock.forward(minuteMs);
  await fixture.api.service.tick();
  assert.equal((await fixture.api.file(upload.id)).state, 'ready');
});

test('a purge that was cut off goes on, and the row is last', async () => {
  const { api, clock } = fixture;
  const file = await api.store('cut-off.txt', new TextEncoder().encode('x'), 'text/plain');
  await api.ask(204, 'DELETE', `/v1/files/${file.id}`);
  clock.forward(31 * 24 * hourMs);
  await fixture.reopen();
  proxy.fate = (method) => (method === 'DELETE' ? 'lose-request' : 'pass');
  await fixture.api.service.tick();
  assert.equal((await fixture.api.upload(file.id)).state, 'purging');
  assert.equal((await holds(file.id)).objects, 1);
  await fixture.reopen();
  proxy.fate = () => 'pass';
  clock.forward(11 * minuteMs);
  await fixture.api.service.tick();
  assert.equal((await fixture.api.upload(file.id)).state, 'purged');
  assert.equal((await holds(file.id)).objects, 0);
});
