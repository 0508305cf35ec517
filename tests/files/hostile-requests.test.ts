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

test('what came and what was expected is said in our words, and no secret is said again', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { signInsPerMinute: 100_000 } });
  const upload = { name: 'a', sizeBytes: 1 };
  const bodies: readonly [RouteName, unknown, string][] = [
    ['createUpload', { sizeBytes: 1 }, 'body.name: nothing came; expected text.'],
    ['createUpload', { ...upload, name: '' }, 'body.name: "" came; expected text of at least 1 character.'],
    ['createUpload', { ...upload, sizeBytes: '9' }, 'body.sizeBytes: "9" came; expected a number.'],
    ['createUpload', { ...upload, sizeBytes: 1.5 }, 'body.sizeBytes: 1.5 came; expected a whole number.'],
    ['createUpload', { ...upload, sizeBytes: null }, 'body.sizeBytes: null came; expected a number.'],
    ['createUpload', { ...upload, tags: 'x\u0007\u202e' }, 'body.tags: "x\\u0007[U+202E]" came; expected a list.'],
    ['createUpload', { ...upload, folder: [{}] }, 'body.folder.0: an object came; expected text.'],
    ['createUpload', { ...upload, modifiedAt: 'now' }, '"now" came; expected a time like 2026-11-21T09:30:00Z.'],
    [
      'createUpload',
      { ...upload, metadata: { ['k'.repeat(101)]: '' } },
      '(101 characters) came; expected another name',
    ],
    [
      'createUpload',
      { ...upload, name: '長'.repeat(342) },
      '(342 characters) came; expected at most 1024 bytes of UTF-8.',
    ],
    ['createUpload', 'hunter2', 'body: 7 characters came; expected an object.'],
    ['createLink', { disposition: 'evil' }, 'body.disposition: "evil" came; expected one of attachment, inline.'],
    [
      'createWebhook',
      { url: 'ftp://x/hunter2' },
      'body.url: "ftp://…" came; expected an address that begins with http://',
    ],
    ['createShare', {}, 'body: an object came; expected either fileId or folderId.'],
    ['createShare', { fileId: 'x', password: 'xyz' }, 'body.password: 3 characters came; expected text of at least 4'],
    ['changePassword', { password: 'hunter2' }, 'body.password: 7 characters came; expected text of at least 10'],
    ['signIn', { token: 'hunter2', code: 12 }, 'body.code: a number came; expected text.'],
    ['signIn', { email: 'a@b.c', password: ['hunter2'] }, 'body.password: a list of 1 came; expected text.'],
    [
      'createUpload',
      { ...upload, contenttype: 'hunter2' },
      'body.contenttype: there is no such field; did you mean contentType?',
    ],
    ['createUpload', { ...upload, nme: 'x' }, 'body.nme: there is no such field; did you mean name?'],
    ['createUpload', { ...upload, zzzz: 'x' }, 'body.zzzz: there is no such field.'],
    [
      'createUploads',
      { uploads: [{ ...upload, nam: 'x' }] },
      'body.uploads.0.nam: there is no such field; did you mean name?',
    ],
    [
      'createTenant',
      { name: 'x', owner: { name: 'x', mail: 'x' } },
      'body.owner.mail: there is no such field; did you mean email?',
    ],
    ['signIn', { token: 'hunter2', cod: '123456' }, 'body.cod: there is no such field; did you mean code?'],
    ['signIn', { token: 'hunter2', email: 'a@b.c' }, 'body.email: it does not go together with the others that came.'],
  ];
  for (const [name, body, detail] of bodies) await refusedAs(requestTo(files, name, 'x', JSON.stringify(body)), detail);
  const queries: readonly [string, string][] = [
    ['/v1/files?limit=abc', 'query.limit: "abc" came; expected a number.'],
    ['/v1/files?limit=201', 'query.limit: "201" came; expected a number of at most 200.'],
    ['/v1/files?sort=state', 'query.sort: "state" came; expected one of name, -name,'],
    ['/v1/files?folderid=x', 'query.folderid: there is no such parameter; did you mean folderId?'],
    ['/v1/files?limit=1&limit=2', 'came 2 times'],
    ['/v1/session?x=1', 'query.x: there is no such parameter.'],
    ['/v1/search?type=image', 'query.type: "image" came; expected a type like image/png or image/*.'],
    ['/v1/search?type=image%2Fpng', 'query: an object came; expected q, or a tag, to search by.'],
    ['/v1/archive?files=%20', 'query.files: " " came; expected up to 100 ids with commas between.'],
    ['/v1/usage?from=yesterday', 'query.from: "yesterday" came; expected a day like 2026-11-21.'],
  ];
  for (const [path, detail] of queries) {
    await refusedAs(new Request(serviceOrigin + path, { headers: { cookie: files.cookie } }), detail);
  }

  async function refusedAs(request: Request, detail: string): Promise<void> {
    const problem = await readProblem('invalid-request', await files.send(request));
    assert.ok(problem.detail?.includes(detail), `${problem.detail}\nis not\n${detail}`);
    assert.doesNotMatch(JSON.stringify(problem), /hunter2|Invalid|Too (small|big)|received|>=|NaN/);
  }
});

test('no route passes over a parameter or a field that it does not know', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { signInsPerMinute: 100_000, requestBurst: 100_000 } });
  for (const name of routeNames) {
    // What is sent there is made by a provider, which may add to it.
    if (name === 'finishOidcSignIn') continue;
    const body = routes[name].body === undefined ? undefined : '{"notKnown":1}';
    const plain = requestTo(files, name, 'x', body);
    if (body !== undefined) await refusesNotKnown(name, plain, 'body');
    await refusesNotKnown(
      name,
      new Request(`${plain.url}?notKnown=1`, { method: plain.method, headers: { cookie: files.cookie } }),
      'query',
    );
  }

  async function refusesNotKnown(name: RouteName, request: Request, place: string): Promise<void> {
    const problem = await readProblem('invalid-request', await files.send(request));
    assert.ok(
      problem.errors?.some(
        ({ path, message }) => path === `${place}.notKnown` && message.startsWith('there is no such'),
      ),
      `${name}: ${JSON.stringify(problem)}`,
    );
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

test('a cursor that was made up is refused, on every list', async (t) => {
  await refuseForged(await ServiceFixture.open(t));
});

test('so it is on PostgreSQL, whose columns take no other values', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  await refuseForged(await ServiceFixture.open(t, { database: { url: await postgres.createDatabase() } }));
});

async function refuseForged(files: ServiceFixture): Promise<void> {
  const lists: readonly [RouteName, string, Readonly<Record<string, string>>][] = [
    ['listFiles', '-createdAt', {}],
    ['listFiles', 'sizeBytes', { sort: 'sizeBytes' }],
    ['listFiles', '-name', { sort: '-name' }],
    ['listFiles', 'name', { sort: 'name', name: 'x' }],
    ['listUploads', '-createdAt', {}],
    ['listTrash', 'trash', {}],
    ['search', 'found', { q: 'x' }],
    ['listFolders', 'name', {}],
  ];
  for (const [name, order, query] of lists) {
    const isText = order.endsWith('name');
    const good = isText ? 'a' : 1;
    const bad = isText ? [1, 'a\0', '\ud800'] : ['1', 'abc', 1.5, 1e300, 2 ** 53];
    const forged: readonly unknown[] = [
      ...bad.map((value) => [order, value, 'x']),
      ...['', 'x\0', '\udc00', 'x y', 'x'.repeat(65), 7].map((id) => [order, good, id]),
    ];
    const ask = (parts: unknown): Promise<Response> => {
      const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url');
      const url = `${serviceOrigin}${routes[name].path}?${new URLSearchParams({ ...query, cursor })}`;
      return files.send(new Request(url, { headers: { cookie: files.cookie } }));
    };
    for (const parts of forged) {
      const { detail } = await readProblem('invalid-request', await ask(parts));
      assert.match(detail ?? '', /Start again without one/, `${name} ${JSON.stringify(parts)}`);
    }
    assert.equal((await ask([order, good, 'x'])).status, 200, name);
  }
  assert.deepEqual(files.complaints, []);
}

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
  const body = '{"name":"lone \\ud800 surrogate.txt","sizeBytes":1,"metadata":{"__proto__":"polluted"}}';
  const response = await files.send(requestTo(files, 'createUpload', '', body));
  assert.equal(response.status, 201);
  const upload = (await response.json()) as { readonly name: string; readonly state: string };
  assert.equal(upload.name, 'lone \ufffd surrogate.txt');
  assert.equal(upload.state, 'pending');
  assert.equal('polluted' in {}, false);
  const more = '{"name":"a","sizeBytes":1,"__proto__":{"polluted":true},"state":"ready"}';
  await readProblem('invalid-request', await files.send(requestTo(files, 'createUpload', '', more)));
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
