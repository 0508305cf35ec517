// A tenant never reaches what is another's: every route of the contract is called by one tenant's owner with the other's ids, in
// its path, its query and its body, by the names that these have. A route, or a field for an id, that nobody has said anything
// about here fails the test. Design §6, invariant 11. On both databases.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type RouteName, routeNames, routes } from '@stowage/contract';
import { z } from 'zod';
import { startPostgres } from '../servers/postgres-server.ts';
import { requestOf, ServiceFixture, sendBytes, serviceOrigin } from './service-fixture.ts';

/** In every name that the other tenant gives: no answer to anybody else may hold it. */
const mark = 'BEE-ONLY';

/** One of each thing that a tenant has. */
interface Things {
  readonly tenant: string;
  readonly file: string;
  readonly version: string;
  readonly trashed: string;
  readonly upload: string;
  readonly folder: string;
  readonly share: string;
  readonly key: string;
  readonly user: string;
  readonly group: string;
  readonly grant: string;
  readonly session: string;
  readonly webhook: string;
  readonly delivery: string;
}

/** What the ids in a path name: `{id}` by where it stands, others by their names. */
const collections: Readonly<Record<string, keyof Things | 'nobody’s'>> = {
  '/v1/uploads/{id}': 'upload',
  '/v1/files/{id}': 'file',
  '/v1/trash/{id}': 'trashed',
  '/v1/folders/{id}': 'folder',
  '/v1/shares/{id}': 'share',
  '/v1/keys/{id}': 'key',
  '/v1/webhooks/{id}': 'webhook',
  '/v1/account/sessions/{id}': 'session',
  '/v1/admin/tenants/{id}': 'tenant',
  '/v1/admin/users/{id}': 'user',
  '/v1/admin/groups/{id}': 'group',
  '/v1/admin/grants/{id}': 'grant',
  '/v1/admin/quarantine/{id}': 'version',
  /** Of the service, and not of a tenant. */
  '/v1/admin/reconcile/{id}': 'nobody’s',
};
const parameters: Readonly<Record<string, keyof Things | 'nobody’s'>> = {
  versionId: 'version',
  deliveryId: 'delivery',
  userId: 'user',
  /** Of a preview: a word of the contract. */
  preset: 'nobody’s',
  /** Where one signs in: of the service's settings. */
  provider: 'nobody’s',
};

/** What fields of bodies and queries name. */
const fields: Readonly<Record<string, keyof Things | 'nobody’s'>> = {
  folderId: 'folder',
  parentId: 'folder',
  fileId: 'file',
  versionOf: 'file',
  version: 'version',
  files: 'file',
  folders: 'folder',
  userId: 'user',
  groupId: 'group',
  // Who signs in names their own tenant, and shows that they are of it.
  tenantId: 'nobody’s',
};
/** Fields that only narrow one's own list down. */
const filters: ReadonlySet<string> = new Set(['actorId', 'subjectId']);

/** A body that would do, if it named one's own: for each route that takes one. */
const bodies: Readonly<Partial<Record<RouteName, (own: Things) => Readonly<Record<string, unknown>>>>> = {
  signIn: () => ({ token: 'x' }),
  createUpload: () => ({ name: 'a', sizeBytes: 1 }),
  createUploads: () => ({ uploads: [{ name: 'a', sizeBytes: 1 }] }),
  signParts: () => ({ partNumbers: [1] }),
  changeFile: () => ({ tags: ['a'] }),
  copyFile: () => ({}),
  createLink: () => ({}),
  createFolder: () => ({ name: 'made' }),
  changeFolder: () => ({ name: 'changed' }),
  createShare: () => ({}),
  createKey: () => ({ name: 'k' }),
  changePassword: () => ({ password: 'long enough to be one' }),
  confirmSecondFactor: () => ({ code: '000000' }),
  removeSecondFactor: () => ({ code: '000000' }),
  createTenant: () => ({ name: 'x', owner: { name: 'x' } }),
  changeTenant: () => ({ name: 'x' }),
  createUser: () => ({ name: 'x', role: 'viewer' }),
  changeUser: () => ({ name: 'x' }),
  createGroup: () => ({ name: 'x' }),
  changeGroup: () => ({ name: 'another name' }),
  addGroupMember: ({ user }) => ({ userId: user }),
  createGrant: ({ user }) => ({ folderId: '', role: 'viewer', userId: user }),
  createWebhook: () => ({ url: 'https://hooks.example.com/a', events: ['file.ready'] }),
  changeWebhook: () => ({ enabled: false }),
  releaseQuarantined: () => ({ reason: 'x' }),
  startReconcile: () => ({}),
};
/** Fields of which only one may be named: the other is left out. */
const exclusive: Readonly<Record<string, string>> = { groupId: 'userId' };

/** Routes that end what the test calls with, or that take nothing to name: they are called last or not at all. */
const untried: ReadonlySet<RouteName> = new Set(['signOut', 'signIn', 'beginOidcSignIn', 'finishOidcSignIn']);

/** Names of id-like properties of a schema, however deep. */
function idFields(schema: z.ZodType | undefined): readonly string[] {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('properties' in value && typeof value.properties === 'object' && value.properties !== null) {
      for (const name of Object.keys(value.properties)) {
        if (name in fields || filters.has(name) || /Ids?$/.test(name)) found.add(name);
      }
    }
    for (const item of Object.values(value)) walk(item);
  };
  if (schema !== undefined) walk(z.toJSONSchema(schema, { io: 'input' }));
  return [...found];
}

async function openThings(files: ServiceFixture, as: string, name: string): Promise<Things> {
  const { user, tenant } = await files.call('getSession', { as });
  const { id: folder } = await files.call('createFolder', { as, body: { name: `${name} folder` } });
  const put = async (
    over: { readonly versionOf?: string; readonly folderId?: string } = {},
  ): Promise<{ id: string; fileId: string }> => {
    const bytes = Buffer.from(name);
    const announced = { name: `${name}.txt`, sizeBytes: bytes.length, contentType: 'text/plain', ...over };
    const upload = await files.call('createUpload', { as, body: announced });
    assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
    await files.call('completeUpload', { as, id: upload.id });
    await files.tick();
    return upload;
  };
  const { fileId: file, id: version } = await put({ folderId: folder });
  await put({ versionOf: file });
  const { fileId: trashed } = await put();
  await files.call('deleteFile', { as, id: trashed });
  const { id: upload } = await files.call('createUpload', { as, body: { name: `${name} on its way`, sizeBytes: 9 } });
  const { id: group } = await files.call('createGroup', { as, body: { name: `${name} group` } });
  const { id: grant } = await files.call('createGrant', {
    as,
    body: { folderId: folder, role: 'viewer', groupId: group },
  });
  const { id: share } = await files.call('createShare', { as, body: { fileId: file } });
  const { id: key } = await files.call('createKey', { as, body: { name: `${name} key` } });
  const { sessions } = await files.call('listSessions', { as });
  const { id: webhook } = await files.call('createWebhook', {
    as,
    body: { url: `https://hooks.example.com/${name}`, events: ['file.ready'] },
  });
  await files.call('testWebhook', { as, id: webhook });
  const { deliveries } = await files.call('listDeliveries', { as, id: webhook });
  return {
    tenant: tenant.id,
    file,
    version,
    trashed,
    upload,
    folder,
    share,
    key,
    user: user.id,
    group,
    grant,
    session: sessions[0]?.id ?? '',
    webhook,
    delivery: deliveries[0]?.id ?? '',
  };
}

interface Attempt {
  readonly path: string;
  readonly body?: unknown;
  /** What was put in: for messages. */
  readonly foreign: string;
  /** Whether it only narrows a list of one's own down. */
  readonly isFilter?: boolean;
}

/** Every way to call a route with another's ids. Fails where nobody has said what a parameter, field or body is. */
function attemptsOf(name: RouteName, own: Things, foreign: Things): readonly Attempt[] {
  const { path, query, body } = routes[name];
  const attempts: Attempt[] = [];
  const given = body === undefined ? undefined : bodies[name]?.(own);
  assert.equal(given === undefined, body === undefined, `${name} takes a body: say in \`bodies\` what would do`);

  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter);
  const kindOf = (parameter: string): keyof Things | 'nobody’s' => {
    const collection = Object.keys(collections).find((prefix) => path === prefix || path.startsWith(`${prefix}/`));
    const kind = parameter === 'id' ? collections[collection ?? ''] : parameters[parameter];
    assert.ok(kind, `${name}: nobody has said what {${parameter}} of ${path} names`);
    return kind;
  };
  const fill = (foreignParameters: readonly string[]): string =>
    path.replace(/\{(\w+)\}/g, (_whole, parameter: string) => {
      const kind = kindOf(parameter);
      if (kind === 'nobody’s') return 'thumbnail';
      return (foreignParameters.includes(parameter) ? foreign : own)[kind];
    });
  const named = names.filter((parameter) => kindOf(parameter) !== 'nobody’s');
  // Each alone, and all of them together.
  for (const parameter of named) attempts.push({ path: fill([parameter]), body: given, foreign: `{${parameter}}` });
  if (named.length > 1) attempts.push({ path: fill(named), body: given, foreign: 'all of its path' });

  for (const [place, schema] of [
    ['query', query],
    ['body', body],
  ] as const) {
    for (const field of idFields(schema)) {
      const isFilter = filters.has(field);
      const kind = isFilter ? 'user' : fields[field];
      assert.ok(kind, `${name}: nobody has said what ${field} in its ${place} names`);
      if (kind === 'nobody’s') continue;
      const value = foreign[kind];
      if (place === 'query') {
        const others = name === 'search' ? { q: mark } : {};
        const filled = `${fill([])}?${new URLSearchParams({ ...others, [field]: value })}`;
        attempts.push({ path: filled, body: given, foreign: `?${field}`, isFilter });
        continue;
      }
      const put = (object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
        const { [exclusive[field] ?? '']: _left, ...rest } = object;
        return { ...rest, [field]: value };
      };
      const listed = Array.isArray(given?.uploads) ? { uploads: given.uploads.map(put) } : put(given ?? {});
      attempts.push({ path: fill([]), body: listed, foreign: field });
    }
  }
  // Nothing to name: a list, which must hold nothing of the other's.
  if (attempts.length === 0) attempts.push({ path: fill([]), body: given, foreign: 'nothing', isFilter: true });
  return attempts;
}

/** All that a tenant sees of itself. */
async function everythingOf(files: ServiceFixture, as: string): Promise<string> {
  const lists = [
    'listFiles',
    'listUploads',
    'listTrash',
    'listFolders',
    'listShares',
    'listKeys',
    'listSessions',
    'listUsers',
    'listGroups',
    'listGrants',
    'listWebhooks',
    'getQuotas',
    'listAudit',
  ] as const satisfies readonly RouteName[];
  const all: Record<string, unknown> = {};
  for (const list of lists) all[list] = await files.call(list, { as });
  return JSON.stringify(all, (key, value: unknown) => (key === 'request' ? undefined : value));
}

async function isolated(t: TestContext, options: Parameters<typeof ServiceFixture.open>[1]): Promise<void> {
  const files = await ServiceFixture.open(t, { ...options, limits: { requestBurst: 100_000 } });
  const open = async (id: string): Promise<string> => {
    const { owner } = await files.call('createTenant', {
      body: { id, name: `${id} tenant`, owner: { name: `${id} owner` } },
    });
    return files.signInBy(owner.invitation.url);
  };
  const [mine, others] = [await open('aye'), await open(mark)];
  const own = await openThings(files, mine, 'aye');
  const foreign = await openThings(files, others, mark);
  const before = await everythingOf(files, others);

  async function ask(name: RouteName, attempt: Attempt, as: string): Promise<{ status: number; text: string }> {
    const response = await files.send(
      new Request(new URL(attempt.path, serviceOrigin), {
        method: routes[name].method,
        headers: { cookie: as, ...(attempt.body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(attempt.body === undefined ? {} : { body: JSON.stringify(attempt.body) }),
      }),
    );
    const text = await response.text();
    return { status: response.status, text: `${text} ${response.headers.get('location') ?? ''}` };
  }

  t.after(() => process.env.R4DEBUG && console.log(files.complaints));
  let asked = 0;
  for (const name of routeNames) {
    if (untried.has(name)) continue;
    for (const attempt of attemptsOf(name, own, foreign)) {
      const { path } = routes[name];
      const what = `${name} with another’s ${attempt.foreign} (${attempt.path})`;
      const { status, text } = await ask(name, attempt, mine);
      asked += 1;
      // Each of a batch has an answer of its own.
      const refusal = name === 'createUploads' && status === 200 ? Number(/"status":(\d+)/.exec(text)?.[1]) : status;
      const sent = attempt.path + JSON.stringify(attempt.body ?? '');
      for (const value of [mark, ...Object.values(foreign)]) {
        // A refusal may repeat what was sent to it.
        if (sent.includes(value) && (refusal >= 400 || attempt.isFilter === true)) continue;
        assert.ok(!text.includes(value), `${what} answers ${value}: ${text.slice(0, 500)}`);
      }
      if (attempt.isFilter === true) continue;
      const allowed = path.startsWith('/v1/admin/') ? [403, 404] : [404];
      assert.ok(allowed.includes(refusal), `${what}: ${status} ${text.slice(0, 500)}`);
      // The same request is a good one for whose ids these are.
      if (routes[name].method !== 'GET' || path.startsWith('/v1/admin/tenants') || /preview|parts/.test(path)) continue;
      const theirs = attemptsOf(name, foreign, foreign).find((other) => other.foreign === attempt.foreign);
      assert.ok(theirs);
      const good = await ask(name, theirs, others);
      assert.ok(good.status < 400, `${what} is a fair question: to its owner it answers ${good.status} ${good.text}`);
    }
  }
  assert.ok(asked > 80, `${asked} calls`);
  const withoutAsking = (text: string): string => text;
  assert.equal(
    withoutAsking(await everythingOf(files, others)),
    withoutAsking(before),
    'nothing of theirs has changed',
  );
}

test('no route gives or changes what is another tenant’s: SQLite', (t) => isolated(t, {}));

test('no route gives or changes what is another tenant’s: PostgreSQL', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  await isolated(t, { database: { url: await postgres.createDatabase() } });
});
