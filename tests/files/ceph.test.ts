// The file service on a real Ceph gateway with three OSDs: what it finds out about it, every way to send and every seal under
// attack, its notifications, and an OSD that dies. Skips where Ceph is not installed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SigningKeys, signRequest } from '@stowage/s3';
import { startCeph } from '../servers/ceph-cluster.ts';
import { listen } from '../servers/listen.ts';
import { openWorld, requestOf, send } from './endpoint-world.ts';
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
