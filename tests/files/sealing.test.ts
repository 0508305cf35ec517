// Sealing on the engine: what was judged is what is served, by each means; and what it leaves behind is cleaned up.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '@stowage/engine';
import type { S3Settings } from '@stowage/files';
import { openWorld, requestOf, send } from './endpoint-world.ts';
import { startLameEndpoint } from './lame-endpoint.ts';
import { attackEndpoint } from './sealing-attacks.ts';

const mib = 1024 * 1024;
const known = { kind: 'engine', probing: 'forbidden' } as const;

let shared: Promise<Engine> | undefined;
test.after(async () => (await shared)?.close());

function settingsOf({ endpoint, region, credentials }: Engine): S3Settings {
  return { endpoint, region, bucket: 'stowage-files', credentials, forcePathStyle: true };
}

attackEndpoint(
  {
    name: 'the engine',
    endpointFor: () => known,
    open: async () => {
      shared ??= startEngine();
      return settingsOf(await shared);
    },
  },
  ['if-none-match', 'service-only', 'promotion'],
);

async function openEngine(t: TestContext, clock?: () => number): Promise<S3Settings> {
  const engine = await startEngine(clock === undefined ? {} : { clock });
  t.after(() => engine.close());
  return settingsOf(engine);
}

test('where bytes arrived is emptied once no URL can write there; what is served stays', async (t) => {
  let aheadMs = 0;
  const s3 = await openEngine(t, () => Date.now() + aheadMs);
  const world = await openWorld(t, { s3, endpoint: { ...known, seals: ['promotion'] }, aheadMs: () => aheadMs });
  const upload = await world.announce({ sizeBytes: 4 });
  await send(requestOf(upload), 'good');
  await world.complete(upload);
  await world.settle(upload.id, 'ready');
  await send(requestOf(upload), 'evil');
  const { stagingKey, objectKey } = world.row(upload.id);
  assert.deepEqual(await world.keys(), [objectKey, stagingKey].sort());
  assert.match(objectKey, /^files\/main\/owner\/text\/\w{26}-\d+\.[0-9a-f]{32}$/);
  aheadMs += 3_600_000;
  await world.service.tick();
  assert.deepEqual(await world.keys(), [objectKey]);
  assert.equal(await world.download(upload.id), 'good');
  await world.call('DELETE', `/v1/files/${upload.id}`);
  aheadMs += 31 * 86_400_000;
  await world.settle(upload.id, 'purged');
  assert.deepEqual(await world.keys(), []);
});

test('an upload that is given up leaves nothing where its bytes arrived', async (t) => {
  let aheadMs = 0;
  const s3 = await openEngine(t, () => Date.now() + aheadMs);
  const world = await openWorld(t, { s3, endpoint: { ...known, seals: ['promotion'] }, aheadMs: () => aheadMs });
  const upload = await world.announce({ sizeBytes: 4 });
  await send(requestOf(upload), 'good');
  await world.call('DELETE', `/v1/uploads/${upload.id}`);
  await world.settle(upload.id, 'aborted');
  assert.deepEqual(await world.keys(), []);
  await send(requestOf(upload), 'evil');
  aheadMs += 86_400_000;
  await world.settle(upload.id, 'purged');
  assert.deepEqual(await world.keys(), []);
});

test('a copy that is carried out late, after other bytes of the same ETag came, changes nothing that is served', async (t) => {
  const s3 = await openEngine(t);
  const lame = await startLameEndpoint(t, s3.endpoint);
  const world = await openWorld(t, {
    s3: { ...s3, endpoint: lame.endpoint },
    endpoint: { ...known, seals: ['promotion'] },
    limits: { bucketWorkMs: 300 },
  });
  const [judged, twin] = collision();
  const held = Promise.withResolvers<void>();
  let copies = 0;
  lame.hinder = ({ headers }) => ('x-amz-copy-source' in headers && copies++ === 0 ? held.promise : undefined);
  const upload = await world.announce({ sizeBytes: judged.length, contentType: 'application/octet-stream' });
  assert.equal(await send(requestOf(upload), judged), 200);
  const lost = await world.refused('POST', `/v1/uploads/${upload.id}/complete`);
  assert.equal(lost.code, 'storage-unavailable');
  assert.equal((await world.complete(upload)).state, 'uploaded', 'another try does not wait for the first');
  await world.settle(upload.id, 'ready');
  assert.equal(await send(requestOf(upload), twin), 200);
  const before = await world.keys();
  held.resolve();
  for (let waits = 0; (await world.keys()).length === before.length; waits++) {
    assert.ok(waits < 100, 'the first copy was carried out after all');
    await sleep(20);
  }
  assert.equal(await world.download(upload.id), judged.toString('latin1'));
});

/** Two contents of one MD5, and so of one ETag (Wang, Feng, Lai, Yu: “Collisions for hash functions”, 2004). */
function collision(): readonly [Buffer<ArrayBuffer>, Buffer<ArrayBuffer>] {
  const one = Buffer.from(
    'd131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a' +
      '085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0' +
      'e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70',
    'hex',
  );
  const other = Buffer.from(one);
  for (const index of [19, 45, 59, 83, 109, 123]) other[index] = (other[index] ?? 0) ^ 0x80;
  assert.equal(hash('md5', one), hash('md5', other));
  assert.ok(!one.equals(other));
  return [one, other];
}

test('what is larger than one copy may be is promoted and copied in parts', async (t) => {
  const s3 = await openEngine(t);
  const world = await openWorld(t, {
    s3,
    endpoint: { ...known, seals: ['promotion', 'service-only'] },
    limits: { maxCopyBytes: 5 * mib, copyPartBytes: 5 * mib },
  });
  const text = 'Large.'.padEnd(11 * mib, '.');
  const upload = await world.announce({ sizeBytes: text.length });
  assert.equal(upload.strategy, 'put');
  assert.equal(await send(requestOf(upload), text), 200);
  await world.complete(upload);
  await world.settle(upload.id, 'ready');
  assert.ok((await world.download(upload.id)) === text);
  const copy = await world.call<{ id: string }>('POST', `/v1/files/${upload.id}/copy`, {});
  await world.settle(copy.id, 'ready');
  assert.ok((await world.download(copy.id)) === text);
});
