import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { presignUrl, SigningKeys } from '@stowage/s3';
import { type Engine, startEngine } from './engine.ts';

async function send(engine: Engine, method: string, path: string, durability?: string): Promise<Response> {
  const { endpoint, credentials, region } = engine;
  const signing = { nowMs: Date.now(), signingKeys: new SigningKeys(), expiresSeconds: 60 };
  const url = presignUrl({ endpoint, method, path, credentials, region, ...signing });
  const headers: HeadersInit = durability === undefined ? {} : { 'x-stowage-durability': durability };
  return fetch(url, { method, headers, ...(method === 'PUT' ? { body: '' } : {}) });
}

async function shown(engine: Engine, bucket: string): Promise<string | null> {
  return (await send(engine, 'HEAD', `/${bucket}`)).headers.get('x-stowage-durability');
}

async function engineOnDisk(t: TestContext, region: string): Promise<Engine> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
  const engine = await startEngine({ directory, region });
  t.after(async () => {
    await engine.close();
    await rm(directory, { recursive: true });
  });
  return engine;
}

describe('x-stowage-durability', () => {
  it('sets the level of a new bucket, and is shown by HeadBucket, health and metrics', async (t) => {
    const engine = await engineOnDisk(t, 'us-east-1');
    for (const [bucket, durability] of [
      ['usual', undefined],
      ['sure', 'strict'],
      ['soon', 'interval=50'],
      ['loose', 'memory'],
    ] as const) {
      assert.equal((await send(engine, 'PUT', `/${bucket}`, durability)).status, 200);
      assert.equal(await shown(engine, bucket), durability ?? 'strict');
    }
    assert.equal((await send(engine, 'PUT', '/loose/key', 'strict')).status, 200);
    const health: unknown = await (await fetch(`${engine.endpoint}/_stowage/health`)).json();
    assert.partialDeepStrictEqual(health, {
      status: 'ok',
      durability: { level: 'strict' },
      bucketsByDurability: { memory: 1, interval: 1, strict: 1 },
    });
    const metrics = await (await fetch(`${engine.endpoint}/_stowage/metrics`)).text();
    for (const line of [
      'stowage_default_durability_info{level="strict"} 1',
      'stowage_bucket_durability_info{bucket="soon",level="interval",interval_seconds="0.05"} 1',
      'stowage_bucket_durability_info{bucket="loose",level="memory"} 1',
    ]) {
      assert.ok(metrics.split('\n').includes(line), line);
    }
  });

  it('refuses what is no durability, and says what is', async (t) => {
    const engine = await engineOnDisk(t, 'us-east-1');
    for (const wrong of ['', 'STRICT', 'safe', 'interval', 'interval=0', 'interval=60001', 'interval=5ms', '50']) {
      const answer = await send(engine, 'PUT', '/bucket', wrong);
      const text = await answer.text();
      assert.equal(answer.status, 400, wrong);
      assert.match(text, /<Code>InvalidArgument<\/Code>/);
      assert.match(text, /give strict, memory, or interval=N with 1 to 60000/);
      assert.match(text, /<ArgumentName>x-stowage-durability<\/ArgumentName>/);
    }
    assert.equal((await send(engine, 'HEAD', '/bucket')).status, 404);
  });

  it('does not pretend to change a bucket that is there', async (t) => {
    const engine = await engineOnDisk(t, 'us-east-1');
    await send(engine, 'PUT', '/bucket', 'memory');
    assert.equal((await send(engine, 'PUT', '/bucket', 'memory')).status, 200);
    assert.equal((await send(engine, 'PUT', '/bucket')).status, 200);
    const refused = await send(engine, 'PUT', '/bucket', 'strict');
    assert.equal(refused.status, 409);
    assert.match(await refused.text(), /BucketAlreadyOwnedByYou/);
    assert.equal(await shown(engine, 'bucket'), 'memory');
  });

  it('is taken by an engine in memory, which shows what holds there', async () => {
    const engine = await startEngine();
    try {
      assert.equal((await send(engine, 'PUT', '/bucket', 'strict')).status, 200);
      assert.equal((await send(engine, 'PUT', '/bucket', 'strict')).status, 200);
      assert.equal(await shown(engine, 'bucket'), 'memory');
    } finally {
      await engine.close();
    }
  });
});
