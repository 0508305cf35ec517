// Sealing on the engine: what was judged is what is served, by each means; and what it leaves behind is cleaned up.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Engine, startEngine } from '@stowage/engine';
import type { S3Settings } from '@stowage/files';
import { openWorld, requestOf, send } from './endpoint-world.ts';
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
