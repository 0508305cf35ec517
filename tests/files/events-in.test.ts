// What endpoints tell of their buckets: by webhook and by queue, in every shape, twice, in any order, invented, or not at all. The file
// ends where the bucket says it is, each time.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Upload } from '@stowage/contract';
import { startSqsServer } from '../servers/sqs-server.ts';
import { bucket, minuteMs, readProblem, requestOf, ServiceFixture, sendBytes } from './service-fixture.ts';

const secret = 'a secret of enough characters';
const path = 'http://files.test/internal/s3-events';

function eventOf(key: string, over: { readonly bucket?: string; readonly opaqueData?: string } = {}): object {
  const encoded = encodeURIComponent(key).replaceAll('%20', '+');
  const { opaqueData } = over;
  const s3 = { bucket: { name: over.bucket ?? bucket }, object: { key: encoded, size: 4, eTag: 'x', sequencer: '1' } };
  return { Records: [{ eventName: 'ObjectCreated:Put', s3, ...(opaqueData === undefined ? {} : { opaqueData }) }] };
}

function post(files: ServiceFixture, event: object | string, authorization = `Bearer ${secret}`): Promise<Response> {
  return files.send(
    new Request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
      body: typeof event === 'string' ? event : JSON.stringify(event),
    }),
  );
}

async function sent(files: ServiceFixture): Promise<Upload> {
  const upload = await files.announce({ sizeBytes: 4 });
  assert.equal((await sendBytes(requestOf(upload), Buffer.from('good'))).status, 200);
  return upload;
}

async function open(t: TestContext): Promise<ServiceFixture> {
  return ServiceFixture.open(t, { eventsIn: { secret } });
}

test('an event has the service look, and the file becomes ready without any word of the client', async (t) => {
  const files = await open(t);
  const upload = await sent(files);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'pending', 'nobody has said anything yet');
  assert.equal((await post(files, eventOf(files.row(upload.id).objectKey))).status, 204);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'ready');
});

test('events that come many times, too early and too late change nothing but when it looks', async (t) => {
  const files = await open(t);
  const upload = await files.announce({ sizeBytes: 4 });
  const { objectKey } = files.row(upload.id);
  for (let count = 0; count < 5; count++) assert.equal((await post(files, eventOf(objectKey))).status, 204);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'pending', 'an invented event is no object');
  await sendBytes(requestOf(upload), Buffer.from('good'));
  await Promise.all(Array.from({ length: 5 }, () => post(files, eventOf(objectKey))));
  await files.tick();
  const { fence } = files.row(upload.id);
  assert.equal(files.row(upload.id).state, 'ready');
  for (let count = 0; count < 5; count++) await post(files, eventOf(objectKey));
  await files.tick();
  assert.equal(files.row(upload.id).fence, fence, 'a file at rest is left alone');
});

test('without any event the review finds the file', async (t) => {
  const files = await open(t);
  const upload = await sent(files);
  files.advance(11 * minuteMs);
  await files.tick();
  assert.equal(files.row(upload.id).state, 'ready');
});

test('keys of others, of other buckets and with an altered MAC are no business of ours', async (t) => {
  const files = await open(t);
  const upload = await sent(files);
  const { objectKey } = files.row(upload.id);
  const altered = `${objectKey.slice(0, -1)}${objectKey.endsWith('0') ? '1' : '0'}`;
  for (const event of [eventOf('photo.jpg'), eventOf(altered), eventOf(objectKey, { bucket: 'another' })]) {
    assert.equal((await post(files, event)).status, 204);
  }
  await files.tick();
  assert.equal(files.row(upload.id).state, 'pending');
});

test('who posts events must know the secret: as a token, a password, or, of Ceph, in the event', async (t) => {
  const files = await open(t);
  const upload = await sent(files);
  const { objectKey } = files.row(upload.id);
  const basic = `Basic ${Buffer.from(`sns:${secret}`).toString('base64')}`;
  await readProblem('unauthenticated', await post(files, eventOf(objectKey), ''));
  await readProblem('unauthenticated', await post(files, eventOf(objectKey), 'Bearer another secret'));
  await readProblem('unauthenticated', await post(files, eventOf(objectKey, { opaqueData: 'guessed' }), ''));
  await readProblem('unauthenticated', await post(files, { Records: [] }, ''));
  await readProblem('unauthenticated', await post(files, eventOf(objectKey, { opaqueData: secret }), 'Bearer wrong'));
  for (const [event, authorization] of [
    [eventOf(objectKey), basic],
    [eventOf(objectKey, { opaqueData: secret }), ''],
  ] as const) {
    assert.equal((await post(files, event, authorization)).status, 204);
  }
});

test('what is no event is refused, and without a secret there is no such place', async (t) => {
  const files = await open(t);
  await readProblem('invalid-request', await post(files, 'not json'));
  await readProblem('invalid-request', await post(files, '{}'));
  await readProblem('request-too-large', await post(files, `"${'x'.repeat(2_000_000)}"`));
  assert.equal((await post(files, { Service: 'Amazon S3', Event: 's3:TestEvent' })).status, 204);
  const closed = await ServiceFixture.open(t);
  await readProblem('not-found', await post(closed, eventOf('a')));
});

test('a queue that doubles, reorders, loses answers and fails: every file becomes ready, and the queue empty', async (t) => {
  const queue = await startSqsServer(t);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const sqs = {
    queueUrl: queue.queueUrl,
    endpoint: queue.endpoint,
    region: 'us-east-1',
    credentials,
    waitSeconds: 1,
    maxReceives: 3,
  };
  const files = await ServiceFixture.open(t, { eventsIn: { sqs } });
  const uploads = await Promise.all(Array.from({ length: 12 }, () => sent(files)));
  queue.fail = 1;
  queue.push('poison');
  for (const [index, { id }] of uploads.entries()) {
    const event = JSON.stringify(eventOf(files.row(id).objectKey));
    queue.push(index % 3 === 0 ? JSON.stringify({ Type: 'Notification', Message: event }) : event);
    if (index === 5) queue.loseAnswers = 2;
  }
  const deadline = Date.now() + 15_000;
  while (queue.left > 0) {
    assert.ok(Date.now() < deadline, `${queue.left} messages are left.\n${files.complaints.slice(0, 3).join('\n')}`);
    await sleep(50);
  }
  await files.tick();
  for (const { id } of uploads) assert.equal(files.row(id).state, 'ready');
  assert.ok(queue.given > 14, 'messages came more than once');
  assert.ok(
    files.complaints.some((line) => line.includes('was dropped')),
    files.complaints.join('\n'),
  );
});
