// `stowage engine` as a process: what a taken port, a taken folder, signals and kill -9 do to it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { presignUrl, SigningKeys, signRequest } from '@stowage/s3';
import { type ServerProcess, startServer } from '../../scripts/serving/start-server.ts';
import { runCommand } from './run-command.ts';

const signingKeys = new SigningKeys();

describe('stowage engine', () => {
  let folder = '';
  let servers: ServerProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-cli-'));
    servers = [];
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (...args: readonly string[]): Promise<ServerProcess> => {
    const server = await startServer({ args: ['engine', '--port', '0', '--data', join(folder, 'data'), ...args] });
    servers.push(server);
    return server;
  };

  it('says which port is taken, how to choose another, and exits with 3', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)); // listening on TCP
    });
    try {
      const { status, stderr } = await runCommand(['engine', '--port', String(port), '--data', join(folder, 'data')]);
      assert.equal(status, 3, stderr);
      assert.match(stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use`));
      assert.match(stderr, /choose a free one: --port \d+|choose another port/);
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  it('lets one process at a time have a data folder', async () => {
    await start();
    const { status, stderr } = await runCommand(['engine', '--port', '0', '--data', join(folder, 'data')]);
    assert.equal(status, 4, stderr);
    assert.match(stderr, /is in use by another stowage process/);
  });

  it('makes a key once, keeps it readable by its owner alone, and prints it', async () => {
    const first = await start();
    const path = join(folder, 'data', 'credentials.json');
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), first.credentials);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await first.stop(), 0);
    const second = await start();
    assert.deepEqual(second.credentials, first.credentials);
  });

  it('takes its key from the environment, and does not print that secret', async () => {
    const key = { STOWAGE_ACCESS_KEY_ID: 'from-outside', STOWAGE_SECRET_ACCESS_KEY: 'a-secret-of-mine' };
    const server = await startServer({
      args: ['engine', '--port', '0', '--data', join(folder, 'data')],
      environment: key,
    });
    servers.push(server);
    assert.equal(server.credentials.accessKeyId, 'from-outside');
    assert.doesNotMatch(server.output(), /a-secret-of-mine/);
    const credentials = { accessKeyId: key.STOWAGE_ACCESS_KEY_ID, secretAccessKey: key.STOWAGE_SECRET_ACCESS_KEY };
    assert.equal(await makeBucket(server.endpoint, credentials), 200);
  });

  for (const workers of process.platform === 'linux' ? ['1', '3'] : ['1']) {
    it(`keeps every acknowledged object through kill -9, with --workers ${workers}`, async () => {
      const first = await start('--workers', workers);
      assert.equal(await makeBucket(first.endpoint, first.credentials), 200);
      const bodies = new Map<string, Buffer>();
      for (let index = 0; index < 20; index += 1) bodies.set(`small/${index}`, randomBytes(1_000 + index));
      bodies.set('large', randomBytes(6_000_000));
      for (const [key, body] of bodies) {
        const answer = await fetch(urlFor(first, 'PUT', key), { method: 'PUT', body: new Uint8Array(body) });
        assert.equal(answer.status, 200, await answer.text());
      }
      first.child.kill('SIGKILL');
      await first.ended;
      const second = await start();
      for (const [key, body] of bodies) {
        const answer = await fetch(urlFor(second, 'GET', key));
        assert.equal(answer.status, 200, key);
        assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body), key);
      }
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`finishes a running upload on ${signal}, and exits with 0`, async () => {
      const server = await start();
      await makeBucket(server.endpoint, server.credentials);
      const body = randomBytes(3_000_000);
      // A client that would keep its connection open must not hold up the end.
      const agent = new Agent({ keepAlive: true });
      const upload = openUpload(urlFor(server, 'PUT', 'half'), body.length, agent);
      upload.outgoing.write(body.subarray(0, 1_000_000));
      await sleep(200);
      server.child.kill(signal);
      await sleep(400);
      assert.equal(server.child.exitCode, null, 'still running');
      upload.outgoing.end(body.subarray(1_000_000));
      assert.equal((await upload.answer).statusCode, 200);
      const stoppedAt = performance.now();
      assert.equal(await server.ended, 0);
      assert.ok(performance.now() - stoppedAt < 5_000, 'an idle connection held up the end');
      agent.destroy();
      const again = await start();
      const read = await fetch(urlFor(again, 'GET', 'half'));
      assert.ok(Buffer.from(await read.arrayBuffer()).equals(body));
    });
  }

  it('ends with 0 after bodies so large that a thread of their own hashed them', async () => {
    const server = await start();
    await makeBucket(server.endpoint, server.credentials);
    for (const key of ['one', 'two']) {
      const answer = await fetch(urlFor(server, 'PUT', key), { method: 'PUT', body: new Uint8Array(8_000_000) });
      assert.equal(answer.status, 200, await answer.text());
    }
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0, server.output());
    assert.match(server.output(), /Stopped\./);
  });

  it('ends at once, with 130, on a second Ctrl-C, but takes a doubled signal for one', async () => {
    const server = await start();
    await makeBucket(server.endpoint, server.credentials);
    const upload = openUpload(urlFor(server, 'PUT', 'never'), 3_000_000, new Agent());
    upload.outgoing.write(randomBytes(1_000));
    upload.answer.catch(() => undefined); // the connection is cut below
    await sleep(200);
    server.child.kill('SIGINT');
    await sleep(20);
    server.child.kill('SIGINT');
    await sleep(400);
    assert.equal(server.child.exitCode, null, 'a doubled signal is one key press');
    server.child.kill('SIGINT');
    assert.equal(await server.ended, 130);
  });
});

function urlFor(server: ServerProcess, method: 'GET' | 'PUT', key: string): string {
  const { endpoint, credentials } = server;
  const path = `/bucket/${key}`;
  const region = 'us-east-1';
  return presignUrl({
    method,
    endpoint,
    path,
    credentials,
    region,
    nowMs: Date.now(),
    expiresSeconds: 600,
    signingKeys,
  });
}

async function makeBucket(endpoint: string, credentials: ServerProcess['credentials']): Promise<number> {
  const options = { endpoint, path: '/bucket', credentials, region: 'us-east-1', nowMs: Date.now(), signingKeys };
  const { url, headers } = signRequest({ method: 'PUT', ...options });
  const answer = await fetch(url, { method: 'PUT', headers });
  await answer.text();
  return answer.status;
}

function openUpload(
  url: string,
  sizeBytes: number,
  agent: Agent,
): { readonly outgoing: ClientRequest; readonly answer: Promise<IncomingMessage> } {
  const outgoing = request(url, { method: 'PUT', agent, headers: { 'content-length': sizeBytes } });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (message) => {
      message.resume();
      message.on('end', () => resolve(message));
    });
  });
  return { outgoing, answer };
}
