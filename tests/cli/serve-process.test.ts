// `stowage serve` as a process of its own, over an engine in another: checked, started, and ended in each of the ways there are.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FileState, uploadSchema } from '@stowage/contract';
import { type ServerProcess, startServer } from '../../scripts/serving/start-server.ts';
import { runCommand } from './run-command.ts';

const bucket = 'served';

/** Somebody who is signed in at a service. */
class Visitor {
  readonly #origin: string;
  readonly #cookie: string;

  private constructor(origin: string, cookie: string) {
    this.#origin = origin;
    this.#cookie = cookie;
  }

  static async signIn(server: ServerProcess): Promise<Visitor> {
    const link = new URL(server.summary.get('API') ?? '');
    const token = new URLSearchParams(link.hash.slice(1)).get('token');
    const body = JSON.stringify({ token });
    const response = await fetch(new URL('/v1/session', link), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    assert.equal(response.status, 200, await response.text());
    return new Visitor(link.origin, response.headers.get('set-cookie')?.split(';')[0] ?? '');
  }

  ask(method: string, path: string, body?: object): Promise<Response> {
    return fetch(new URL(path, this.#origin), {
      method,
      headers: { cookie: this.#cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async upload(text: string): Promise<string> {
    const announced = { name: 'a.txt', sizeBytes: text.length, contentType: 'text/plain' };
    const upload = uploadSchema.parse(await (await this.ask('POST', '/v1/uploads', announced)).json());
    assert.ok(upload.request);
    const { method, url, headers } = upload.request;
    assert.equal((await fetch(url, { method, headers, body: text })).status, 200);
    await this.ask('POST', `/v1/uploads/${upload.id}/complete`);
    await this.state(upload.id, 'ready');
    return upload.id;
  }

  async state(id: string, wanted: FileState): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const { state } = uploadSchema.parse(await (await this.ask('GET', `/v1/uploads/${id}`)).json());
      if (state === wanted) return;
      await sleep(100);
    }
    assert.fail(`${id} does not become ${wanted}`);
  }
}

describe('stowage serve', { timeout: 120_000 }, () => {
  let folder = '';
  let engine: ServerProcess;
  const running: ServerProcess[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-serve-'));
    engine = await startServer({ args: ['engine', '--durability', 'memory', '--port', '0', '--log-level', 'silent'] });
  });
  after(async () => {
    for (const each of running) await each.stop();
    engine.child.kill('SIGCONT');
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const environment = (over: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    STOWAGE_S3_ENDPOINT: engine.endpoint,
    STOWAGE_BUCKET: bucket,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: engine.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: engine.credentials.secretAccessKey,
    STOWAGE_CONSOLE: 'false',
    STOWAGE_PORT: '0',
    ...over,
  });
  const serve = async (data: string, over: Readonly<Record<string, string>> = {}): Promise<ServerProcess> => {
    const server = await startServer({ args: ['serve', '--data', join(folder, data)], environment: environment(over) });
    running.push(server);
    return server;
  };

  it('checks everything and makes nothing', async () => {
    const args = ['serve', '--check', '--data', join(folder, 'checked')];
    const good = await runCommand(args, environment());
    assert.equal(good.status, 0, good.stdout + good.stderr);
    const made = `${join(folder, 'checked', 'files', 'files.sqlite')}: is not there; the first start makes it with its folder, in ${folder}\n`;
    assert.ok(/ok +database /.test(good.stdout) && good.stdout.includes(made), good.stdout);
    assert.match(good.stdout, /ok +bucket +served at http.*the first start makes it/);
    const bad = await runCommand(
      args,
      environment({
        DATABASE_URL: 'postgres://somebody:hunter2@127.0.0.1:1/none',
        STOWAGE_SECRET: 'ab'.repeat(32),
        CLAMD: '127.0.0.1:1',
        AWS_SECRET_ACCESS_KEY: 'not-the-secret',
      }),
    );
    assert.equal(bad.status, 7, bad.stdout + bad.stderr);
    for (const part of ['database', 'bucket', 'scanner']) assert.match(bad.stdout, new RegExp(`FAILED +${part}`));
    assert.doesNotMatch(bad.stdout + bad.stderr, /hunter2|not-the-secret/);
    assert.match(bad.stdout, /answers 403 for the bucket served: the access key or its secret is wrong/);
    assert.match(bad.stdout, /Not ready: database, bucket, scanner\./);
    assert.doesNotMatch(bad.stdout, /try again|UnknownError|(ECONNREFUSED).*\1/i);
    const wrong = await runCommand(args, environment({ STOWAGE_BUCKET: '' }));
    assert.equal(wrong.status, 2, wrong.stderr);
  });

  it('keeps files over the endpoint, and answers a waiting request before it ends', async () => {
    const server = await serve('kept');
    const visitor = await Visitor.signIn(server);
    await visitor.upload('hello');
    const created = await visitor.ask('POST', '/v1/uploads', { name: 'b', sizeBytes: 1 });
    const { id } = uploadSchema.parse(await created.json());
    const waiting = visitor.ask('GET', `/v1/uploads/${id}?wait=25&state=pending`);
    await sleep(300);
    const startedAtMs = performance.now();
    server.child.kill('SIGTERM');
    assert.equal((await waiting).status, 200);
    assert.equal(await server.ended, 0, server.output());
    assert.ok(performance.now() - startedAtMs < 10_000, 'it did not wait for what nobody waits for');
    assert.match(server.output(), /Stopped\./);
    const again = await serve('kept');
    const list = await (await (await Visitor.signIn(again)).ask('GET', '/v1/files')).text();
    assert.match(list, /a\.txt/);
    assert.equal(await again.stop(), 0);
  });

  it('gives back a job that does not end in time, and the next start does it', async () => {
    // Bytes are removed once no address is good that could write them anew.
    const server = await serve('leased', { STOWAGE_SHUTDOWN_SECONDS: '1', STOWAGE_LIMITS: '{"urlLifeMs": 1000}' });
    const database = join(folder, 'leased', 'files', 'files.sqlite');
    const visitor = await Visitor.signIn(server);
    const id = await visitor.upload('to be purged');
    // The endpoint takes connections and says nothing: what a gateway without disks does.
    engine.child.kill('SIGSTOP');
    try {
      assert.equal((await visitor.ask('DELETE', `/v1/files/${id}`)).status, 204);
      assert.equal((await visitor.ask('DELETE', `/v1/trash/${id}`)).status, 204);
      for (let tries = 0; readJobs(database).some(({ leased }) => leased === 0) && tries < 100; tries += 1)
        await sleep(100);
      assert.ok(readJobs(database).every(({ kind, leased }) => kind === 'purge' && leased > 0));
      server.child.kill('SIGTERM');
      assert.equal(await server.ended, 0, server.output());
    } finally {
      engine.child.kill('SIGCONT');
    }
    assert.deepEqual(readJobs(database), [{ kind: 'purge', leased: 0 }]);
    const again = await serve('leased');
    await (await Visitor.signIn(again)).state(id, 'purged');
    assert.equal(await again.stop(), 0);
  });

  it('ends at once at the second signal', async () => {
    const silent = createServer(() => undefined);
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port)); // listening on TCP
    });
    try {
      const server = await serve('at-once', {
        STOWAGE_S3_ENDPOINT: `http://127.0.0.1:${port}`,
        STOWAGE_SHUTDOWN_SECONDS: '60',
      });
      const visitor = await Visitor.signIn(server);
      const hanging = visitor.ask('POST', '/v1/uploads', { name: 'c', sizeBytes: 1 }).catch(() => undefined);
      await sleep(300);
      server.child.kill('SIGTERM');
      await sleep(500);
      server.child.kill('SIGTERM');
      assert.equal(await server.ended, 130, server.output());
      await hanging;
    } finally {
      silent.close();
    }
  });
});

function readJobs(path: string): readonly { readonly kind: string; readonly leased: number }[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database.prepare('SELECT kind, leased_until_ms AS leased FROM outbox').all();
    return rows.map(({ kind, leased }) => ({ kind: String(kind), leased: Number(leased) }));
  } finally {
    database.close();
  }
}
