// What the service refuses is what its OpenAPI document says, by status and by code: for every route what stands before all handlers
// refuses, which the document derives from the route's row; and of what only a handler knows, what nearly nobody meets.

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { type ProblemCode, problemsOf, type RouteName, routeNames, routes } from '@stowage/contract';
import { DocumentJudge, readDocument } from './document-judge.ts';
import { ServiceFixture, serviceOrigin } from './service-fixture.ts';

interface Refusals {
  readonly files: ServiceFixture;
  readonly judge: DocumentJudge;
}

interface Provocation {
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of each parameter of the path. */
  readonly parameter?: string;
  readonly query?: string;
  /** Sent where the route takes a body. */
  readonly body?: string;
}

const kib = 1024;

async function openRefusals(t: TestContext): Promise<Refusals> {
  const files = await ServiceFixture.open(t, {
    limits: { maxRequestBodyBytes: kib, requestBurst: 10_000, signInsPerMinute: 10_000 },
  });
  return { files, judge: new DocumentJudge(readDocument()) };
}

/** The routes that refuse what was provoked with this problem. Whatever they answer is judged. */
async function refusing(code: ProblemCode, { files, judge }: Refusals, how: Provocation): Promise<RouteName[]> {
  const found: RouteName[] = [];
  for (const name of routeNames) {
    const { method, path, body } = routes[name];
    const url = new URL(path.replace(/\{\w+\}/g, how.parameter ?? 'NOBODY') + (how.query ?? ''), serviceOrigin);
    const sends = how.body !== undefined && body !== undefined;
    const headers = { ...how.headers, ...(sends ? { 'content-type': 'application/json' } : {}) };
    const request = new Request(url, { method, headers, ...(sends ? { body: how.body ?? '' } : {}) });
    const response = await files.send(request);
    await judge.judge(request, response);
    const answer: unknown = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined;
    await response.body?.cancel().catch(() => undefined);
    if (typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === code) found.push(name);
  }
  return found;
}

const routesThat = (are: (name: RouteName) => boolean): RouteName[] => routeNames.filter(are);

/** By the row alone, whatever the handler may answer besides. */
const follows =
  (code: ProblemCode) =>
  (name: RouteName): boolean =>
    problemsOf({ ...routes[name], problems: [] }).includes(code);

test('a judge holds a problem to its code, not to its status alone', async () => {
  const judge = new DocumentJudge(readDocument());
  const request = new Request(new URL('/v1/files/ID/content', serviceOrigin));
  const answer = (code: string): Response =>
    Response.json(
      { type: `urn:stowage:problem:${code}`, title: 'No.', status: 409, code },
      { status: 409, headers: { 'content-type': 'application/problem+json' } },
    );
  await judge.judge(request, answer('bytes-missing'));
  await assert.rejects(judge.judge(request, answer('name-taken')), /getContent answered 409/);
});

test('what stands before all handlers refuses on each route that the document names, and on no other', async (t) => {
  const refusals = await openRefusals(t);
  const { files } = refusals;
  const { cookie } = files;
  const { secret } = await files.call('createKey', { body: { name: 'k', scopes: ['usage:read'] } });
  const byKey = { authorization: `Bearer ${secret}` };

  const withoutUse = (name: RouteName): boolean => follows('forbidden')(name) && routes[name].requires !== 'usage:read';
  assert.deepEqual(await refusing('forbidden', refusals, { headers: byKey }), routesThat(withoutUse));
  assert.deepEqual(
    await refusing('cross-site', refusals, { headers: { cookie, 'sec-fetch-site': 'cross-site' } }),
    routesThat(follows('cross-site')),
  );
  assert.deepEqual(
    await refusing('cross-site', refusals, { headers: { ...byKey, 'sec-fetch-site': 'cross-site' } }),
    [],
  );
  assert.deepEqual(
    await refusing('unauthenticated', refusals, { headers: { authorization: 'Bearer sk_nobody' } }),
    routesThat(follows('unauthenticated')),
  );
  assert.deepEqual(
    await refusing('not-found', refusals, { headers: { cookie }, parameter: '%00', query: '?nobody=1' }),
    routesThat(follows('not-found')),
  );
  // Providers of sign-in add what they like to their callback.
  assert.deepEqual(
    await refusing('invalid-request', refusals, { headers: { cookie }, query: '?nobody=1' }),
    routesThat((name) => name !== 'finishOidcSignIn'),
  );
});

test('a body that is too large, and a tenant that is suspended, are refused where the document says', async (t) => {
  const refusals = await openRefusals(t);
  const { files } = refusals;
  const body = JSON.stringify({ pad: 'x'.repeat(2 * kib) });
  // What takes no body is asked too, and done: by a key that can end little.
  const { secret } = await files.call('createKey', { body: { name: 'k', scopes: ['files:read', 'files:write'] } });
  const scoped = (name: RouteName): boolean => {
    const { access, requires } = routes[name];
    return (
      access === 'public' ||
      (access !== 'person' && (requires === null || ['files:read', 'files:write'].includes(requires)))
    );
  };
  assert.deepEqual(
    await refusing('request-too-large', refusals, { headers: { authorization: `Bearer ${secret}` }, body }),
    routesThat((name) => follows('request-too-large')(name) && scoped(name)),
  );
  const { tenant, owner } = await files.call('createTenant', { body: { name: 'Other', owner: { name: 'Bo' } } });
  const cookie = await files.signInBy(owner.invitation.url);
  await files.call('changeTenant', { id: tenant.id, body: { suspended: true } });
  assert.deepEqual(
    await refusing('tenant-suspended', refusals, { headers: { cookie } }),
    routesThat(follows('tenant-suspended')),
  );
});

test('what a handler alone refuses is in the document too', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = { name: 'x', sizeBytes: 1 };
  const { id } = await files.upload('a.txt', 'text/plain', Buffer.from('abc'));
  await files.refused('not-found', 'createUpload', { body: { ...upload, folderId: 'NOBODY' } });
  await files.refused('not-found', 'createUpload', { body: { ...upload, versionOf: 'NOBODY' } });
  await files.refused('name-taken', 'createUpload', { body: { ...upload, name: 'a.txt', onConflict: 'refuse' } });
  const { secret } = await files.call('createKey', { body: { name: 'k', scopes: ['files:read'] } });
  const headers = { authorization: `Bearer ${secret}` };
  await files.refused('forbidden', 'deleteFile', { id, headers });

  const database = new DatabaseSync(files.databasePath);
  database.prepare('UPDATE files SET missing_since_ms = 1 WHERE id = ?').run(id);
  database.close();
  await files.refused('bytes-missing', 'getContent', { id });
  await files.refused('bytes-missing', 'createLink', { id, body: {} });
  await files.refused('bytes-missing', 'getPreview', { id });
  await files.refused('bytes-missing', 'getArchive', { query: { files: id } });
});
