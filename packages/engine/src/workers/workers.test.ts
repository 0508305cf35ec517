import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { presignUrl, SigningKeys } from '@stowage/s3';
import { type Engine, type EngineOptions, startEngine } from '../engine.ts';
import type { LogFields } from '../log.ts';

const signingKeys = new SigningKeys();

/** Whether the port can be shared here: elsewhere several workers are refused, which is tested too. */
const sharesPorts = process.platform === 'linux';

function presign(engine: Engine, method: string, path: string): string {
  const { credentials, region, endpoint } = engine;
  return presignUrl({
    endpoint,
    method,
    path,
    credentials,
    region,
    nowMs: Date.now(),
    signingKeys,
    expiresSeconds: 60,
  });
}

/** Over a connection of its own, so that any of the workers may get it. */
async function call(
  engine: Engine,
  method: string,
  path: string,
  body?: string | Buffer<ArrayBuffer>,
): Promise<[number, string]> {
  const response = await fetch(presign(engine, method, path), {
    method,
    headers: { connection: 'close' },
    body: body ?? null,
  });
  return [response.status, await response.text()];
}

interface Line {
  readonly message: string;
  readonly fields: LogFields;
}

async function withWorkers(
  use: (engine: Engine, about: { directory: string; threads: Worker[]; errors: Line[] }) => Promise<void>,
  options: EngineOptions = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
  const threads: Worker[] = [];
  const errors: Line[] = [];
  const ignore = (): void => undefined;
  const note = (message: string, fields: LogFields): void => void errors.push({ message, fields });
  const onThread = (thread: Worker): void => void threads.push(thread);
  process.on('worker', onThread);
  try {
    const log = { info: ignore, warn: ignore, error: note };
    const engine = await startEngine({ directory, workers: 2, log, ...options });
    try {
      await use(engine, { directory, threads, errors });
    } finally {
      await engine.close();
    }
  } finally {
    process.off('worker', onThread);
    await rm(directory, { recursive: true });
  }
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, 'What was waited for did not come within ten seconds.');
    await sleep(20);
  }
}

async function metric(engine: Engine, name: string): Promise<number> {
  const text = await (await fetch(`${engine.endpoint}/_stowage/metrics`, { headers: { connection: 'close' } })).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

describe('several workers', { skip: sharesPorts ? false : 'this system cannot share a port' }, () => {
  it('serve one store, and each sees what the others wrote', async () => {
    await withWorkers(async (engine, { threads }) => {
      assert.equal(threads.length, 2);
      assert.deepEqual(await call(engine, 'PUT', '/bucket'), [200, '']);
      for (let round = 0; round < 24; round += 1) {
        assert.equal((await call(engine, 'PUT', '/bucket/key', `round ${round}`))[0], 200);
        assert.deepEqual(await call(engine, 'GET', '/bucket/key'), [200, `round ${round}`]);
      }
      const large = Buffer.alloc(3_000_001, 'large ');
      assert.equal((await call(engine, 'PUT', '/bucket/large', large))[0], 200);
      assert.equal((await call(engine, 'GET', '/bucket/large'))[1].length, large.length);
      assert.equal(engine.store.headObject({ bucket: 'bucket', key: 'large' })?.sizeBytes, large.length);
      assert.equal((await call(engine, 'GET', '/bucket/none'))[0], 404);

      // Whoever is asked answers for all.
      assert.equal(await metric(engine, 'stowage_requests_total{operation="PutObject",status="200"}'), 25);
      assert.equal(await metric(engine, 'stowage_requests_total{operation="GetObject",status="200"}'), 25);
      assert.equal(await metric(engine, 'stowage_workers'), 2);
      const health = await fetch(`${engine.endpoint}/_stowage/health`);
      const { status, durability, scrub } = (await health.json()) as Record<string, unknown>; // service-pages.ts wrote it
      assert.deepEqual([status, durability], ['ok', { level: 'strict' }]);
      assert.notEqual(scrub, undefined, 'what only the main thread knows is there');
    });
  });

  it('replace one that dies, and discard what it had staged', async () => {
    await withWorkers(async (engine, { directory, threads, errors }) => {
      await call(engine, 'PUT', '/bucket');
      await call(engine, 'PUT', '/bucket/kept', Buffer.alloc(2_000_000, 'kept'));
      const blobs = async (): Promise<number> =>
        (await readdir(join(directory, 'blobs'), { recursive: true, withFileTypes: true })).filter((entry) =>
          entry.isFile(),
        ).length;
      assert.equal(await blobs(), 1);
      // Uploads that stand still, several, so that each worker is sure to have one.
      const uploads = Array.from({ length: 12 }, (_, number) => {
        const upload = request(presign(engine, 'PUT', `/bucket/half-${number}`), {
          method: 'PUT',
          headers: { 'content-length': 4_000_000 },
        });
        upload.on('error', () => undefined); // the worker dies under it
        upload.write(Buffer.alloc(2_000_000, 'half'));
        return upload;
      });
      await until(async () => (await blobs()) === 13);
      threads[0]?.postMessage(null); // no command: an error that nobody catches
      await threads[1]?.terminate();
      await until(() => errors.length === 2);
      assert.deepEqual(
        errors.map(({ message }) => message),
        Array(2).fill('A worker ended unexpectedly; another one takes its place'),
      );
      assert.match(errors.map(({ fields }) => String(fields.cause)).join(), /TypeError.*kind/);
      await until(() => threads.length === 4);
      await until(async () => (await blobs()) === 1);
      for (const upload of uploads) upload.destroy();
      await until(async () => (await call(engine, 'GET', '/bucket/kept').catch(() => [0]))[0] === 200);
      await until(async () => (await metric(engine, 'stowage_workers').catch(() => 0)) === 2);
      assert.equal(await metric(engine, 'stowage_workers_replaced_total'), 2);
      assert.equal((await call(engine, 'PUT', '/bucket/after', 'x'))[0], 200);
    });
  });

  it('finish running requests when the engine closes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
    const engine = await startEngine({ directory, workers: 2 });
    await call(engine, 'PUT', '/bucket');
    const answers = Array.from({ length: 8 }, (_, number) => {
      const upload = request(presign(engine, 'PUT', `/bucket/slow-${number}`), {
        method: 'PUT',
        headers: { 'content-length': 10 },
      });
      const answered = new Promise<number>((resolve, reject) => {
        upload.on('error', reject);
        upload.on('response', (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
      });
      upload.write('12345');
      return { upload, answered };
    });
    await until(async () => (await metric(engine, 'stowage_running_requests')) === 9);
    const closing = engine.close();
    await sleep(50);
    for (const { upload } of answers) upload.end('67890');
    assert.deepEqual(await Promise.all(answers.map(({ answered }) => answered)), Array(8).fill(200));
    await closing;
    const again = await startEngine({ directory });
    for (const number of answers.keys()) {
      assert.equal(again.store.headObject({ bucket: 'bucket', key: `slow-${number}` })?.sizeBytes, 10);
    }
    await again.close();
    await rm(directory, { recursive: true });
  });

  it('do not share a port with others', async () => {
    await withWorkers(async (engine) => {
      const port = Number(new URL(engine.endpoint).port);
      const directory = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
      await assert.rejects(startEngine({ directory, port, workers: 2 }), /EADDRINUSE/);
      await assert.rejects(startEngine({ port }), /EADDRINUSE/);
      await rm(directory, { recursive: true });
    });
  });
});

it('several workers are refused what they cannot share', async () => {
  const directory = join(tmpdir(), 'stowage-engine-never-made');
  for (const [options, why] of [
    [{ workers: 2 }, /need a `directory`/],
    [{ workers: 2, directory, clock: Date.now }, /cannot share a `clock`/],
    [{ workers: 2.5, directory }, /2.5 is no number of workers/],
    [{ workers: 1000, directory }, /give 1 to 64/],
  ] as const) {
    await assert.rejects(startEngine(options), why);
  }
});
