// Webhooks, told to a real server: signed as Standard Webhooks says, tried again, given up, replayed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { listen } from '../servers/listen.ts';
import { writeBeside } from './beside-database.ts';
import { dayMs, hourMs, ServiceFixture } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);

interface Receiver {
  url: string;
  told: Told[];
  status: number;
  /** Done before it answers. */
  onTold: () => Promise<unknown>;
}

interface Told {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function startReceiver(t: TestContext): Promise<Receiver> {
  const receiver: Receiver = { url: '', told: [], status: 204, onTold: () => Promise.resolve() };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    receiver.told.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
    await receiver.onTold();
    response.writeHead(receiver.status).end('noted');
  });
  receiver.url = `${await listen(t, server)}/hook`;
  return receiver;
}

test('an application is told what happens to a file, in deliveries that it can verify', async (t) => {
  const receiver = await startReceiver(t);
  const service = await ServiceFixture.open(t, { allowPrivateWebhooks: true });
  const { secret } = await service.call('createWebhook', {
    body: { url: receiver.url, events: ['file.ready', 'file.trashed'] },
  });
  const { id } = await service.upload('plan.txt', 'text/plain', text('a plan'));
  await service.call('deleteFile', { id });
  await service.tick();
  assert.deepEqual(
    receiver.told.map(({ body }) => JSON.parse(body).type),
    ['file.ready', 'file.trashed'],
  );
  for (const { headers, body } of receiver.told) {
    // The library judges the time too, by its own clock; the service's stands where the test began.
    const event = new Webhook(secret).verify(body, headers) as { readonly data: { readonly fileId: string } };
    assert.equal(event.data.fileId, id);
    assert.throws(() => new Webhook(secret).verify(`${body} `, headers));
  }
});

test('a delivery that fails is tried again with longer waits, given up in the end, and can be replayed', async (t) => {
  const receiver = await startReceiver(t);
  const service = await ServiceFixture.open(t, { allowPrivateWebhooks: true });
  const { id } = await service.call('createWebhook', { body: { url: receiver.url } });
  receiver.status = 500;
  await service.call('testWebhook', { id });
  await service.tick();
  assert.equal(receiver.told.length, 1);
  await service.tick();
  assert.equal(receiver.told.length, 1, 'not before its time');
  for (let round = 0; round < 12; round++) {
    service.advance(29 * hourMs);
    await service.tick();
  }
  assert.equal(receiver.told.length, 10);
  assert.equal(new Set(receiver.told.map(({ headers }) => headers['webhook-id'])).size, 1);
  await service.signIn();
  const [dead] = (await service.call('listDeliveries', { id })).deliveries;
  assert.deepEqual([dead?.state, dead?.attempts, dead?.lastAnswer], ['dead', 10, '500']);
  receiver.status = 200;
  await service.call('replayDelivery', { id, deliveryId: dead?.id ?? '' });
  await service.tick();
  assert.equal(receiver.told.length, 11);
  assert.equal((await service.call('listDeliveries', { id })).deliveries[0]?.state, 'delivered');
});

test('an address that is gone is told no more, and a rotated secret overlaps with the old one', async (t) => {
  const receiver = await startReceiver(t);
  const service = await ServiceFixture.open(t, { allowPrivateWebhooks: true });
  const created = await service.call('createWebhook', { body: { url: receiver.url } });
  const rotated = await service.call('rotateWebhookSecret', { id: created.id });
  await service.call('testWebhook', { id: created.id });
  await service.tick();
  const [first] = receiver.told;
  assert.ok(first);
  for (const { secret } of [created, rotated]) new Webhook(secret).verify(first.body, first.headers);
  receiver.status = 410;
  await service.call('testWebhook', { id: created.id });
  await service.tick();
  const [webhook] = (await service.call('listWebhooks')).webhooks;
  assert.deepEqual([webhook?.enabled, webhook?.disabledReason], [false, 'The address answered 410 Gone.']);
  service.advance(2 * dayMs);
});

test('an address within the network that the service stands in is not told', async (t) => {
  const service = await ServiceFixture.open(t);
  for (const url of [
    'http://example.com/',
    'https://127.0.0.1/',
    'https://[::ffff:10.0.0.1]/',
    'https://user:word@example.com/',
    'https://169.254.169.254/latest',
    'https://localhost/hook',
    'https://LOCALHOST./hook',
    'https://hooks.localhost:8443/hook',
  ]) {
    const { detail } = await service.refused('forbidden', 'createWebhook', { body: { url } });
    // Who runs the service can let it: they are told by what.
    if (!url.includes('@')) assert.match(detail ?? '', /\(allowPrivateWebhooks\)\.$/);
  }
  await service.call('createWebhook', { body: { url: 'https://localhost.example.com/hook' } });
  // A name can lead there too: that is judged when it is resolved.
  const table = await readFile('/etc/hosts', 'utf8').catch(() => '');
  const local = table.split('\n').flatMap((line) => (/^(127\.|::1\s)/.test(line) ? line.split(/\s+/).slice(1) : []));
  const name = local.find((each) => each !== '' && !/(^|\.)localhost$/.test(each));
  if (name === undefined) return t.diagnostic('This machine has no other name that leads to itself.');
  const { id } = await service.call('createWebhook', { body: { url: `https://${name}/hook` } });
  await service.call('testWebhook', { id });
  await service.tick();
  const [delivery] = (await service.call('listDeliveries', { id })).deliveries;
  assert.match(delivery?.lastAnswer ?? '', /private network/);
});

test('what waits for a webhook that is disabled becomes a dead letter, and so does what happens meanwhile', async (t) => {
  const receiver = await startReceiver(t);
  const service = await ServiceFixture.open(t, { allowPrivateWebhooks: true });
  const { id } = await service.call('createWebhook', { body: { url: receiver.url } });
  receiver.status = 500;
  await service.call('testWebhook', { id });
  await service.tick();
  await service.call('testWebhook', { id });
  await service.call('changeWebhook', { id, body: { enabled: false } });
  await service.tick();
  const deliveries = async () => (await service.call('listDeliveries', { id })).deliveries;
  assert.deepEqual(
    (await deliveries()).map(({ state, attempts, lastAnswer }) => [state, attempts, lastAnswer]),
    [
      ['dead', 0, 'Not sent: the webhook is disabled.'],
      ['dead', 1, 'Not sent: the webhook is disabled.'],
    ],
  );
  await service.upload('plan.txt', 'text/plain', text('a plan'));
  assert.ok((await deliveries()).length > 2);
  assert.ok((await deliveries()).every(({ state, nextAttemptAt }) => state === 'dead' && nextAttemptAt === undefined));
  const [latest] = await deliveries();
  await service.call('replayDelivery', { id, deliveryId: latest?.id ?? '' });
  await service.tick();
  assert.equal((await deliveries())[0]?.state, 'dead');
  assert.equal(receiver.told.length, 1);
  // Enabled again, dead letters can be replayed, and it is told what happens from then on.
  receiver.status = 204;
  await service.call('changeWebhook', { id, body: { enabled: true } });
  await service.call('replayDelivery', { id, deliveryId: latest?.id ?? '' });
  await service.tick();
  assert.equal(receiver.told.length, 2);
  await service.call('deleteWebhook', { id });
  const database = new DatabaseSync(service.databasePath, { readOnly: true });
  t.after(() => database.close());
  assert.equal(database.prepare('SELECT COUNT(*) AS count FROM webhook_deliveries').get()?.count, 0);
});

test('changes of a webhook at the same time each write what they change', async (t) => {
  const receiver = await startReceiver(t);
  const service = await ServiceFixture.open(t, { allowPrivateWebhooks: true });
  const { id } = await service.call('createWebhook', { body: { url: receiver.url } });
  for (let round = 0; round < 5; round++) {
    const url = `${receiver.url}/${round}`;
    const events = [round % 2 === 0 ? 'file.ready' : 'file.trashed'] as const;
    const enabled = round % 2 === 0;
    const bodies = [{ url }, { events: [...events] }, { enabled }];
    const [, , , rotated] = await Promise.all([
      ...bodies.map((body) => service.call('changeWebhook', { id, body })),
      service.call('rotateWebhookSecret', { id }),
    ]);
    const [webhook] = (await service.call('listWebhooks')).webhooks;
    assert.deepEqual([webhook?.url, webhook?.events, webhook?.enabled], [url, events, enabled]);
    assert.ok(rotated);
  }
  await service.call('changeWebhook', { id, body: { enabled: true } });
  const rotations = await Promise.all([
    service.call('rotateWebhookSecret', { id }),
    service.call('rotateWebhookSecret', { id }),
  ]);
  await service.call('testWebhook', { id });
  await service.tick();
  const told = receiver.told.at(-1);
  assert.ok(told);
  for (const { secret } of rotations) new Webhook(secret).verify(told.body, told.headers);

  // An address that says it is gone disables the webhook only while it leads there.
  receiver.status = 410;
  receiver.onTold = () => service.call('changeWebhook', { id, body: { url: `${receiver.url}/moved` } });
  await service.call('testWebhook', { id });
  await service.tick();
  const [moved] = (await service.call('listWebhooks')).webhooks;
  assert.deepEqual([moved?.url, moved?.enabled], [`${receiver.url}/moved`, true]);
  await service.call('deleteWebhook', { id });
  await service.refused('not-found', 'changeWebhook', { id, body: { enabled: false } });
  await service.refused('not-found', 'rotateWebhookSecret', { id });
});

test('a webhook goes with its deliveries, in slices between which others write', async (t) => {
  const service = await ServiceFixture.open(t, { allowPrivateWebhooks: true });
  const { id } = await service.call('createWebhook', { body: { url: 'http://127.0.0.1:9/' } });
  await service.call('testWebhook', { id });
  const count = 1_600;
  await writeBeside(service.databasePath, (database) => {
    const [first] = database.prepare('SELECT * FROM webhook_deliveries').all();
    const names = Object.keys(first ?? {});
    const insert = database.prepare(
      `INSERT INTO webhook_deliveries (${names.join()}) VALUES (${names.map(() => '?').join()})`,
    );
    for (let index = 0; index < count; index++) {
      const row = { ...first, id: String(index), due_at_ms: null, state: 'dead' } as Record<string, SQLInputValue>;
      insert.run(...names.map((name) => row[name] ?? null));
    }
  });
  const left = (): number => {
    const database = new DatabaseSync(service.databasePath, { readOnly: true });
    try {
      return Number(database.prepare('SELECT COUNT(*) AS count FROM webhook_deliveries').get()?.count);
    } finally {
      database.close();
    }
  };
  const seen = new Set<number>();
  let removed = false;
  const removing = service.call('deleteWebhook', { id }).finally(() => {
    removed = true;
  });
  while (!removed) {
    seen.add(left());
    await new Promise((resolve) => setImmediate(resolve));
  }
  await removing;
  assert.equal(left(), 0);
  assert.ok(
    [...seen].some((rows) => rows > 0 && rows < count),
    `seen: ${[...seen].join()}`,
  );
});

test('a receiver that does not answer delays neither checks nor other receivers, nor gets all there is', async (t) => {
  const quick = await startReceiver(t);
  let open = 0;
  let most = 0;
  const hanging = createServer((_request, response) => {
    most = Math.max(most, ++open);
    response.once('close', () => open--);
  });
  const hangingUrl = await listen(t, hanging);
  const timeoutMs = 1_500;
  const service = await ServiceFixture.open(t, {
    allowPrivateWebhooks: true,
    limits: { webhookTimeoutMs: timeoutMs, webhookReceiverConcurrency: 2 },
  });
  // Two webhooks, one receiver.
  for (const path of ['a', 'b']) {
    const { id } = await service.call('createWebhook', {
      body: { url: `${hangingUrl}/${path}`, events: ['file.trashed'] },
    });
    for (let count = 0; count < 3; count++) await service.call('testWebhook', { id });
  }
  await service.call('createWebhook', { body: { url: quick.url, events: ['file.ready'] } });
  const upload = await service.sendFile('plan.txt', 'text/plain', text('a plan'));
  await service.call('completeUpload', { id: upload.id });
  const startedMs = performance.now();
  const ticking = service.tick();
  while (quick.told.length === 0) {
    assert.ok(performance.now() - startedMs < timeoutMs * 0.8, 'the quick receiver waits for the one that hangs');
    await sleep(20);
  }
  assert.equal(JSON.parse(quick.told[0]?.body ?? '{}').data.versionId, upload.id);
  assert.equal((await service.call('getUpload', { id: upload.id })).state, 'ready');
  assert.equal(most, 2);
  await ticking;
  assert.equal(most, 2, 'also what came after waited for its turn');
  assert.ok(performance.now() - startedMs > timeoutMs * 2);
});
