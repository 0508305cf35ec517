import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { operationNames, presignUrl, SigningKeys } from '@stowage/s3';
import { openMemoryStore } from '@stowage/store';
import { type Engine, startEngine } from './engine.ts';
import { operationStatus } from './handlers.ts';
import type { LogFields } from './log.ts';
import { tls } from './tls.fixture.ts';

function presign(engine: Engine, method: string, path: string, endpoint: string = engine.endpoint): string {
  const { credentials, region } = engine;
  return presignUrl({
    endpoint,
    method,
    path,
    credentials,
    region,
    nowMs: Date.now(),
    signingKeys: new SigningKeys(),
    expiresSeconds: 60,
  });
}

async function createBucket(engine: Engine, name: string): Promise<void> {
  const response = await fetch(presign(engine, 'PUT', `/${name}`), { method: 'PUT' });
  assert.equal(response.status, 200, await response.text());
}

describe('startEngine', () => {
  it('serves on a free port with a key of its own', async () => {
    const engine = await startEngine();
    try {
      assert.match(engine.endpoint, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.match(engine.credentials.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
      assert.equal(engine.credentials.secretAccessKey.length, 40);
      await createBucket(engine, 'one');
      assert.equal(engine.store.getBucket('one')?.region, 'us-east-1');
      const response = await fetch(presign(engine, 'GET', '/'));
      assert.match(await response.text(), /<Name>one<\/Name>/);
      assert.equal(response.headers.get('server'), 'Stowage');
      assert.match(response.headers.get('x-amz-request-id') ?? '', /^[0-9A-F]{16}$/);
      assert.notEqual(response.headers.get('x-amz-id-2'), null);
      assert.notEqual(response.headers.get('date'), null);
    } finally {
      await engine.close();
    }
  });

  it('refuses a clock that says no time, at once or when it comes to it', async () => {
    const refusal = { name: 'RangeError', message: /^The clock that was passed in says .*: expected milliseconds/ };
    for (const nowMs of [-1, 2 ** 48, Number.NaN]) await assert.rejects(startEngine({ clock: () => nowMs }), refusal);
    let nowMs = Date.now();
    const engine = await startEngine({ clock: () => nowMs });
    try {
      await createBucket(engine, 'one');
      const right = nowMs;
      nowMs = Number.NaN;
      const put = presign(engine, 'PUT', '/two');
      assert.equal((await fetch(put, { method: 'PUT' })).status, 500);
      nowMs = right;
      assert.equal(engine.store.getBucket('two'), undefined);
      await createBucket(engine, 'two');
    } finally {
      await engine.close();
    }
  });

  it('says which port is taken, and leaves nothing open', async () => {
    const engine = await startEngine();
    const port = Number(new URL(engine.endpoint).port);
    await assert.rejects(startEngine({ port }), /EADDRINUSE/);
    await engine.close();
    await (await startEngine({ port })).close();
  });

  it('leaves a store open that it was given', async () => {
    const store = openMemoryStore();
    const engine = await startEngine({ store });
    await createBucket(engine, 'kept');
    await engine.close();
    const again = await startEngine({ store });
    assert.equal(again.store.getBucket('kept')?.name, 'kept');
    await again.close();
    await store.close();
  });

  it('keeps what it stored in its folder', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
    t.after(() => rm(directory, { recursive: true }));
    const credentials = { accessKeyId: 'AKIAKEPT000000000000', secretAccessKey: 'kept' };
    const engine = await startEngine({ directory, credentials });
    await createBucket(engine, 'one');
    const put = await fetch(presign(engine, 'PUT', '/one/k'), { method: 'PUT', body: 'bytes' });
    assert.equal(put.status, 200);
    await engine.close();
    const again = await startEngine({ directory, credentials });
    t.after(() => again.close());
    assert.equal(await (await fetch(presign(again, 'GET', '/one/k'))).text(), 'bytes');
    await assert.rejects(startEngine({ directory }), /open/);
    await assert.rejects(startEngine({ durability: { level: 'strict' } }), /needs a directory/);
  });

  it('finds the bucket in the host', async () => {
    const engine = await startEngine({ domain: 's3.test' });
    try {
      await createBucket(engine, 'my.bucket');
      const port = new URL(engine.endpoint).port;
      for (const host of [`my.bucket.s3.test:${port}`, `my.bucket.localhost:${port}`]) {
        const url = new URL(presign(engine, 'PUT', '/a/b', `http://${host}`));
        const status = await new Promise((resolve, reject) => {
          const sent = request(
            { port, method: 'PUT', path: url.pathname + url.search, headers: { host } },
            (response) => {
              response.resume();
              resolve(response.statusCode);
            },
          );
          sent.on('error', reject);
          sent.end('x');
        });
        assert.equal(status, 200);
      }
      assert.equal(engine.store.headObject({ bucket: 'my.bucket', key: 'a/b' })?.sizeBytes, 1);
    } finally {
      await engine.close();
    }
  });

  it('serves over TLS', async (t) => {
    const engine = await startEngine({ tls });
    t.after(() => engine.close());
    assert.match(engine.endpoint, /^https:/);
    const url = new URL(presign(engine, 'PUT', '/secure'));
    const status = await new Promise((resolve, reject) => {
      const sent = requestSecurely(url, { method: 'PUT', ca: tls.cert }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end();
    });
    assert.equal(status, 200);
    await assert.rejects(fetch(engine.endpoint.replace('https:', 'http:')));
  });

  it('shows its health and figures to the machine it runs on', async () => {
    const engine = await startEngine();
    try {
      const health = await fetch(`${engine.endpoint}/_stowage/health`);
      assert.deepEqual(await health.json(), { status: 'ok', durability: { level: 'memory' } });
      await createBucket(engine, 'one');
      const metrics = await (await fetch(`${engine.endpoint}/_stowage/metrics`)).text();
      assert.match(metrics, /stowage_requests_total\{operation="CreateBucket",status="200"\} 1\n/);
      assert.equal((await fetch(`${engine.endpoint}/_stowage/other`)).status, 404);
      assert.equal((await fetch(`${engine.endpoint}/_stowage/health`, { method: 'POST' })).status, 405);
    } finally {
      await engine.close();
    }
  });

  it('writes one line for each request, without secrets', async () => {
    const lines: { message: string; fields: LogFields }[] = [];
    const take = (message: string, fields: LogFields): void => {
      lines.push({ message, fields });
    };
    const engine = await startEngine({ log: { info: take, warn: take, error: take } });
    await createBucket(engine, 'one');
    await (await fetch(`${engine.endpoint}/one/k?X-Amz-Signature=abc`)).text();
    await engine.close();
    assert.deepEqual(
      lines.map(({ message, fields }) => [
        message,
        fields.operation,
        fields.method,
        fields.path,
        fields.status,
        fields.code,
      ]),
      [
        ['request', 'CreateBucket', 'PUT', '/one', 200, undefined],
        ['request', 'GetObject', 'GET', '/one/k', 400, 'AuthorizationQueryParametersError'],
      ],
    );
    const text = JSON.stringify(lines);
    assert.doesNotMatch(text, /X-Amz|abc/);
    assert.equal(text.includes(engine.credentials.secretAccessKey), false);
  });

  it('answers what it does not expect with InternalError, and tells only the log why', async () => {
    const store = openMemoryStore();
    store.listBuckets = () => {
      throw new Error('the cellar is flooded');
    };
    const errors: LogFields[] = [];
    const ignore = (): void => undefined;
    const engine = await startEngine({
      store,
      log: { info: ignore, warn: ignore, error: (_, fields) => errors.push(fields) },
    });
    const response = await fetch(presign(engine, 'GET', '/'));
    const text = await response.text();
    await engine.close();
    await store.close();
    assert.equal(response.status, 500);
    assert.match(text, /<Code>InternalError<\/Code>/);
    assert.doesNotMatch(text, /cellar/);
    assert.equal(errors[0]?.requestId, response.headers.get('x-amz-request-id'));
    assert.match(String(errors[0]?.cause), /the cellar is flooded/);
  });
});

/** A PUT of two bytes, of which none is sent yet. */
function beginPut(engine: Engine): ClientRequest {
  const url = new URL(presign(engine, 'PUT', '/one/k'));
  const { hostname: host, port, pathname, search } = url;
  return request({ host, port, method: 'PUT', path: pathname + search, headers: { 'content-length': 2 } });
}

describe('close', () => {
  it('lets a running request finish, and takes no new one', async (t) => {
    const engine = await startEngine();
    t.after(() => engine.close());
    await createBucket(engine, 'one');
    const sent = beginPut(engine);
    const answered = new Promise((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
    });
    sent.write('a');
    await setTimeout(30);
    const closed = engine.close();
    await assert.rejects(fetch(`${engine.endpoint}/_stowage/health`));
    sent.end('b');
    assert.equal(await answered, 200);
    await closed;
  });

  it('cuts a request that outlasts the grace', async (t) => {
    const engine = await startEngine({ limits: { closeGraceMs: 50 } });
    t.after(() => engine.close());
    await createBucket(engine, 'one');
    const sent = beginPut(engine);
    const cut = new Promise((resolve) => sent.on('error', resolve));
    sent.write('a');
    await setTimeout(30);
    await engine.close();
    await cut;
  });
});

describe('operationStatus', () => {
  it('has a row for every operation', () => {
    assert.deepEqual(Object.keys(operationStatus).sort(), [...operationNames].sort());
    assert.equal(operationStatus.PutObject, 'built');
    assert.equal(operationStatus.PutBucketPolicy, 'not-built');
  });
});

describe('clients that hold on to what others need', () => {
  it('are closed first when they have signed nothing, and no more connections are to be had', async () => {
    const engine = await startEngine({ limits: { connections: 10 } });
    const { hostname, port } = new URL(engine.endpoint);
    const idle = Array.from({ length: 30 }, () => connect(Number(port), hostname).on('error', () => undefined));
    try {
      await setTimeout(100);
      await createBucket(engine, 'reached');
    } finally {
      for (const socket of idle) socket.destroy();
      await engine.close();
    }
  });

  it('are cut off when they take too little of an answer, and not while they take enough', async () => {
    const limits = { answerMinBytesPerSecond: 500_000, answerRateWindowMs: 1_500 };
    const cut = Promise.withResolvers<unknown>();
    const engine = await startEngine({
      limits,
      log: {
        requests: 'all',
        info: (_message: string, { operation, sentBytes }: LogFields) => {
          if (operation === 'GetObject') cut.resolve(sentBytes);
        },
        warn: () => undefined,
        error: () => undefined,
      },
    });
    try {
      await createBucket(engine, 'slow');
      const url = presign(engine, 'PUT', '/slow/large');
      assert.equal((await fetch(url, { method: 'PUT', body: Buffer.alloc(40_000_000) })).status, 200);
      const asked = request(presign(engine, 'GET', '/slow/large'), (answer) => {
        // A little now and then: it never stands still.
        const trickle = setInterval(() => answer.read(1000), 20);
        answer.on('close', () => clearInterval(trickle)).on('error', () => undefined);
      });
      asked.on('error', () => undefined);
      asked.end();
      assert.ok(Number(await cut.promise) < 40_000_000, 'it was given up before its end');
      asked.destroy();
      const whole = await fetch(presign(engine, 'GET', '/slow/large'));
      assert.equal((await whole.arrayBuffer()).byteLength, 40_000_000);
    } finally {
      await engine.close();
    }
  });
});
