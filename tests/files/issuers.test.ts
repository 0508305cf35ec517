// Tokens of issuers, and people who sign in at one: against a small issuer that signs for real.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { IssuerSettings } from '@stowage/files';
import { SignJWT } from 'jose';
import { type OidcIssuer, startOidcIssuer } from '../servers/oidc-issuer.ts';
import { minuteMs, ServiceFixture, serviceOrigin } from './service-fixture.ts';

interface World {
  readonly files: ServiceFixture;
  readonly issuer: OidcIssuer;
}

/** The issuer and the service, on one clock. */
async function open(t: TestContext, settings: Partial<IssuerSettings> = {}, clientSecret?: string): Promise<World> {
  // The fixture's clock begins now and is moved by the test.
  let files: ServiceFixture | undefined;
  const clock = (): number => files?.nowMs ?? Date.now();
  const issuer = await startOidcIssuer(t, { clock, ...(clientSecret === undefined ? {} : { clientSecret }) });
  const signIn = { name: 'Example', clientId: 'stowage', ...(clientSecret === undefined ? {} : { clientSecret }) };
  files = await ServiceFixture.open(t, {
    publicUrl: serviceOrigin,
    issuers: { example: { issuer: issuer.url, audience: 'files', newUserRole: 'viewer', signIn, ...settings } },
  });
  return { files, issuer };
}

const bearer = (token: string): { readonly headers: { readonly authorization: string } } => ({
  headers: { authorization: `Bearer ${token}` },
});

test('a token of the issuer stands for a user, who is made on first sight and is the same ever after', async (t) => {
  const { files, issuer } = await open(t);
  const token = await issuer.sign({ sub: 'ada', name: 'Ada', email: 'ada@example.com' }, { audience: 'files' });
  const sessions = await Promise.all(Array.from({ length: 4 }, () => files.call('getSession', bearer(token))));
  assert.equal(new Set(sessions.map(({ user }) => user.id)).size, 1, 'of four at once, one user is made');
  assert.deepEqual({ role: sessions[0]?.role, name: sessions[0]?.user.name }, { role: 'viewer', name: 'Ada' });
  await files.call('listFiles', bearer(token));
  await files.refused('forbidden', 'createUpload', { ...bearer(token), body: { name: 'a', sizeBytes: 1 } });
  await files.refused('forbidden', 'createKey', { ...bearer(token), body: { name: 'k' } });
  const { users } = await files.call('listUsers');
  const ada = users.find(({ issuer: name }) => name === issuer.url);
  assert.equal(users.length, 2);
  // Who the service is told to keep out stays out, whatever the issuer signs.
  await files.call('changeUser', { id: ada?.id ?? '', body: { disabled: true } });
  await files.refused('unauthenticated', 'listFiles', bearer(token));
});

test('a token that is forged, old, early, of another issuer or for another service is none', async (t) => {
  const { files, issuer } = await open(t);
  const payload = { sub: 'ada' };
  const good = await issuer.sign(payload, { audience: 'files' });
  await files.call('getSession', bearer(good));
  const [header = '', body = '', signature = ''] = good.split('.');
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
  const shared = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer.url)
    .setAudience('files')
    .setExpirationTime(Math.floor(files.nowMs / 1000) + 300)
    .sign(new TextEncoder().encode('a secret that everybody might know'));
  const altered = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: 'eve' }));
  const bad = [
    none,
    shared,
    `${header}.${altered.toString('base64url')}.${signature}`,
    await issuer.sign(payload, { audience: 'another' }),
    await issuer.sign(payload, { audience: 'files', issuer: 'https://elsewhere.example.com' }),
    await issuer.sign(payload, { audience: 'files', issuedAtMs: files.nowMs - 10 * minuteMs }),
    await issuer.sign({ ...payload, nbf: Math.floor(files.nowMs / 1000) + 120 }, { audience: 'files' }),
    await issuer.sign({}, { audience: 'files' }),
    'a.b.c',
    'nothing',
  ];
  for (const token of bad) await files.refused('unauthenticated', 'getSession', bearer(token));
  // Clocks may differ by the skew, and no more.
  await files.call(
    'getSession',
    bearer(await issuer.sign(payload, { audience: 'files', issuedAtMs: files.nowMs - 310_000 })),
  );
  await files.refused(
    'unauthenticated',
    'getSession',
    bearer(await issuer.sign(payload, { audience: 'files', issuedAtMs: files.nowMs - 340_000 })),
  );
});

test('claims say tenant and role, as far as the settings let them', async (t) => {
  const { files, issuer } = await open(t, {
    claims: { tenant: 'org', role: 'groups' },
    tenants: ['main', 'bee', 'nowhere'],
    roles: { staff: 'editor', boss: 'owner' },
  });
  await files.call('createTenant', { body: { id: 'bee', name: 'Bee', owner: { name: 'Bea' } } });
  await files.call('createTenant', { body: { id: 'cat', name: 'Cat', owner: { name: 'Cas' } } });
  const sign = (payload: object): Promise<string> => issuer.sign({ sub: 'ada', ...payload }, { audience: 'files' });
  const session = await files.call('getSession', bearer(await sign({ org: 'bee', groups: ['other', 'staff'] })));
  assert.deepEqual([session.tenant.id, session.role], ['bee', 'editor']);
  assert.equal((await files.call('getSession', bearer(await sign({ org: 'bee', groups: ['boss'] })))).role, 'owner');
  assert.equal((await files.call('getSession', bearer(await sign({ org: 'bee' })))).role, 'owner', 'nothing was said');
  assert.equal(
    (await files.call('getSession', bearer(await sign({ org: 'bee', groups: ['constructor'] })))).role,
    'owner',
  );
  for (const org of ['cat', 'nowhere', '*', '', 7]) {
    await files.refused('unauthenticated', 'getSession', bearer(await sign({ org, groups: ['boss'] })));
  }
  const main = await files.call('getSession', bearer(await sign({ org: 'main', groups: ['boss'] })));
  assert.ok(!main.rights.includes('service:admin'), 'no claim makes anybody run the service');
});

test('nobody is let in who was not made before, unless the settings say so', async (t) => {
  const issuer = await startOidcIssuer(t, { clock: Date.now });
  const files = await ServiceFixture.open(t, { issuers: { example: { issuer: issuer.url, audience: 'files' } } });
  await files.refused('unauthenticated', 'getSession', bearer(await issuer.sign({ sub: 'x' }, { audience: 'files' })));
  assert.equal((await files.call('listUsers')).users.length, 1);
});

test('accounts are not joined by e-mail address', async (t) => {
  const { files, issuer } = await open(t);
  const { user } = await files.call('createUser', { body: { name: 'Ada', email: 'ada@example.com', role: 'owner' } });
  const token = await issuer.sign({ sub: 'eve', email: 'ada@example.com' }, { audience: 'files' });
  const session = await files.call('getSession', bearer(token));
  assert.notEqual(session.user.id, user.id);
  assert.deepEqual([session.role, session.user.email], ['viewer', undefined]);
});

test('an issuer that cannot be asked is no fault of the token, and is asked again', async (t) => {
  const { files, issuer } = await open(t);
  issuer.spoil = { document: { issuer: 'https://elsewhere.example.com' } };
  const token = await issuer.sign({ sub: 'ada' }, { audience: 'files' });
  await files.refused('provider-unavailable', 'getSession', bearer(token));
  issuer.spoil = {};
  await files.call('getSession', bearer(token));
});

/** What a browser does: to the provider, there, and back with the cookie. */
async function walk(files: ServiceFixture, alter: (url: URL) => void = () => undefined): Promise<Response> {
  const begun = await files.respond('beginOidcSignIn', { anonymous: true, params: { provider: 'example' } });
  assert.equal(begun.status, 302, await begun.text());
  const cookie = begun.headers.get('set-cookie') ?? '';
  assert.match(cookie, /; Path=\/v1\/session\/oidc\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
  const there = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
  assert.equal(there.status, 302);
  const back = new URL(there.headers.get('location') ?? '');
  alter(back);
  return files.send(new Request(back, { headers: { cookie: cookie.split(';')[0] ?? '' } }));
}

for (const clientSecret of [undefined, 'a secret: of+the/client']) {
  const kind = clientSecret === undefined ? 'a public client' : 'a client with a secret';
  test(`people sign in there and come back with a session: ${kind}`, async (t) => {
    const { files } = await open(t, {}, clientSecret);
    assert.deepEqual(await files.call('getSignInWays', { anonymous: true }), {
      password: true,
      providers: [{ id: 'example', name: 'Example' }],
    });
    const response = await walk(files);
    assert.equal(response.status, 302, await response.text());
    assert.equal(response.headers.get('location'), '/');
    const cookies = response.headers.getSetCookie();
    assert.ok(
      cookies.some((cookie) => cookie.startsWith('stowage_oidc_example=;')),
      'what was remembered is forgotten',
    );
    const as = cookies.find((cookie) => cookie.startsWith('stowage_session='))?.split(';')[0] ?? '';
    const session = await files.call('getSession', { as });
    assert.deepEqual([session.user.name, session.role], ['Ada', 'viewer']);
    assert.equal((await files.call('listSessions', { as })).sessions[0]?.how, 'oidc');
  });
}

test('an answer of another browser, another sign-in, another issuer or too late signs nobody in', async (t) => {
  const { files, issuer } = await open(t);
  const failed = async (response: Response): Promise<void> => {
    const body: unknown = await response.json();
    assert.ok(typeof body === 'object' && body !== null && 'code' in body);
    assert.equal(body.code, 'sign-in-failed', JSON.stringify(body));
    assert.equal(response.headers.get('set-cookie'), null);
  };
  await failed(await walk(files, (url) => url.searchParams.set('state', 'another')));
  await failed(await walk(files, (url) => url.searchParams.delete('state')));
  await failed(await walk(files, (url) => url.searchParams.set('iss', 'https://elsewhere.example.com')));
  await failed(await walk(files, (url) => url.searchParams.set('code', 'guessed')));
  await failed(
    await walk(files, (url) => {
      url.searchParams.delete('code');
      url.searchParams.set('error', 'access_denied');
    }),
  );
  await failed(await walk(files, () => files.advance(11 * minuteMs)));
  issuer.spoil = { nonce: 'of another' };
  await failed(await walk(files));
  issuer.spoil = { audience: 'another-client' };
  await failed(await walk(files));
  issuer.spoil = {};
  // Without the cookie, as when somebody else's answer is put into a victim's browser.
  const begun = await files.respond('beginOidcSignIn', { anonymous: true, params: { provider: 'example' } });
  const there = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
  await failed(await files.send(new Request(there.headers.get('location') ?? '')));
  await files.refused('not-found', 'beginOidcSignIn', { anonymous: true, params: { provider: 'other' } });
  assert.equal((await walk(files)).status, 302, 'and a good one still does');
});

test('settings that cannot be safe are refused at the start', async (t) => {
  const good = { issuer: 'https://issuer.example.com', audience: 'files' };
  const attempts: readonly (readonly [Parameters<typeof ServiceFixture.open>[1], RegExp])[] = [
    [{ issuers: { example: { ...good, issuer: 'http://issuer.example.com' } } }, /must be an https address/],
    [{ issuers: { example: { ...good, algorithms: ['HS256'] } } }, /HS256.*not one of public keys/],
    [{ issuers: { example: { ...good, algorithms: ['none'] } } }, /none.*not one of public keys/],
    [{ issuers: { 'a/b': good } }, /letters, digits and hyphens/],
    [{ issuers: { example: { ...good, signIn: { name: 'x', clientId: 'x' } } } }, /needs publicUrl/],
  ];
  for (const [options, message] of attempts) await assert.rejects(ServiceFixture.open(t, options ?? {}), message);
});

test('an issuer that would have codes or keys go over plain http is not asked, but on this machine', async (t) => {
  for (const field of ['authorization_endpoint', 'token_endpoint', 'jwks_uri']) {
    const { files, issuer } = await open(t);
    issuer.spoil = { document: { [field]: 'http://issuer.example.com/x' } };
    const begun = { anonymous: true, params: { provider: 'example' } } as const;
    const { detail } = await files.refused('provider-unavailable', 'beginOidcSignIn', begun);
    assert.match(detail ?? '', /not an https address/);
    issuer.spoil = {};
    assert.equal((await files.respond('beginOidcSignIn', begun)).status, 302, 'and on loopback it is');
  }
});
