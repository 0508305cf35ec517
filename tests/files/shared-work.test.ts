// Two instances as processes of their own, on one PostgreSQL and one bucket, share the work: each job is done by one. One that works on a
// job for longer than its lease keeps it; when it is killed in the middle, the other takes it over, and nothing is told or counted twice.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CreatedWebhook, FileEntry, Upload } from '@stowage/contract';
import { startEngine } from '@stowage/engine';
import pg from 'pg';
import { listen } from '../servers/listen.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { bucket, requestOf, sendBytes } from './service-fixture.ts';
import { type Instance, startInstance } from './service-instance.ts';

const leaseMs = 2_000;
/** The longest that anything here takes to come about. */
const patienceMs = 30_000;
const bytes = Buffer.from('what two instances share');

interface Member extends Instance {
  readonly proxy: FaultProxy;
  /** Keys whose bytes it has read to judge them. */
  readonly judged: string[];
}

test('two instances share the jobs; one that is killed in the middle of one is followed by the other', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const engine = await startEngine();
  t.after(() => engine.close());
  const database = { url: await postgres.createDatabase() };
  const secretHex = randomBytes(32).toString('hex');
  const held = { key: '', until: new Promise<void>(() => undefined) };

  const start = async (): Promise<Member> => {
    const proxy = await startFaultProxy(t, engine.endpoint);
    const judged: string[] = [];
    proxy.fault = ({ method, path, headers }) => {
      // Bytes are read in ranges to be judged; only the first of the one that is held has to wait.
      if (method !== 'GET' || headers.range === undefined) return undefined;
      judged.push(path);
      if (!path.endsWith(held.key) || held.key === '') return undefined;
      held.key = '';
      return { kind: 'hold', until: held.until };
    };
    const s3 = {
      endpoint: proxy.endpoint,
      region: engine.region,
      bucket,
      credentials: engine.credentials,
      forcePathStyle: true,
    };
    const limits = { jobLeaseMs: leaseMs };
    const instance = await startInstance(t, { s3, database, limits, secretHex, allowPrivateWebhooks: true });
    return { ...instance, proxy, judged };
  };
  const members = [await start(), await start()];
  const [first, second] = members;
  assert.ok(first && second);
  const ask = await signIn(first);
  const told = await startReceiver(t);
  await ask<CreatedWebhook>(first, 'POST', '/v1/webhooks', {
    url: told.url,
    events: ['file.uploaded', 'file.ready'],
  });

  const uploadTo = async (member: Member, name: string): Promise<Upload> => {
    const body = { name, sizeBytes: bytes.length, contentType: 'text/plain' };
    const upload = await ask<Upload>(member, 'POST', '/v1/uploads', body);
    assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
    return upload;
  };
  const stateOf = async (member: Member, { id }: Upload): Promise<string> =>
    (await ask<FileEntry>(member, 'GET', `/v1/files/${id}`)).state;

  // The work is shared: what one judges, the other does not.
  const shared: Upload[] = [];
  for (let number = 0; number < 8; number++) {
    shared.push(await uploadTo(number % 2 === 0 ? first : second, `shared ${number}.txt`));
  }
  await Promise.all(shared.map(({ id }) => ask(second, 'POST', `/v1/uploads/${id}/complete`)));
  for (const upload of shared) await until(async () => (await stateOf(first, upload)) === 'ready');
  assert.equal(first.judged.filter((key) => second.judged.includes(key)).length, 0, 'a file was judged by both');

  // One is stuck in the middle of a job, for longer than the lease: it lives, and keeps it.
  const stuck = await uploadTo(first, 'stuck.txt');
  held.key = new URL(requestOf(stuck).url).pathname.split('/').at(-1) ?? '';
  const { key } = held;
  await ask(first, 'POST', `/v1/uploads/${stuck.id}/complete`);
  await until(async () => held.key === '');
  const judgedBy = (member: Member): boolean => member.judged.some((path) => path.endsWith(key));
  const [victim, survivor] = judgedBy(first) ? [first, second] : [second, first];
  await sleep(leaseMs * 2.5);
  assert.equal(judgedBy(survivor), false, 'the other took a job whose holder lives');
  assert.notEqual(await stateOf(survivor, stuck), 'ready');

  victim.child.kill('SIGKILL');
  await once(victim.child, 'exit');
  await until(async () => (await stateOf(survivor, stuck)) === 'ready');
  assert.ok(judgedBy(survivor));

  // Every file once, and every word of it once.
  const ids = [...shared, stuck].map(({ id }) => id).sort();
  await until(async () => told.bodies.length >= ids.length * 2);
  await sleep(500);
  for (const type of ['file.uploaded', 'file.ready']) {
    const of = told.bodies.filter((body) => body.type === type).map((body) => body.data.fileId);
    assert.deepEqual(of.sort(), ids, type);
  }
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query("SELECT set_config('stowage.tenant', '*', false)");
    const sums = 'SELECT SUM(used_files) AS files, SUM(used_bytes) AS bytes, SUM(reserved_bytes) AS reserved';
    const { rows } = await client.query(`${sums} FROM usage_totals`);
    assert.deepEqual(Object.values(rows[0] ?? {}).map(Number), [ids.length, ids.length * bytes.length, 0]);
    await until(async () => (await client.query('SELECT id FROM outbox WHERE leased_until_ms > 0')).rows.length === 0);
  } finally {
    await client.end();
  }
});

type Ask = <Body>(member: Member, method: string, path: string, body?: object) => Promise<Body>;

async function signIn(member: Member): Promise<Ask> {
  const response = await fetch(`${member.url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: member.token }),
  });
  assert.equal(response.status, 200, await response.text());
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  return async <Body>({ url }: Member, method: string, path: string, body?: object) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
    // The contract's schemas are checked by the tests of the routes.
    return JSON.parse(text) as Body;
  };
}

interface Told {
  readonly type: string;
  readonly data: { readonly fileId: string };
}

async function startReceiver(t: TestContext): Promise<{ readonly url: string; readonly bodies: Told[] }> {
  const bodies: Told[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // without an encoding they are Buffers
    bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as Told); // written by the service
    response.writeHead(204).end();
  });
  return { url: `${await listen(t, server)}/`, bodies };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'It does not come about.');
    await sleep(50);
  }
}
