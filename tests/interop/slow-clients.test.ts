// Clients that take their time: many of them share little memory and starve nobody, and one that trickles is given up.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Engine, type EngineOptions, startEngine } from '@stowage/engine';
import { type BodyWriter, type ObjectStore, openDiskStore, openMemoryStore } from '@stowage/store';
import { alice } from './engine-fixture.ts';
import { presignedTarget, RawClient } from './raw-client.ts';

const bucket = 'slow-clients';
const kib = 1024;
const mib = 1024 * kib;

interface Setting {
  readonly engine: Engine;
  /** Begins a PUT of a length, without its body. */
  readonly begin: (key: string, sizeBytes: number) => RawClient;
}

async function useSetting(t: TestContext, options: EngineOptions): Promise<Setting> {
  const engine = await startEngine({ accounts: [alice], ...options });
  await engine.store.createBucket({ name: bucket, owner: alice.id, region: engine.region });
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await engine.close();
    await options.store?.close();
  });
  const begin = (key: string, sizeBytes: number): RawClient => {
    const client = new RawClient(engine);
    clients.push(client);
    const target = presignedTarget(engine, 'PUT', `/${bucket}/${key}`);
    const { host } = new URL(engine.endpoint);
    return client.send(`PUT ${target} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${sizeBytes}\r\n\r\n`);
  };
  return { engine, begin };
}

/** A store on disk whose large bodies share the memory of eight pieces. */
async function openTightStore(t: TestContext): Promise<ObjectStore> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-slow-'));
  t.after(() => rm(directory, { recursive: true }));
  return openDiskStore({ directory, sizes: { gatherMemoryBytes: mib, pieceMemoryBytes: 2 * mib } });
}

it('a body that trickles is given up, one that is slow is not', async (t) => {
  const limits = { bodyMinBytesPerSecond: 2_000, bodyRateWindowMs: 200, lingerMs: 100 };
  const { engine, begin } = await useSetting(t, { limits });
  const trickling = begin('trickling', 10_000);
  const slow = begin('slow', 10_000);
  const answered = trickling.answer({ untilClosed: true });
  for (let sent = 0; sent < 10_000; sent += 500) {
    trickling.send('x');
    slow.send('x'.repeat(500));
    await delay(50); // 20 bytes a second, and 10,000
  }
  const refused = await answered;
  assert.deepEqual([refused.status, refused.code, refused.closed], [400, 'RequestTimeout', true]);
  assert.match(refused.text, /less than 2000 bytes a second/);
  assert.equal((await slow.answer()).status, 200);
  assert.equal(engine.store.headObject({ bucket, key: 'trickling' }), undefined);
});

it('time in which the disk is slow is not counted against the client', async (t) => {
  const store = openMemoryStore();
  const slowed = new Proxy(store, {
    get(target, name) {
      if (name === 'stageBody') {
        return (options: Parameters<ObjectStore['stageBody']>[0]): BodyWriter => {
          const writer = target.stageBody(options);
          return {
            write: (chunk) => delay(500).then(() => writer.write(chunk)),
            finish: () => writer.finish(),
            discard: () => writer.discard(),
          };
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const limits = { bodyMinBytesPerSecond: 100 * kib, bodyRateWindowMs: 150 };
  const { begin } = await useSetting(t, { store: slowed, limits });
  const client = begin('key', 1000);
  client.send('x'.repeat(1000));
  assert.equal((await client.answer()).status, 200);
});

it('eighty slow uploads share the memory of eight, and a quick one passes them by', async (t) => {
  const { engine, begin } = await useSetting(t, { store: await openTightStore(t) });
  const sizeBytes = mib + 200 * kib;
  const bodies = Array.from({ length: 80 }, (_, index) => Buffer.alloc(sizeBytes, `body ${index} `));
  const clients = bodies.map((_, index) => begin(`slow-${index}`, sizeBytes));
  const stepBytes = 100 * kib;
  // Half of each, and then they stand still.
  for (let at = 0; at < sizeBytes / 2; at += stepBytes) {
    for (const [index, client] of clients.entries())
      client.send((bodies[index] ?? bodies[0])?.subarray(at, at + stepBytes) ?? '');
    await delay(5);
  }
  const quick = begin('quick', 2 * mib).send(Buffer.alloc(2 * mib, 'q'));
  assert.equal((await quick.answer()).status, 200);
  const sent = Math.ceil(sizeBytes / 2 / stepBytes) * stepBytes;
  for (const [index, client] of clients.entries()) client.send(bodies[index]?.subarray(sent) ?? '');
  for (const [index, client] of clients.entries()) {
    const answer = await client.answer();
    assert.equal(answer.status, 200, answer.text);
    const etag = createHash('md5')
      .update(bodies[index] ?? '')
      .digest('hex');
    assert.equal(engine.store.headObject({ bucket, key: `slow-${index}` })?.etag, etag);
  }
});
