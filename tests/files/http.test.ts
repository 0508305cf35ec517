// The HTTP face: who may come in, what is refused and how it says so, what it serves beside the API.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as nodeRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CreatedApiKey, problemSchema, routeNames, routes, sessionSchema } from '@stowage/contract';
import { type RunningFileService, startFileService } from '@stowage/files';
import { PathClient } from './path-client.ts';
import { bucket, serviceOrigin as origin, ServiceFixture, smallParts } from './service-fixture.ts';

const friend = 'https://app.example';
let fixture: ServiceFixture;
let close: () => Promise<void>;
let consoleDirectory: string;

before(async () => {
  consoleDirectory = await mkdtemp(join(tmpdir(), 'stowage-console-'));
  await mkdir(join(consoleDirectory, 'assets'));
  await writeFile(join(consoleDirectory, 'index.html'), '<!doctype html><title>Console</title>');
  await writeFile(join(consoleDirectory, 'assets', 'main-AbCd1234.js'), 'export {};');
  await writeFile(join(consoleDirectory, '..', 'stowage-secret.txt'), 'secret');
  ({ fixture, close } = await ServiceFixture.openShared({
    allowedOrigins: [friend],
    consoleDirectory,
    limits: smallParts,
  }));
});
after(async () => {
  await close();
  await rm(consoleDirectory, { recursive: true, force: true });
  await rm(join(tmpdir(), 'stowage-secret.txt'), { force: true });
});

function signIn(token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fixture.service.fetch(
    new Request(`${origin}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ token }),
    }),
  );
}

test('a sign-in link works once, even for two at the same time, and not after its time', async () => {
  const { service } = fixture;
  const token = await service.issueSignInToken();
  const answers = await Promise.all([signIn(token), signIn(token)]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401]);
  const late = await service.issueSignInToken();
  fixture.advance(2 * 60 * 60_000);
  const refused = await signIn(late);
  assert.equal(refused.status, 401);
  assert.equal(((await refused.json()) as { code: string }).code, 'sign-in-link-used');
});

test('the session cookie is out of reach of scripts and other sites, and ends with the session', async () => {
  const response = await signIn(await fixture.service.issueSignInToken());
  const header = response.headers.get('set-cookie') ?? '';
  assert.match(header, /^stowage_session=[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Lax$/);
  const api = new PathClient(fixture.service, { cookie: header.split(';')[0] ?? '' });
  const session = await api.ask<object>(200, 'GET', '/v1/session');
  assert.deepEqual(sessionSchema.parse(session), session);
  await api.ask(204, 'DELETE', '/v1/session');
  await api.refused('unauthenticated', 'GET', '/v1/session');
});

test('two services of one host keep a browser signed in to both: the port stands in the name of the cookie', async (t) => {
  // A browser sends its cookies to every port of a host (RFC 6265 §8.5), and a name that is taken is overwritten.
  const jar = new Map<string, string>();
  const clients: PathClient[] = [];
  for (const port of [3000, 3001]) {
    const publicUrl = `http://127.0.0.1:${port}`;
    const { service } = await ServiceFixture.open(t, { publicUrl });
    const answer = await service.fetch(
      new Request(`${publicUrl}/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: await service.issueSignInToken() }),
      }),
    );
    const [name = '', value = ''] = (answer.headers.get('set-cookie') ?? '').split(';')[0]?.split('=') ?? [];
    jar.set(name, value);
    clients.push(new PathClient(service, {}));
  }
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  for (const client of clients) {
    const answer = await client.request('GET', '/v1/session', undefined, { cookie });
    assert.equal(answer.status, 200);
  }
});

test('no route but signing in answers a stranger', async () => {
  const stranger = new PathClient(fixture.service, {});
  for (const name of routeNames.filter((candidate) => routes[candidate].access === 'authenticated')) {
    const { method, path } = routes[name];
    const problem = await stranger.refused('unauthenticated', method, path.replace(/\{\w+\}/g, 'x'));
    assert.deepEqual(problemSchema.parse(problem), problem);
  }
  const invented = new PathClient(fixture.service, { cookie: 'stowage_session=invented' });
  await invented.refused('unauthenticated', 'GET', '/v1/files');
});

test('API keys: made by people, shown once, revoked at once', async () => {
  const { client: api } = fixture;
  const key = await api.ask<CreatedApiKey>(201, 'POST', '/v1/keys', { name: 'backup' });
  assert.match(key.secret, /^sk_[\w-]{43}$/);
  const program = new PathClient(api.service, { authorization: `Bearer ${key.secret}` });
  await program.ask(200, 'GET', '/v1/files');
  await program.refused('forbidden', 'POST', '/v1/keys', { name: 'another' });
  const { keys } = await api.ask<{ keys: { id: string; lastUsedAt?: string }[] }>(200, 'GET', '/v1/keys');
  assert.ok(keys.find(({ id }) => id === key.id)?.lastUsedAt);
  assert.equal(JSON.stringify(keys).includes(key.secret), false);
  await api.ask(204, 'DELETE', `/v1/keys/${key.id}`);
  await program.refused('unauthenticated', 'GET', '/v1/files');
  await api.refused('not-found', 'DELETE', `/v1/keys/${key.id}`);
});

test('what changes something must come from here: cross-site requests with the cookie are refused', async () => {
  const { client: api } = fixture;
  const attempt = async (headers: Record<string, string>): Promise<number> =>
    (await api.request('POST', '/v1/uploads', { name: 'x', sizeBytes: 1 }, headers)).status;
  assert.equal(await attempt({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }), 403);
  assert.equal(await attempt({ 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(await attempt({ origin: 'https://evil.example', host: 'files.test' }), 403);
  assert.equal(await attempt({ origin: 'null', host: 'files.test' }), 403);
  assert.equal(await attempt({ 'sec-fetch-site': 'same-origin', origin }), 201);
  assert.equal(await attempt({ origin, host: 'files.test' }), 201);
  assert.equal(await attempt({ 'sec-fetch-site': 'cross-site', origin: friend }), 201);
  const token = await api.service.issueSignInToken();
  assert.equal((await signIn(token, { 'sec-fetch-site': 'cross-site' })).status, 403);
  const form = await api.request('POST', '/v1/uploads', { name: 'x', sizeBytes: 1 }, { 'content-type': 'text/plain' });
  assert.equal(form.status, 400);
});

test('CORS names listed origins alone', async () => {
  const preflight = (from: string): Promise<Response> =>
    fixture.service.fetch(
      new Request(`${origin}/v1/uploads`, {
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'POST' },
      }),
    );
  assert.equal((await preflight(friend)).headers.get('access-control-allow-origin'), friend);
  assert.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null);
});

test('problems say what came and what was expected, with the request’s id', async () => {
  const response = await fixture.client.request('POST', '/v1/uploads', { name: '', sizeBytes: -1 });
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = problemSchema.parse(await response.json());
  assert.equal(problem.type, 'urn:stowage:problem:invalid-request');
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), ['body.name', 'body.sizeBytes']);
  assert.equal(problem.requestId, response.headers.get('x-request-id'));
  await fixture.client.refused('invalid-request', 'GET', '/v1/files?limit=1000');
  await fixture.client.refused('not-found', 'GET', '/v1/files/01AAAAAAAAAAAAAAAAAAAAAAAA');
  await fixture.client.refused('not-found', 'GET', '/v1/nothing');
  await fixture.client.refused('file-too-large', 'POST', '/v1/uploads', { name: 'x', sizeBytes: 5_000_000_000_001 });
});

test('a body too large or not JSON is refused', async () => {
  const { client: api } = fixture;
  const send = async (body: string): Promise<string> => {
    const response = await api.service.fetch(
      new Request(`${origin}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
    );
    return ((await response.json()) as { code: string }).code;
  };
  assert.equal(await send(`{"token":"${'x'.repeat(2 * 1024 * 1024)}"}`), 'request-too-large');
  assert.equal(await send('{"token":'), 'invalid-request');
});

test('too many requests are told when to come again', async (t) => {
  const limited = await ServiceFixture.open(t, { limits: { requestsPerSecond: 1, requestBurst: 3 } });
  const statuses: number[] = [];
  for (let count = 0; count < 4; count++) statuses.push((await limited.client.request('GET', '/v1/session')).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  const response = await limited.client.request('GET', '/v1/session');
  assert.equal(response.headers.get('retry-after'), '1');
  limited.advance(2_000);
  assert.equal((await limited.client.request('GET', '/v1/session')).status, 200);
});

test('the OpenAPI document describes every route, and refers to nothing that is not in it', async () => {
  const document = await fixture.client.ask<OpenApi>(200, 'GET', '/v1/openapi.json');
  assert.equal(document.openapi, '3.1.0');
  const seen = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const operation of Object.values(operations)) {
      seen.add(operation.operationId);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(
        operation.parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name),
        inPath,
      );
      for (const answer of Object.values(operation.responses)) assert.equal(typeof answer.description, 'string');
    }
  }
  assert.deepEqual([...seen].sort(), [...routeNames].sort());
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    let target: unknown = document;
    for (const step of reference.replace('#/', '').split('/')) target = (target as Record<string, unknown>)[step];
    assert.ok(target, reference);
  }
});

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<
      string,
      {
        readonly operationId: string;
        readonly parameters: readonly { readonly name: string; readonly in: string }[];
        readonly responses: Record<string, { readonly description: string }>;
      }
    >
  >;
}

test('the console comes with a strict policy, hashed files for ever, and no file from outside its folder', async () => {
  const { service } = fixture;
  const get = (path: string): Promise<Response> => service.fetch(new Request(`${origin}${path}`));
  const page = await get('/');
  assert.equal(page.status, 200);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(policy.includes(`connect-src 'self' ${new URL(fixture.engine.endpoint).origin}`));
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  assert.equal(await (await get('/some/view')).text(), await page.text());
  const asset = await get('/assets/main-AbCd1234.js');
  assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
  assert.match(asset.headers.get('content-type') ?? '', /^text\/javascript/);
  for (const path of [
    '/assets/none-AbCd1234.js',
    '/..%2fstowage-secret.txt',
    '/%2e%2e/stowage-secret.txt',
    '/%00',
    '/%zz',
  ]) {
    assert.notEqual(await (await get(path)).text(), 'secret', path);
  }
  assert.equal((await get('/assets/none-AbCd1234.js')).status, 404);
  assert.equal((await get('/v1/nothing')).status, 404);
});

test('on a port of its own: health, metrics for loopback, the sign-in link, and a clean end', async () => {
  const started: RunningFileService = await startFileService({
    ...fixture.options,
    database: { path: ':memory:' },
    background: true,
    port: 0,
  });
  try {
    assert.equal((await fetch(`${started.url}/healthz`)).status, 200);
    const link = new URL(await started.signInUrl());
    const token = new URLSearchParams(link.hash.slice(1)).get('token');
    const body = JSON.stringify({ token });
    const headers = { 'content-type': 'application/json', origin: started.url, 'sec-fetch-site': 'same-origin' };
    const response = await fetch(`${started.url}/v1/session`, { method: 'POST', headers, body });
    assert.equal(response.status, 200);
    await response.body?.cancel();
    const metrics = await (await fetch(`${started.url}/metrics`)).text();
    const received = Number(/^stowage_files_received_bytes_total (\d+)$/m.exec(metrics)?.[1]);
    assert.equal(received, Buffer.byteLength(body));
    await new PathClient(fixture.service, {}).refused('unauthenticated', 'GET', '/metrics');

    await started.service.prepared();
    const preflight = await preflightBucket(`${fixture.engine.endpoint}/${bucket}/key`, started.url);
    assert.equal(preflight, started.url, 'the bucket lets the service’s own page send bytes');
  } finally {
    await started.close();
  }
  await assert.rejects(fetch(`${started.url}/healthz`));
});

/** The origin that the bucket allows. `fetch` does not let a program set `Origin` on OPTIONS in every runtime. */
function preflightBucket(url: string, from: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const headers = {
      origin: from,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type,if-none-match',
    };
    nodeRequest(url, { method: 'OPTIONS', headers }, (response) => {
      response.resume();
      resolve(response.headers['access-control-allow-origin']);
    })
      .on('error', reject)
      .end();
  });
}

test('foreign CORS rules of the bucket are kept', async () => {
  const { GetBucketCorsCommand, PutBucketCorsCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, region, credentials } = fixture.engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const foreign = { ID: 'theirs', AllowedOrigins: ['https://theirs.example'], AllowedMethods: ['GET'] };
  const CORSConfiguration = { CORSRules: [foreign] };
  await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration }));
  await fixture.restart();
  await fixture.signIn();
  await fixture.service.prepared();
  const { CORSRules = [] } = await client.send(new GetBucketCorsCommand({ Bucket: bucket }));
  client.destroy();
  assert.deepEqual(CORSRules.map(({ ID }) => ID).sort(), ['stowage-files', 'theirs']);
});
