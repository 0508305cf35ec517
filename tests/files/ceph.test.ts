// The file service on a real Ceph gateway with three OSDs: what it finds out about it, every way to send and every seal under
// attack, its notifications, and an OSD that dies. Skips where Ceph is not installed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectVersionsCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import type { Upload } from '@stowage/contract';
import { SigningKeys, signRequest } from '@stowage/s3';
import { startCeph } from '../servers/ceph-cluster.ts';
import { listen } from '../servers/listen.ts';
import { openWorld, requestOf, send, type World } from './endpoint-world.ts';
import { startLameEndpoint } from './lame-endpoint.ts';
import { BucketByHand } from './orphans-world.ts';
import { attackEndpoint } from './sealing-attacks.ts';

const mib = 1024 * 1024;
/** Enough of it for buckets without versions, so that not every test tries it out. */
const assumed = { kind: 'aws', probing: 'forbidden' } as const;

attackEndpoint(
  {
    name: 'Ceph',
    endpointFor: (seal) => (seal === 'version-id' ? { kind: 'ceph16' } : assumed),
    open: async (seal) => {
      const ceph = await startCeph();
      return ceph.found ? ceph.createBucket({ versions: seal === 'version-id' }) : ceph.reason;
    },
  },
  ['if-none-match', 'service-only', 'version-id', 'promotion'],
);

test('Ceph is tried out: it is what is known of it, and nothing is left in the bucket', async (t) => {
  const ceph = await startCeph();
  if (!ceph.found) return t.skip(ceph.reason);
  for (const versions of [false, true]) {
    const world = await openWorld(t, { s3: await ceph.createBucket({ versions }), endpoint: { kind: 'ceph16' } });
    const found = await world.service.probeEndpoint();
    assert.equal(found.versions, versions);
    // Each PUT makes a version of its own there, whatever its condition.
    assert.equal(found.conditionalPut, !versions);
    assert.ok(!world.log.some((line) => line.includes('not what was said of it')), world.log.join('\n'));
    assert.deepEqual(await world.keys(), []);
  }
});

test('on Ceph a file lives its whole life; purged, nothing of it is left in any version', async (t) => {
  const ceph = await startCeph();
  if (!ceph.found) return t.skip(ceph.reason);
  const limits = {
    multipartThresholdBytes: 5 * mib,
    minPartSizeBytes: 5 * mib,
    maxCopyBytes: 5 * mib,
    copyPartBytes: 5 * mib,
    urlLifeMs: 4_000,
    trashRetentionMs: 0,
  };
  for (const [versions, seals] of [
    [true, ['version-id']],
    [false, ['promotion', 'service-only']],
  ] as const) {
    const s3 = await ceph.createBucket({ versions });
    const world = await openWorld(t, {
      s3,
      endpoint: { ...(versions ? { kind: 'ceph16' } : assumed), seals },
      limits,
    });
    const small = await world.announce({ sizeBytes: 4 });
    for (let count = 0; count < 2; count++) await send(requestOf(small), 'good');
    const text = 'Large.'.padEnd(6 * mib, '.');
    const large = await world.announce({ sizeBytes: text.length });
    for (const part of await world.signParts(large)) {
      const start = (part.partNumber - 1) * 5 * mib;
      assert.equal(await send(part, text.slice(start, start + 5 * mib)), 200);
    }
    for (const upload of [small, large]) {
      await world.complete(upload);
      await world.settle(upload.id, 'ready');
    }
    const copy = await world.call<{ id: string }>('POST', `/v1/files/${large.id}/copy`, {});
    await world.settle(copy.id, 'ready');
    assert.ok((await world.download(copy.id)) === text);
    for (const { id } of [small, large, copy]) await world.call('DELETE', `/v1/files/${id}`);
    for (const { id } of [small, large, copy]) await world.settle(id, 'purged');
    const left = (await world.keys()).filter((key) => !key.startsWith('incoming/'));
    assert.deepEqual(left, []);
  }
});

const hourMs = 3_600_000;
/** Not tried out again: a bucket that keeps versions, and one seal for whatever is sent. */
const versioned = { kind: 'ceph16', seals: ['version-id'] } as const;

test('on Ceph, once the URLs are dead there is no other version of a key than the one that is pinned', async (t) => {
  const ceph = await startCeph();
  if (!ceph.found) return t.skip(ceph.reason);
  const s3 = await ceph.createBucket({ versions: true });
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  let aheadMs = 0;
  const world = await openWorld(t, { s3, endpoint: versioned, aheadMs: () => aheadMs });
  const announce = (content: string, means: 'put' | 'form') =>
    world.announce({ name: `${content}-${means}.txt`, sizeBytes: 4, accepts: [means] });
  const sendTwice = async (upload: Upload, content: string): Promise<void> => {
    for (let count = 0; count < 2; count++) assert.ok((await send(requestOf(upload), content)) < 300);
  };

  const kept = [await announce('good', 'put'), await announce('good', 'form')];
  const trashed = await announce('gone', 'form');
  const rejected = await announce('\x7fELF', 'put');
  const aborted = await announce('away', 'form');
  const expired = await announce('late', 'put');
  for (const upload of [...kept, trashed, aborted]) await sendTwice(upload, 'good');
  await sendTwice(rejected, '\x7fELF');
  for (const upload of [...kept, trashed, rejected]) await world.complete(upload);
  for (const { id } of [...kept, trashed]) await world.settle(id, 'ready');
  await world.settle(rejected.id, 'rejected');
  await world.call('DELETE', `/v1/uploads/${aborted.id}`);
  await world.settle(aborted.id, 'aborted');
  assert.equal(await countOf(world, aborted), 0, 'what an aborted upload holds goes at once');
  await world.call('DELETE', `/v1/files/${trashed.id}`);
  for (const upload of [...kept, trashed, rejected, aborted]) await sendTwice(upload, 'evil');
  const [first] = kept;
  assert.ok(first !== undefined);
  await hand.remove(world.row(first.id).objectKey);
  assert.ok((await countOf(world, first)) > 4, 'a delete marker hides what was written');

  await world.service.tick();
  assert.equal(await countOf(world, rejected), 4, 'as long as a URL is good, removing would be in vain');
  aheadMs = hourMs;
  await world.service.tick();
  for (const upload of [...kept, trashed, rejected]) {
    const { objectKey, objectVersionId } = world.row(upload.id);
    assert.deepEqual(await versionsOf(world, objectKey), [objectVersionId], upload.id);
  }
  await world.settle(aborted.id, 'purged');
  assert.equal(await countOf(world, aborted), 0);
  aheadMs = 0;
  for (const { id } of kept) assert.equal(await world.download(id), 'good');

  aheadMs = 24 * hourMs + 1_000;
  await world.settle(expired.id, 'expired');
  // By the clock of the service the URL is long dead; what began in time may end now.
  await sendTwice(expired, 'late');
  aheadMs += hourMs;
  await world.settle(expired.id, 'purged');
  aheadMs = 40 * 24 * hourMs;
  for (const { id } of [trashed, rejected]) await world.settle(id, 'purged');
  for (const upload of [trashed, rejected, aborted, expired]) assert.equal(await countOf(world, upload), 0);
  assert.equal((await world.keys()).length, kept.length);
});

test('on Ceph, removing what was written beside a file may break off, and may be done by another meanwhile', async (t) => {
  const ceph = await startCeph();
  if (!ceph.found) return t.skip(ceph.reason);
  const s3 = await ceph.createBucket({ versions: true });
  const lame = await startLameEndpoint(t, s3.endpoint);
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  let aheadMs = 0;
  const world = await openWorld(t, {
    s3: { ...s3, endpoint: lame.endpoint },
    endpoint: versioned,
    limits: { bucketRetries: 0 },
    aheadMs: () => aheadMs,
  });
  const [pinned, lost] = [await world.announce({ sizeBytes: 4 }), await world.announce({ sizeBytes: 4 })];
  for (const upload of [pinned, lost]) {
    for (let count = 0; count < 3; count++) assert.equal(await send(requestOf(upload), 'good'), 200);
    await world.complete(upload);
    await world.settle(upload.id, 'ready');
    assert.equal(await send(requestOf(upload), 'evil'), 200);
  }
  // What came while the bucket kept no versions for a while has no id of its own.
  const { objectKey, objectVersionId } = world.row(pinned.id);
  await hand.client.send(versioning(s3.bucket, 'Suspended'));
  assert.equal(await send(requestOf(pinned), 'evil'), 200);
  await hand.client.send(versioning(s3.bucket, 'Enabled'));
  // More than are looked at together; and with the pinned one behind them, as the newest are listed first.
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 10 }, () => hand.put(objectKey, 'evil')));
  const before = await versionsOf(world, objectKey);
  assert.ok(before.length > 100 && before.includes('null'));
  // Where the pinned version itself is gone, what is left may be all there is.
  const { objectKey: lostKey, objectVersionId: lostVersion } = world.row(lost.id);
  assert.ok(lostVersion !== null);
  await hand.remove(lostKey, lostVersion);
  const left = await versionsOf(world, lostKey);
  assert.equal(left.length, 3);

  const removals: string[] = [];
  lame.hinder = ({ method, url }) => {
    const { pathname, searchParams } = new URL(url, 'http://endpoint.test');
    const versionId = searchParams.get('versionId');
    if (method !== 'DELETE' || versionId === null || !pathname.endsWith(objectKey)) return undefined;
    removals.push(versionId);
    if (removals.length === 2) return 503;
    // Another instance is faster.
    return removals.length === 3 ? hand.remove(objectKey, versionId) : undefined;
  };
  aheadMs = hourMs;
  await world.service.tick();
  assert.equal(removals.length, 2, 'one was removed, and the next was refused');
  assert.equal((await versionsOf(world, objectKey)).length, before.length - 1);
  aheadMs += 60_000;
  await world.service.tick();
  assert.deepEqual(await versionsOf(world, objectKey), [objectVersionId]);
  assert.deepEqual(await versionsOf(world, lostKey), left);
  aheadMs = 0;
  assert.equal(await world.download(pinned.id), 'good');
});

function versioning(Bucket: string, Status: 'Enabled' | 'Suspended'): PutBucketVersioningCommand {
  return new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } });
}

/** The ids of all versions of a key, and of its delete markers. */
async function versionsOf({ s3 }: World, key: string): Promise<readonly (string | undefined)[]> {
  const client = new S3Client({ ...s3, requestChecksumCalculation: 'WHEN_REQUIRED' });
  try {
    const listed = await client.send(new ListObjectVersionsCommand({ Bucket: s3.bucket, Prefix: key }));
    return [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])].map(({ VersionId }) => VersionId);
  } finally {
    client.destroy();
  }
}

/** How many versions and delete markers there are of what an upload sends. */
async function countOf(world: World, { id }: Upload): Promise<number> {
  return (await versionsOf(world, world.row(id).objectKey)).length;
}

test('Ceph’s own notifications have the service look, by HTTP', async (t) => {
  const ceph = await startCeph();
  if (!ceph.found) return t.skip(ceph.reason);
  const secret = 'what-the-topic-says-with-each-event';
  const s3 = await ceph.createBucket();
  const world = await openWorld(t, { s3, endpoint: assumed, eventsIn: { secret } });
  const endpoint = await serve(t, (request) => world.service.fetch(request, { clientAddress: '127.0.0.1' }));
  await world.service.prepared();
  await subscribe(ceph, s3.bucket, { endpoint: `${endpoint}/internal/s3-events`, secret });
  const uploads = await Promise.all([1, 2, 3].map(() => world.announce({ sizeBytes: 4 })));
  for (const upload of uploads) assert.equal(await send(requestOf(upload), 'good'), 200);
  // Nobody says that they are complete.
  for (const { id } of uploads) await world.settle(id, 'ready');
  assert.match(await world.metrics(), /stowage_files_storage_events_total\{outcome="taken"\} [3-9]/);
});

/** A server before one `fetch`. */
async function serve(t: TestContext, answer: (request: Request) => Promise<Response>): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
      const body = Buffer.concat(chunks);
      const request = new Request(`http://files.test${incoming.url ?? '/'}`, {
        method: incoming.method ?? 'GET',
        headers,
        body,
      });
      void answer(request).then(async (response) => {
        outgoing.writeHead(response.status).end(Buffer.from(await response.arrayBuffer()));
      });
    });
  });
  return listen(t, server);
}

interface Gateway {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A topic that pushes to an address, and a bucket that tells it what is created. */
async function subscribe(
  { endpoint, credentials }: Gateway,
  bucket: string,
  topic: { readonly endpoint: string; readonly secret: string },
): Promise<void> {
  const ask = async (
    method: string,
    path: string,
    body: string,
    query: readonly (readonly [string, string])[] = [],
  ) => {
    const signingKeys = new SigningKeys();
    const contentType = path === '/' ? 'application/x-www-form-urlencoded' : 'application/xml';
    const common = { endpoint, credentials, region: 'us-east-1', signingKeys, nowMs: Date.now() };
    // The gateway reads a form itself, and so its digest must be signed.
    const payload = createHash('sha256').update(body).digest('hex');
    const signed = signRequest({ ...common, method, path, query, payload, headers: { 'content-type': contentType } });
    const { host: _host, ...headers } = signed.headers;
    const response = await fetch(signed.url, { method, headers, body });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text;
  };
  const form = new URLSearchParams({
    Action: 'CreateTopic',
    Name: 'files',
    'Attributes.entry.1.key': 'push-endpoint',
    'Attributes.entry.1.value': topic.endpoint,
    'Attributes.entry.2.key': 'OpaqueData',
    'Attributes.entry.2.value': topic.secret,
  });
  const made = await ask('POST', '/', form.toString());
  const [, arn] = /<TopicArn>([^<]+)<\/TopicArn>/.exec(made) ?? [];
  await ask(
    'PUT',
    `/${bucket}`,
    `<NotificationConfiguration><TopicConfiguration><Id>files</Id><Topic>${arn}</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration></NotificationConfiguration>`,
    [['notification', '']],
  );
  // The gateway keeps what it knew of the bucket for a moment.
  await sleep(200);
}
