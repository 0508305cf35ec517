// The OpenAPI document, the typed client and the service say the same: every route of the contract is called through the client, over
// the service's own `fetch`, and each answer is held against the document: status, type and body. The document itself is valid
// OpenAPI 3.1. A route that nobody calls here fails the test. What routes refuse is in refusals.test.ts.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { type Api, createApi, isClientError } from '@stowage/client';
import { openApiDocument, type Route, routeNames, routes, type Upload } from '@stowage/contract';
import { Secret, TOTP } from 'otpauth';
import { z } from 'zod';
import { startOidcIssuer } from '../servers/oidc-issuer.ts';
import { DocumentJudge, type OpenApiDocument, readDocument } from './document-judge.ts';
import {
  mib,
  numberedText,
  requestOf,
  ServiceFixture,
  sendBytes,
  serviceOrigin,
  smallParts,
} from './service-fixture.ts';

/** Every object of a tree of plain data, with its place. */
function walk(
  node: unknown,
  place: string,
  tell: (node: Readonly<Record<string, unknown>>, place: string) => void,
): void {
  if (typeof node !== 'object' || node === null) return;
  // What JSON says is in braces, or a list, has names.
  if (!Array.isArray(node)) tell(node as Readonly<Record<string, unknown>>, place);
  for (const [name, part] of Object.entries(node)) walk(part, `${place}.${name}`, tell);
}

/** A client in somebody's name whose every answer is judged. */
function clientOf(files: ServiceFixture, judge: DocumentJudge, cookie: () => string): Api {
  return createApi({
    baseUrl: serviceOrigin,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (cookie() !== '') request.headers.set('cookie', cookie());
      const response = await files.send(request);
      await judge.judge(request, response);
      const location = response.headers.get('location');
      return response.status === 302 && location !== null && !location.startsWith('/')
        ? fetch(location, { redirect: 'manual' })
        : response;
    },
  });
}

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  // It takes any plain object.
  const result = await validator.validate(openApiDocument() as Record<string, unknown>);
  assert.ok(result.valid, JSON.stringify(result.errors, undefined, 2));
  assert.equal(validator.version, '3.1');
});

test('no part of the document says that a field is not to be sent', () => {
  // OpenAPI's `readOnly` means “in answers alone”: generators leave such a field out of what they send.
  const marked: string[] = [];
  walk(openApiDocument(), '#', (node, place) => {
    if ('readOnly' in node) marked.push(place);
  });
  assert.deepEqual(marked, []);
});

test('a body holds nothing that the document does not name', () => {
  const open: string[] = [];
  for (const [path, operations] of Object.entries(readDocument().paths)) {
    for (const [method, { requestBody }] of Object.entries(operations)) {
      walk(requestBody ?? {}, `${method} ${path}`, (node, place) => {
        if (node.properties !== undefined && node.additionalProperties !== false) open.push(place);
      });
    }
  }
  assert.deepEqual(open, []);
});

test('a parameter of the query is required where the service refuses to do without', () => {
  const told = (table: Readonly<Record<string, Route>>): readonly string[] =>
    Object.values((openApiDocument(table) as OpenApiDocument).paths) // made by our own function
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ operationId, parameters }) =>
        parameters.flatMap(({ in: place, name, required }) =>
          place === 'query' && required ? [`${operationId}.${name}`] : [],
        ),
      );
  const query = z.strictObject({ q: z.string(), limit: z.coerce.number().exactOptional() });
  assert.deepEqual(told({ find: { ...routes.listFiles, query } }), ['find.q']);
  const refusing = routeNames.filter((name) => (routes[name] as Route).query?.safeParse({}).success === false);
  assert.deepEqual(refusing, ['search'], 'which wants q or a tag, and so says it in words');
  assert.deepEqual(told(routes), []);
});

test('every route answers through the typed client as the document says', async (t) => {
  const world = await openWorld(t);
  await callSessions(world);
  await callUploads(world);
  await callFiles(world);
  await callPeople(world);
  await callAccount(world);
  await callRest(world);
  const missing = routeNames.filter((name) => !world.judge.succeeded.has(name));
  assert.deepEqual(missing, [], 'routes that no test calls with success');
});

test('a refusal reaches who calls through the typed client by its code', async (t) => {
  const { files, api, judge } = await openWorld(t);
  const refused = async (code: string, work: Promise<unknown>): Promise<void> => {
    await assert.rejects(work, (error: unknown) => isClientError(error) && error.code === code);
  };
  await refused('not-found', api.call('getFile', { params: { id: 'NOBODY' } }));
  await refused('invalid-request', api.call('listFiles', { query: { limit: 0 } }));
  await refused('unauthenticated', clientOf(files, judge, () => '').call('listFiles'));
  await refused('not-found', api.open('getContent', { params: { id: 'NOBODY' } }));
});

interface World {
  readonly files: ServiceFixture;
  readonly judge: DocumentJudge;
  readonly api: Api;
  /** Uploads bytes to the end. */
  readonly put: (
    name: string,
    bytes: Uint8Array,
    over?: { readonly versionOf?: string; readonly category?: string },
  ) => Promise<Upload>;
}

async function openWorld(t: TestContext): Promise<World> {
  const issuer = await startOidcIssuer(t, { clock: Date.now, clientId: 'stowage' });
  const files = await ServiceFixture.open(t, {
    limits: { ...smallParts, requestBurst: 100_000 },
    publicUrl: serviceOrigin,
    policies: { judged: { scan: 'required' } },
    issuers: {
      example: {
        issuer: issuer.url,
        newUserRole: 'viewer',
        signIn: { name: 'Example', clientId: 'stowage' },
      },
    },
  });
  issuer.person = { sub: 'ada', name: 'Ada' };
  const judge = new DocumentJudge(readDocument());
  const api = clientOf(files, judge, () => files.cookie);
  return {
    files,
    judge,
    api,
    put: async (name, bytes, over = {}) => {
      const body = {
        name,
        sizeBytes: bytes.length,
        contentType: name.endsWith('png') ? 'image/png' : 'text/plain',
        ...over,
      };
      const upload = await api.call('createUpload', { body });
      assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
      await api.call('completeUpload', { params: { id: upload.id } });
      await files.tick();
      return upload;
    },
  };
}

async function callSessions({ files, judge, api }: World): Promise<void> {
  const nobody = clientOf(files, judge, () => '');
  await nobody.call('getSignInWays');
  await nobody.call('signIn', { body: { token: await files.service.issueSignInToken() } });
  await api.call('getSession');
  const begun = await files.respond('beginOidcSignIn', { anonymous: true, params: { provider: 'example' } });
  await judge.judge(new Request(new URL('/v1/session/oidc/example', serviceOrigin)), begun);
  const there = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
  const cookie = begun.headers.get('set-cookie')?.split(';')[0] ?? '';
  const back = new Request(there.headers.get('location') ?? '', { headers: { cookie } });
  await judge.judge(back, await files.send(back));
}

async function callUploads({ files, api, put }: World): Promise<void> {
  const bytes = numberedText(6 * mib);
  const large = await api.call('createUpload', {
    body: { name: 'large.txt', sizeBytes: bytes.length, contentType: 'text/plain' },
    idempotencyKey: 'once',
  });
  assert.equal(large.strategy, 'multipart');
  const params = { id: large.id };
  await files.sendParts(large, bytes);
  const { parts } = await api.call('listParts', { params });
  assert.equal(parts.length, 2);
  await api.call('signParts', { params, body: { partNumbers: [1] } });
  await api.call('completeUpload', { params });
  await files.tick();
  await api.call('getUpload', { params, query: { wait: 0 } });
  const { results } = await api.call('createUploads', {
    body: {
      uploads: [
        { name: 'x', sizeBytes: 1 },
        { name: '', sizeBytes: 1 },
      ].slice(0, 1),
    },
  });
  await api.call('listUploads', { query: { limit: 5 } });
  await api.call('abortUpload', { params: { id: results[0]?.upload?.id ?? '' } });
  await put('small.txt', Buffer.from('small'));
}

async function callFiles({ files, api, put }: World): Promise<void> {
  const folder = await api.call('createFolder', { body: { name: 'folder' } });
  await api.call('listFolders');
  await api.call('getFolder', { params: { id: folder.id } });
  await api.call('changeFolder', { params: { id: folder.id }, body: { name: 'renamed' } });
  const { fileId } = await put('dot.png', Buffer.from(dot, 'base64'));
  const params = { id: fileId };
  await api.call('listFiles', { query: { limit: 10 } });
  const entry = await api.call('getFile', { params });
  await api.call('changeFile', { params, body: { tags: ['a'], folderId: folder.id }, ifMatch: entry.etag });
  const bytes = await (await api.open('getContent', { params })).bytes();
  assert.equal(Buffer.from(bytes).toString('base64'), dot);
  assert.equal((await api.open('getPreview', { params: { id: fileId, preset: 'thumbnail' } })).status, 200);
  await api.call('createLink', { params, body: {} });
  await api.call('copyFile', { params, body: {} });
  await files.tick();
  await api.call('search', { query: { q: 'dot' } });
  const share = await api.call('createShare', { body: { fileId, password: 'a password', maxDownloads: 3 } });
  await api.call('listShares');
  await api.call('revokeShare', { params: { id: share.id } });
  await (await api.open('getArchive', { query: { folders: folder.id } })).bytes();
  for (let version = 0; version < 2; version += 1)
    await put('dot.png', Buffer.from(dot, 'base64'), { versionOf: fileId });
  const { versions } = await api.call('listVersions', { params });
  const [old, older] = versions.filter(({ current }) => !current);
  assert.ok(old && older);
  await api.call('restoreVersion', { params: { id: fileId, versionId: older.id } });
  await api.call('deleteVersion', { params: { id: fileId, versionId: old.id } });
  await api.call('deleteFile', { params });
  await api.call('restoreFile', { params });
  await api.call('deleteFile', { params });
  await api.call('listTrash');
  await api.call('purgeFile', { params });
  await api.call('emptyTrash');
  await api.call('deleteFolder', { params: { id: folder.id } });
}

async function callPeople({ api }: World): Promise<void> {
  const { tenant } = await api.call('createTenant', { body: { name: 'Other', owner: { name: 'Bo' } } });
  await api.call('listTenants');
  await api.call('getTenant', { params: { id: tenant.id } });
  await api.call('changeTenant', { params: { id: tenant.id }, body: { quotaBytes: 5 } });
  await api.call('getQuotas');
  const { user } = await api.call('createUser', { body: { name: 'Cy', email: 'cy@example.com', role: 'viewer' } });
  await api.call('listUsers');
  const params = { id: user.id };
  await api.call('getUser', { params });
  await api.call('changeUser', { params, body: { role: 'editor' } });
  await api.call('inviteUser', { params });
  await api.call('resetSecondFactor', { params });
  const group = await api.call('createGroup', { body: { name: 'Team' } });
  await api.call('listGroups');
  const inGroup = { id: group.id };
  await api.call('getGroup', { params: inGroup });
  await api.call('changeGroup', { params: inGroup, body: { name: 'Crew' } });
  await api.call('addGroupMember', { params: inGroup, body: { userId: user.id } });
  const grant = await api.call('createGrant', { body: { folderId: '', role: 'viewer', groupId: group.id } });
  await api.call('listGrants');
  await api.call('deleteGrant', { params: { id: grant.id } });
  await api.call('removeGroupMember', { params: { id: group.id, userId: user.id } });
  await api.call('deleteGroup', { params: inGroup });
  await api.call('listAudit', { query: { limit: 20 } });
  const { broken } = await api.call('verifyAudit');
  assert.equal(broken, undefined);
}

async function callAccount({ files, judge, api }: World): Promise<void> {
  const { invitation } = await api.call('createUser', {
    body: { name: 'Di', email: 'di@example.com', role: 'viewer' },
  });
  let cookie = await files.signInBy(invitation.url);
  const own = clientOf(files, judge, () => cookie);
  await own.call('changePassword', { body: { password: 'long enough to be one' } });
  const { secret } = await own.call('offerSecondFactor');
  const codeAt = (timestamp: number): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
  await own.call('confirmSecondFactor', { body: { code: codeAt(files.nowMs) } });
  files.advance(60_000);
  await own.call('removeSecondFactor', { body: { code: codeAt(files.nowMs) } });
  await own.call('endOtherSessions');
  const { sessions } = await own.call('listSessions');
  await own.call('endSession', { params: { id: sessions[0]?.id ?? '' } });
  const response = await files.respond('signIn', {
    body: { email: 'di@example.com', password: 'long enough to be one' },
    anonymous: true,
  });
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  await own.call('signOut');
}

async function callRest({ files, api, put }: World): Promise<void> {
  const key = await api.call('createKey', { body: { name: 'k' } });
  await api.call('listKeys');
  await api.call('deleteKey', { params: { id: key.id } });
  const webhook = await api.call('createWebhook', {
    body: { url: 'https://hooks.example.com/a', events: ['file.ready'] },
  });
  const params = { id: webhook.id };
  await api.call('listWebhooks');
  await api.call('changeWebhook', { params, body: { enabled: false } });
  await api.call('rotateWebhookSecret', { params });
  await api.call('testWebhook', { params });
  const { deliveries } = await api.call('listDeliveries', { params });
  await api.call('replayDelivery', { params: { id: webhook.id, deliveryId: deliveries[0]?.id ?? '' } });
  await api.call('deleteWebhook', { params });
  const [kept, gone] = [
    await put('a.txt', Buffer.from('a'), { category: 'judged' }),
    await put('b.txt', Buffer.from('b'), { category: 'judged' }),
  ];
  await api.call('listQuarantine');
  await api.call('rescanQuarantined', { params: { id: kept.id } });
  await files.tick();
  await api.call('releaseQuarantined', { params: { id: kept.id }, body: { reason: 'seen' } });
  await api.call('deleteQuarantined', { params: { id: gone.id } });
  await api.call('getUsage');
  await api.call('getAllUsage');
  assert.match(await (await api.open('getUsageTable')).text(), /^tenantId,/);
  assert.match(await (await api.open('getAllUsageTable')).text(), /^tenantId,/);
  const run = await api.call('startReconcile', { body: {} });
  await api.call('listReconciles');
  await api.call('getReconcile', { params: { id: run.id } });
  await api.call('listReconcileFindings', { params: { id: run.id } });
  await api.call('stopReconcile', { params: { id: run.id } });
}

/** A PNG of 2 by 2 pixels. */
const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==';
