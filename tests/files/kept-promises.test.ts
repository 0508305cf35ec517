// What was promised of a file's bytes holds whatever else happens at the same moment: reviews that fail late, jobs that began on an
// older row, an endpoint that for a moment sees nothing.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { writeBeside } from './beside-database.ts';
import { errorDocument, type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { bucket, dayMs, hourMs, minuteMs, ServiceFixture } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);

type Given = Parameters<typeof ServiceFixture.open>[1];

/** A service that reaches its bucket through a proxy that can be told to misbehave. */
async function openFaulty(t: TestContext, given: Given = {}) {
  const proxies: FaultProxy[] = [];
  const files = await ServiceFixture.open(t, {
    ...given,
    limits: { bucketRetries: 0, sessionLifeMs: 300 * dayMs, ...given.limits },
    through: async ({ endpoint }) => {
      const proxy = await startFaultProxy(t, endpoint);
      proxies.push(proxy);
      return proxy.endpoint;
    },
  });
  const [proxy] = proxies;
  assert.ok(proxy);
  return { files, proxy };
}

/** Changes a row beside the service: what its clients cannot do. */
function change(files: ServiceFixture, assignments: string, id?: string): Promise<void> {
  const rows = id === undefined ? '' : `WHERE id = '${id}'`;
  return writeBeside(files.databasePath, (database) =>
    database.exec(`UPDATE files SET ${assignments}, fence = fence + 1 ${rows}`),
  );
}

test('a file deleted while a review of it fails stays in the trash as long as was promised', async (t) => {
  const { files, proxy } = await openFaulty(t);
  const { id } = await files.upload('a.txt', 'text/plain', text('precious'));
  await change(files, `missing_since_ms = ${files.nowMs}, review_at_ms = ${files.nowMs + 1_000}`);
  files.advance(2_000);
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let fails = false;
  proxy.fault = ({ method }) => {
    if (method !== 'HEAD') return undefined;
    if (fails) return { kind: 'answer', status: 503, body: '' };
    reached.resolve();
    return { kind: 'hold', until: gate.promise.then(() => Promise.reject(new Error('The reply never comes.'))) };
  };
  const ticking = files.tick();
  await reached.promise;
  await files.call('deleteFile', { id });
  fails = true;
  gate.resolve();
  await ticking;
  proxy.fault = () => undefined;
  assert.ok(files.complaints.some((line) => line.startsWith('A review failed')));
  const [promised] = (await files.call('listTrash')).files;
  for (const waitMs of [11 * minuteMs, hourMs, 28 * dayMs]) {
    files.advance(waitMs);
    await files.tick();
    assert.equal(files.row(id).state, 'trashed', `after ${waitMs} more`);
  }
  await files.call('restoreFile', { id });
  await files.tick();
  assert.equal((await files.download(id)).toString(), 'precious');
  assert.equal(Date.parse(promised?.purgeAt ?? '') - Date.parse(promised?.trashedAt ?? ''), 30 * dayMs);
});

test('what waits for its end is not purged earlier, whatever brings a review on', async (t) => {
  const files = await ServiceFixture.open(t, {
    policies: { default: { scan: 'required' }, pictures: { types: ['image/*'] }, notes: { scan: 'off' } },
    limits: { sessionLifeMs: 300 * dayMs },
  });
  const held = await files.upload('held.txt', 'text/plain', text('nobody can judge it'));
  const bytes = text('no picture');
  const refused = await files.sendFile('refused.png', 'image/png', bytes, { category: 'pictures' });
  const trashed = await files.sendFile('trashed.txt', 'text/plain', bytes, { category: 'notes' });
  for (const { id } of [refused, trashed]) await files.call('completeUpload', { id });
  await files.tick();
  await files.call('deleteFile', { id: trashed.id });
  const states = (): readonly string[] => [held, refused, trashed].map(({ id }) => files.row(id).state);
  assert.deepEqual(states(), ['scan-failed', 'rejected', 'trashed']);
  await change(files, `review_at_ms = ${files.nowMs}`);
  await files.tick();
  assert.deepEqual(states(), ['scan-failed', 'rejected', 'trashed']);
  // The next look is when their time has come.
  files.advance(7 * dayMs + 1);
  await files.tick();
  assert.deepEqual(
    states().map((state) => state.replace('purged', 'purging')),
    ['purging', 'purging', 'trashed'],
  );
  files.advance(23 * dayMs);
  await files.tick();
  assert.deepEqual(states(), ['purged', 'purged', 'purged']);
});

test('clearing what an image was made from spares the image that is written meanwhile', async (t) => {
  const { files, proxy } = await openFaulty(t, {
    endpoint: { kind: 'engine', probing: 'forbidden', seals: ['promotion', 'service-only'] },
    policies: { default: { stripMetadata: true } },
  });
  const picture = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } })
    .jpeg()
    .withExif({ IFD0: { Artist: 'somebody' } })
    .toBuffer();
  const { id } = await files.sendFile('a.jpg', 'image/jpeg', picture);
  await files.call('completeUpload', { id });
  // As an earlier version of the service left it: to be cleared while it is still being looked at.
  await writeBeside(files.databasePath, (database) =>
    database.exec(
      `INSERT INTO outbox (id, kind, file_id, due_at_ms, attempts, leased_until_ms)
       VALUES ('0', 'unstage', '${id}', ${files.nowMs - 1}, 0, 0)`,
    ),
  );
  const written = Promise.withResolvers<void>();
  let writes = 0;
  proxy.fault = ({ method, query }) => {
    if (method === 'GET' && query.has('list-type')) return { kind: 'hold', until: written.promise };
    if (method === 'PUT') writes += 1;
    // What was written is looked at before the row turns to it.
    else if (method === 'HEAD' && writes > 0) written.resolve();
    return undefined;
  };
  await files.tick();
  proxy.fault = () => undefined;
  assert.equal(files.row(id).state, 'ready');
  assert.deepEqual((await sharp(await files.download(id)).metadata()).exif, undefined);
  files.advance(2 * hourMs);
  await files.tick();
  assert.equal((await files.download(id)).length > 0, true);
  assert.deepEqual(files.keys('incoming/'), []);
  assert.deepEqual(files.keys('files/'), [files.row(id).objectKey], 'nothing is left of what it was made from');
});

test('bytes that an endpoint loses sight of for a moment are not given up, whatever they are waiting for', async (t) => {
  const { files, proxy } = await openFaulty(t);
  const sent = await files.sendFile('a.txt', 'text/plain', text('acknowledged'));
  assert.equal((await files.call('completeUpload', { id: sent.id })).state, 'uploaded');
  // Everything is answered so, as by an endpoint of another bucket.
  proxy.fault = () => ({ kind: 'answer', status: 404, body: errorDocument('NoSuchBucket') });
  await files.tick();
  assert.equal(files.row(sent.id).state, 'validating');
  proxy.fault = () => undefined;
  files.advance(8 * dayMs);
  await files.tick();
  assert.equal(files.row(sent.id).state, 'ready');
  assert.equal((await files.download(sent.id)).toString(), 'acknowledged');

  // One answer that is wrong beside others that are right.
  const other = await files.sendFile('b.txt', 'text/plain', text('another'));
  await files.call('completeUpload', { id: other.id });
  let wrong = 1;
  proxy.fault = ({ method }) =>
    method === 'HEAD' && wrong-- > 0 ? { kind: 'answer', status: 404, body: '' } : undefined;
  await files.tick();
  files.advance(hourMs);
  await files.tick();
  assert.equal(files.row(other.id).state, 'ready');
});

test('acknowledged bytes that are really gone keep their row, marked, and go on where they were when they are back', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { sessionLifeMs: 300 * dayMs } });
  const { id } = await files.sendFile('a.txt', 'text/plain', text('acknowledged'));
  await files.call('completeUpload', { id });
  const s3 = openS3(t, files);
  const Key = files.row(id).objectKey;
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  for (const waitMs of [0, hourMs, 30 * dayMs]) {
    files.advance(waitMs);
    await files.tick();
    const { state, missingSince } = await files.call('getFile', { id });
    assert.equal(state, 'validating');
    assert.ok(missingSince);
    await files.refused('bytes-missing', 'getContent', { id });
  }
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'acknowledged' }));
  files.advance(hourMs);
  await files.tick();
  const { state, missingSince } = await files.call('getFile', { id });
  assert.deepEqual([state, missingSince], ['ready', undefined]);
  assert.equal((await files.download(id)).toString(), 'acknowledged');
});

test('a file whose acknowledged bytes are gone is its owner’s to delete, wherever its check stands', async (t) => {
  const files = await ServiceFixture.open(t);
  const { invitation } = await files.call('createUser', { body: { name: 'editor', role: 'editor' } });
  const editor = await files.signInBy(invitation.url);
  const s3 = openS3(t, files);
  for (const state of ['uploaded', 'validating', 'scanning']) {
    const { id, fileId } = await files.sendFile(`${state}.txt`, 'text/plain', text('acknowledged'));
    await files.call('completeUpload', { id });
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: files.row(id).objectKey }));
    await files.tick();
    await change(files, `state = '${state}'`, id);
    assert.match(
      (await files.refused('forbidden', 'deleteFile', { id: fileId, as: editor })).detail ?? '',
      /files:purge/,
    );
    await files.call('deleteFile', { id: fileId });
    assert.equal(files.row(id).state, 'purging');
    files.advance(2 * hourMs);
    await files.tick();
    assert.equal(files.row(id).state, 'purged', state);
  }
  assert.deepEqual((await files.call('getQuotas')).usage, {
    usedBytes: 0,
    usedFiles: 0,
    reservedBytes: 0,
    reservedFiles: 0,
  });
  // One that is being checked, and whose bytes are there, is waited for.
  const { id, fileId } = await files.sendFile('there.txt', 'text/plain', text('there'));
  await files.call('completeUpload', { id });
  await files.refused('wrong-state', 'deleteFile', { id: fileId });
  await files.tick();
  assert.equal(files.row(id).state, 'ready');
});

test('what lies in place of the bytes that were set aside is not released', async (t) => {
  const files = await ServiceFixture.open(t, { policies: { default: { scan: 'required' } } });
  const { id } = await files.upload('a.txt', 'text/plain', text('judged'));
  const s3 = openS3(t, files);
  const Key = files.row(id).objectKey;
  const release = { id, body: { reason: 'It looks fine.' } };
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  assert.match((await files.refused('bytes-missing', 'releaseQuarantined', release)).detail ?? '', /no object/);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'others' }));
  assert.match((await files.refused('bytes-missing', 'releaseQuarantined', release)).detail ?? '', /6 bytes with ETag/);
  assert.equal(files.row(id).state, 'scan-failed');
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'judged' }));
  assert.equal((await files.call('releaseQuarantined', release)).state, 'ready');
  assert.equal((await files.download(id)).toString(), 'judged');
});

test('bytes that differ from those that were judged are not served once that is known, until the judged ones are back', async (t) => {
  const files = await ServiceFixture.open(t);
  const { id } = await files.upload('a.txt', 'text/plain', text('judged'));
  const s3 = openS3(t, files);
  const Key = files.row(id).objectKey;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'others, judged by nobody' }));
  const { id: runId } = await files.call('startReconcile', { body: { dryRun: false } });
  await files.tick();
  const run = await files.call('getReconcile', { id: runId });
  assert.deepEqual(run.findings['bytes-differ'], { found: 1, mended: 1, failed: 0 });
  await files.refused('bytes-missing', 'getContent', { id });
  files.advance(2 * hourMs);
  await files.tick();
  await files.refused('bytes-missing', 'getContent', { id });
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'judged' }));
  files.advance(2 * hourMs);
  await files.tick();
  assert.equal((await files.download(id)).toString(), 'judged');
});

function openS3(t: TestContext, { engine }: ServiceFixture): S3Client {
  const { endpoint, region, credentials } = engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  t.after(() => client.destroy());
  return client;
}
