// Requests that no honest client sends: whatever comes, the answer is a problem of the contract, never an internal error, and
// nothing is changed by it.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { problemSchema, problems, type RouteName, routeNames, routes } from '@stowage/contract';
import fc from 'fast-check';
import { startPostgres } from '../servers/postgres-server.ts';
import { readProblem, ServiceFixture, serviceOrigin } from './service-fixture.ts';

const bodies: Partial<Record<RouteName, object>> = {
  signParts: { partNumbers: [1] },
  releaseQuarantined: { reason: 'x' },
  createLink: {},
  changeGroup: { name: 'x' },
  addGroupMember: { userId: 'x' },
};

/** A request to a route, with whatever body. */
function requestTo(
  files: ServiceFixture,
  name: RouteName,
  id: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Request {
  const { method, path } = routes[name];
  const url = serviceOrigin + path.replace('{id}', id).replace('{preset}', 'thumbnail').replace('{userId}', 'x');
  const headers = { cookie: files.cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  return new Request(url, { method, headers, ...(body === undefined ? {} : { body }) });
}

test('an id that is nobody’s is not found, on every route that takes one', async (t) => {
  await findNobodys(await ServiceFixture.open(t), hostileIds);
});

test('the same on PostgreSQL, which keeps no NUL character', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const files = await ServiceFixture.open(t, { database: { url: await postgres.createDatabase() } });
  await findNobodys(files, ['x', '%00']);
  const nul = { name: 'a', sizeBytes: 1, tags: ['\0'] };
  await files.refused('invalid-request', 'createUpload', { body: nul });
  await files.refused('invalid-request', 'createUpload', { body: { ...nul, tags: [], metadata: { 'a\0': 'b' } } });
  await files.refused('invalid-request', 'listFiles', { query: { name: '\0' } });
  await files.call('createUpload', { body: { ...nul, tags: ['\\u0000'] } });
  assert.deepEqual(files.complaints, []);
});

const hostileIds = [
  '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  'x',
  "' OR 1=1 --",
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%E0%A4%A',
  '%F0%9F%8E%B9',
  'a'.repeat(4000),
];

async function findNobodys(files: ServiceFixture, ids: readonly string[]): Promise<void> {
  for (const name of routeNames.filter((candidate) => routes[candidate].path.includes('{id}'))) {
    for (const id of ids) {
      const body = bodies[name];
      const request = requestTo(files, name, id, body === undefined ? undefined : JSON.stringify(body));
      await readProblem('not-found', await files.send(request));
    }
  }
  assert.deepEqual(files.complaints, []);
}

test('every fault of a body is named, with its place', async (t) => {
  const files = await ServiceFixture.open(t);
  const faults: readonly [RouteName, unknown, readonly string[]][] = [
    ['createUpload', {}, ['body.name', 'body.sizeBytes']],
    ['createUpload', { name: 7, sizeBytes: '1' }, ['body.name', 'body.sizeBytes']],
    ['createUpload', { name: 'a', sizeBytes: 1.5 }, ['body.sizeBytes']],
    ['createUpload', { name: 'a', sizeBytes: -1 }, ['body.sizeBytes']],
    ['createUpload', { name: 'a', sizeBytes: 2 ** 60 }, ['body.sizeBytes']],
    ['createUpload', { name: '長'.repeat(342), sizeBytes: 1 }, ['body.name']],
    ['createUpload', { name: 'a', sizeBytes: 1, folder: ['ok', ''] }, ['body.folder.1']],
    ['createUpload', { name: 'a', sizeBytes: 1, folder: new Array(65).fill('a') }, ['body.folder']],
    ['createUpload', { name: 'a', sizeBytes: 1, modifiedAt: 'yesterday' }, ['body.modifiedAt']],
    ['createUpload', [], ['body']],
    ['createUpload', null, ['body']],
    ['signParts', { partNumbers: [] }, ['body.partNumbers']],
    ['signParts', { partNumbers: [0, 1, 10_001] }, ['body.partNumbers.0', 'body.partNumbers.2']],
    ['signParts', { partNumbers: new Array(101).fill(1) }, ['body.partNumbers']],
    ['createLink', { disposition: 'evil' }, ['body.disposition']],
    ['createKey', { name: '' }, ['body.name']],
    ['signIn', { token: '' }, ['body.token']],
  ];
  for (const [name, body, places] of faults) {
    const response = await files.send(requestTo(files, name, 'x', JSON.stringify(body)));
    const problem = await readProblem('invalid-request', response);
    assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), places, JSON.stringify(body));
    for (const { message } of problem.errors ?? []) assert.ok(message.length > 0);
  }
});

test('queries, cursors and headers out of range are refused', async (t) => {
  const files = await ServiceFixture.open(t);
  const cursorOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const query of [
    { limit: '0' },
    { limit: '201' },
    { limit: 'NaN' },
    { limit: '1e9' },
    { sort: 'state' },
    { sort: 'name; DROP TABLE files' },
    { name: 'x'.repeat(257) },
    { cursor: 'no cursor' },
    { cursor: cursorOf(null) },
    { cursor: cursorOf({}) },
    { cursor: cursorOf(['-createdAt', {}, 'x']) },
    { cursor: cursorOf(['-createdAt', null, 'x']) },
    { cursor: cursorOf(['name', 'a', 'x']) },
    { cursor: 'x'.repeat(2049) },
  ]) {
    await files.refused('invalid-request', 'listFiles', { query });
  }
  const body = { name: 'a', sizeBytes: 1 };
  for (const key of ['', ' ', 'a b', 'ä', 'x'.repeat(256)]) {
    await files.refused('invalid-request', 'createUpload', { body, headers: { 'idempotency-key': key } });
  }
  assert.deepEqual(files.rows(), []);
});

test('credentials that are none are refused alike, and a cookie does not help a wrong key', async (t) => {
  const files = await ServiceFixture.open(t);
  for (const headers of [
    { cookie: 'stowage_session=' },
    { cookie: `stowage_session=${'x'.repeat(10_000)}` },
    { cookie: 'stowage_session=%E0%A4%A; other=1' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer sk_' },
    { authorization: 'Basic b3duZXI6' },
    { authorization: 'Bearer sk_unknown', cookie: files.cookie },
  ]) {
    const response = await files.send(new Request(`${serviceOrigin}/v1/files`, { headers }));
    await readProblem('unauthenticated', response);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
  }
});

test('names that are no well-formed text are kept without harm', async (t) => {
  const files = await ServiceFixture.open(t);
  const body = '{"name":"lone \\ud800 surrogate.txt","sizeBytes":1,"__proto__":{"polluted":true},"state":"ready"}';
  const response = await files.send(requestTo(files, 'createUpload', '', body));
  assert.equal(response.status, 201);
  const upload = (await response.json()) as { readonly name: string; readonly state: string };
  assert.equal(upload.name, 'lone \ufffd surrogate.txt');
  assert.equal(upload.state, 'pending');
  assert.equal('polluted' in {}, false);
});

test('whatever bytes a body holds, the answer is of the contract', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { signInsPerMinute: 100_000, requestBurst: 100_000 } });
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const withBody = routeNames.filter((name) => routes[name].body !== undefined);
  const body = fc.oneof(
    fc.json({ maxDepth: 4 }).map((text) => new TextEncoder().encode(text)),
    fc.uint8Array({ maxLength: 64 }),
    fc
      .record({ name: fc.string({ unit: 'binary' }), sizeBytes: fc.maxSafeInteger(), contentType: fc.string() })
      .map((value) => new TextEncoder().encode(JSON.stringify(value))),
    fc.constant(new TextEncoder().encode('['.repeat(100_000))),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...withBody), body, async (name, bytes) => {
      const response = await files.send(requestTo(files, name, 'x', new Uint8Array(bytes)));
      const text = await response.text();
      if (response.status === routes[name].status) {
        routes[name].response?.parse(JSON.parse(text));
        return;
      }
      const problem = problemSchema.parse(JSON.parse(text));
      assert.equal(response.status, problems[problem.code].status);
      assert.ok(response.status < 500, text);
    }),
    { seed, numRuns: 200 },
  );
  assert.deepEqual(files.complaints, []);
});
