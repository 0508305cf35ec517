// `stowage start` as a process: engine, file service and console over one data folder.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { presignUrl, SigningKeys } from '@stowage/s3';
import { type ServerProcess, startServer } from '../../scripts/serving/start-server.ts';
import { runCommand } from './run-command.ts';

describe('stowage start', () => {
  let folder = '';
  let server: ServerProcess | undefined;
  const start = async (): Promise<ServerProcess> => {
    server = await startServer({ args: ['start', '--port', '0', '--s3-port', '0', '--data', join(folder, 'data')] });
    return server;
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-cli-'));
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('says which option moves a taken S3 port', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)); // listening on TCP
    });
    try {
      const args = ['start', '--port', '0', '--s3-port', String(port), '--data', join(folder, 'data')];
      const { status, stderr } = await runCommand(args);
      assert.equal(status, 3, stderr);
      assert.match(stderr, /the S3 endpoint needs it/);
      assert.match(stderr, /--s3-port \d+|choose another port/);
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  it('names a free port for each option when one is taken, as a command that can be typed', async () => {
    const [first, second] = [createServer(), createServer()];
    const ports: number[] = [];
    for (const taken of [first, second]) {
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      ports.push((taken.address() as { port: number }).port); // listening on TCP
    }
    try {
      const [port, s3Port] = ports;
      const args = ['start', '--port', `${port}`, '--s3-port', `${s3Port}`, '--data', join(folder, 'data')];
      const { status, stderr } = await runCommand(args, { npm_lifecycle_event: 'start' });
      assert.equal(status, 3, stderr);
      const [, free, s3Free] = /choose free ones: npm start -- --port (\d+) --s3-port (\d+)/.exec(stderr) ?? [];
      assert.ok(free !== undefined && s3Free !== undefined, stderr);
      assert.equal(new Set([...ports.map(String), free, s3Free]).size, 4, stderr);
    } finally {
      for (const taken of [first, second]) await new Promise((resolve) => taken.close(resolve));
    }
  });

  it('serves the console, and signs in once by its link', async () => {
    const { summary } = await start();
    assert.match(summary.get('Scanner') ?? '', /^none: files are not scanned for malware/);
    const link = new URL(summary.get('Console') ?? '');
    const page = await fetch(new URL('/', link));
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    const token = new URLSearchParams(link.hash.replace(/^#\/?/, '')).values().next().value ?? '';
    const signIn = (): Promise<Response> =>
      fetch(new URL('/v1/session', link), {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: link.origin },
        body: JSON.stringify({ token }),
      });
    const first = await signIn();
    assert.equal(first.status, 200, await first.text());
    assert.match(first.headers.get('set-cookie') ?? '', /HttpOnly/i);
    assert.notEqual((await signIn()).status, 200);
  });

  it('keeps keys and objects from one start to the next', async () => {
    const first = server ?? (await start());
    const put = await fetch(urlFor(first, 'PUT'), { method: 'PUT', body: 'kept' });
    assert.equal(put.status, 200, await put.text());
    assert.equal(await first.stop(), 0);
    const second = await start();
    assert.deepEqual(second.credentials, first.credentials);
    assert.equal(await (await fetch(urlFor(second, 'GET'))).text(), 'kept');
  });
});

function urlFor(server: ServerProcess, method: 'GET' | 'PUT'): string {
  return presignUrl({
    method,
    endpoint: server.endpoint,
    path: '/stowage/kept-by-test',
    credentials: server.credentials,
    region: 'us-east-1',
    nowMs: Date.now(),
    expiresSeconds: 600,
    signingKeys: new SigningKeys(),
  });
}
