// People and programs show who they are: passwords, second factors, sessions, keys, and what is written down about it.

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { writeBeside } from './beside-database.ts';
import { dayMs, minuteMs, ServiceFixture, serviceOrigin } from './service-fixture.ts';

const password = 'correct horse battery';
const email = 'Ada@example.com';

/** A user of the first tenant who has a password, and a session of theirs. */
async function withUser(t: TestContext): Promise<{ files: ServiceFixture; userId: string; as: string }> {
  const files = await ServiceFixture.open(t);
  const { user, invitation } = await files.call('createUser', { body: { name: 'Ada', email, role: 'editor' } });
  const as = await files.signInBy(invitation.url);
  await files.call('changePassword', { as, body: { password } });
  return { files, userId: user.id, as };
}

/** Six digits as an authenticator shows them at this moment. */
function codeOf(secret: string, atMs: number): string {
  return new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30 }).generate({
    timestamp: atMs,
  });
}

test('an invitation signs in once, and a password after it, whatever the case of the address', async (t) => {
  const { files, userId } = await withUser(t);
  const response = await files.respond('signIn', { anonymous: true, body: { email: 'ada@EXAMPLE.com', password } });
  assert.equal(response.status, 200);
  const as = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  const session = await files.call('getSession', { as });
  assert.equal(session.user.id, userId);
  assert.equal(session.user.email, email);
  assert.equal(session.role, 'editor');
  assert.ok(session.rights.includes('files:write') && !session.rights.includes('members:write'));
});

test('unknown addresses, wrong passwords and closed accounts are answered alike', async (t) => {
  const { files, userId } = await withUser(t);
  const attempts = [
    { email: 'nobody@example.com', password },
    { email, password: 'not the right one' },
    { email, password, tenantId: 'another' },
  ];
  const answers: string[] = [];
  for (const body of attempts) {
    const { requestId: _, ...problem } = await files.refused('sign-in-failed', 'signIn', { anonymous: true, body });
    answers.push(JSON.stringify(problem));
  }
  await files.call('changeUser', { id: userId, body: { disabled: true } });
  const { requestId: _, ...closed } = await files.refused('sign-in-failed', 'signIn', {
    anonymous: true,
    body: { email, password },
  });
  assert.equal(new Set([...answers, JSON.stringify(closed)]).size, 1);
});

test('trying costs as much for who is not there: both run one argon2id', async (t) => {
  const { files } = await withUser(t);
  const time = async (body: { email: string; password: string }): Promise<number> => {
    const startedAt = performance.now();
    await files.refused('sign-in-failed', 'signIn', { anonymous: true, body });
    return performance.now() - startedAt;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < 3; round++) {
    known.push(await time({ email, password: `wrong ${round}` }));
    unknown.push(await time({ email: `nobody-${round}@example.com`, password: `wrong ${round}` }));
  }
  const middle = (times: number[]): number => times.sort((one, other) => one - other)[1] ?? 0;
  const ratio = middle(known) / middle(unknown);
  // An account that is not there and costs no hash answers a hundred times faster.
  assert.ok(ratio > 1 / 3 && ratio < 3, `known ${middle(known)} ms, unknown ${middle(unknown)} ms`);
});

test('passwords are tried a few times a minute, for one account from everywhere together', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { passwordTriesPerMinute: 3, signInsPerMinute: 1000 } });
  const attempt = (name: string): Promise<Response> =>
    files.respond('signIn', { anonymous: true, body: { email: `${name}@example.com`, password } });
  const statuses: number[] = [];
  for (let count = 0; count < 5; count++) statuses.push((await attempt('ada')).status);
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  assert.equal((await attempt('Bob')).status, 401, 'another account is another matter');
  files.advance(20_000);
  assert.equal((await attempt('ADA')).status, 401, 'a third of a minute later there is one more try');
  assert.equal((await attempt('ada')).status, 429);
});

test('who showed too many keys that are none is told to wait, and who shows a good one from there is let in', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { requestsPerSecond: 1, requestBurst: 3 } });
  const { secret } = await files.call('createKey', { body: { name: 'k' } });
  const show = (key: string, clientAddress: string): Promise<Response> => {
    const request = new Request(`${serviceOrigin}/v1/files`, { headers: { authorization: `Bearer ${key}` } });
    return files.service.fetch(request, { clientAddress });
  };
  const statuses: number[] = [];
  for (let round = 0; round < 5; round += 1) statuses.push((await show(`sk_wrong-${round}`, '192.0.2.1')).status);
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  assert.equal((await show(secret, '192.0.2.1')).status, 200, 'others may be behind the same address');
  const signedIn = new Request(`${serviceOrigin}/v1/files`, { headers: { cookie: files.cookie } });
  assert.equal((await files.service.fetch(signedIn, { clientAddress: '192.0.2.1' })).status, 200);
  assert.equal((await show('sk_wrong', '192.0.2.1')).status, 429, 'which gives those that are none no more tries');
  for (const spelt of ['Bearer', 'bearer', 'BEARER', 'bEarer']) {
    const request = new Request(`${serviceOrigin}/v1/files`, { headers: { authorization: `${spelt} ${secret}` } });
    statuses.push((await files.service.fetch(request, { clientAddress: '192.0.2.3' })).status);
  }
  assert.deepEqual(statuses.slice(5), [200, 200, 429, 429], 'one key is one caller however it is written');
});

test('a changed password ends the other sessions, and the links', async (t) => {
  const { files, userId, as } = await withUser(t);
  const { url } = await files.call('inviteUser', { id: userId });
  const other = await files.respond('signIn', { anonymous: true, body: { email, password } });
  const otherCookie = other.headers.get('set-cookie')?.split(';')[0] ?? '';
  assert.equal((await files.call('listSessions', { as })).sessions.length, 2);

  const missing = await files.refused('password-wrong', 'changePassword', {
    as: otherCookie,
    body: { password: 'a new long one' },
  });
  assert.match(missing.detail ?? '', /send the present password/);
  const wrong = { password: 'a new long one', current: 'not it' };
  for (const who of [otherCookie, as]) {
    const { detail } = await files.refused('password-wrong', 'changePassword', { as: who, body: wrong });
    assert.match(detail ?? '', /is not the right one.*sign-in link/, 'also where it might have been left out');
  }
  const none = await files.refused('password-wrong', 'changePassword', { body: wrong });
  assert.match(none.detail ?? '', /no password yet: leave `current` out/);
  await files.refused('invalid-request', 'changePassword', { as: otherCookie, body: { password: 'short' } });
  await files.call('changePassword', { as: otherCookie, body: { password: 'a new long one', current: password } });

  await files.refused('unauthenticated', 'getSession', { as });
  await files.call('getSession', { as: otherCookie });
  const token = new URL(url, serviceOrigin).hash.replace('#token=', '');
  await files.refused('sign-in-link-used', 'signIn', { anonymous: true, body: { token } });
  await files.refused('sign-in-failed', 'signIn', { anonymous: true, body: { email, password } });
});

test('sessions are listed and ended, one’s own only', async (t) => {
  const { files, as } = await withUser(t);
  const response = await files.respond('signIn', {
    anonymous: true,
    headers: { 'user-agent': 'a browser' },
    body: { email, password },
  });
  const other = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { sessions } = await files.call('listSessions', { as });
  assert.deepEqual(
    sessions.map(({ how, current, address }) => ({ how, current, address })),
    [
      { how: 'password', current: false, address: '127.0.0.1' },
      { how: 'link', current: true, address: '127.0.0.1' },
    ],
  );
  assert.equal(sessions[0]?.userAgent, 'a browser');
  const id = sessions[0]?.id ?? '';
  await files.refused('not-found', 'endSession', { id });
  await files.call('endSession', { as, id });
  await files.refused('unauthenticated', 'getSession', { as: other });
  await files.refused('not-found', 'endSession', { as, id });

  await files.signIn();
  await files.call('endOtherSessions');
  assert.equal((await files.call('listSessions')).sessions.length, 1);
});

test('a second factor is confirmed by a code, asked for with the password, and no code is taken twice', async (t) => {
  const { files, as, userId } = await withUser(t);
  const { secret, uri } = await files.call('offerSecondFactor', { as });
  assert.match(uri, /^otpauth:\/\/totp\/Stowage:Ada%40example\.com\?/);
  // An offer alone changes nothing.
  assert.equal((await files.respond('signIn', { anonymous: true, body: { email, password } })).status, 200);

  await files.refused('second-factor-wrong', 'confirmSecondFactor', { as, body: { code: '000000' } });
  const { recoveryCodes } = await files.call('confirmSecondFactor', {
    as,
    body: { code: codeOf(secret, files.nowMs) },
  });
  assert.equal(new Set(recoveryCodes).size, 10);
  await files.refused('second-factor-exists', 'offerSecondFactor', { as });
  assert.equal((await files.call('getUser', { id: userId })).hasSecondFactor, true);

  const signIn = (code?: string): Promise<Response> =>
    files.respond('signIn', { anonymous: true, body: { email, password, ...(code === undefined ? {} : { code }) } });
  const answerOf = async (response: Response): Promise<string> => {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : String(response.status);
  };
  assert.equal(await answerOf(await signIn()), 'second-factor-required');
  assert.equal(
    await answerOf(await signIn(codeOf(secret, files.nowMs))),
    'second-factor-wrong',
    'the code that confirmed it is used',
  );
  files.advance(minuteMs);
  const code = codeOf(secret, files.nowMs);
  const together = await Promise.all([signIn(code), signIn(`${code.slice(0, 3)} ${code.slice(3)}`)]);
  assert.deepEqual((await Promise.all(together.map(answerOf))).sort(), ['200', 'second-factor-wrong']);
  assert.equal(
    await answerOf(await signIn(codeOf(secret, files.nowMs - 30_000))),
    'second-factor-wrong',
    'an earlier one',
  );
  files.advance(minuteMs);
  assert.equal(await answerOf(await signIn(codeOf(secret, files.nowMs + 30_000))), '200', 'a clock that is ahead');
  files.advance(minuteMs);
  assert.equal(
    await answerOf(await signIn(codeOf(secret, files.nowMs + 90_000))),
    'second-factor-wrong',
    'too far ahead',
  );

  const [recovery = ''] = recoveryCodes;
  assert.equal(await answerOf(await signIn(recovery.toUpperCase())), '200');
  assert.equal(await answerOf(await signIn(recovery)), 'second-factor-wrong', 'a recovery code is good once');

  // An invitation asks for it too; only who looks after the tenant can take it away without it.
  const { url } = await files.call('inviteUser', { id: userId });
  const token = new URL(url, serviceOrigin).hash.replace('#token=', '');
  files.advance(minuteMs);
  await files.refused('second-factor-required', 'signIn', { anonymous: true, body: { token } });
  await files.refused('second-factor-wrong', 'removeSecondFactor', { as, body: { code: '123456' } });
  await files.call('resetSecondFactor', { id: userId });
  await files.call('signIn', { anonymous: true, body: { token } });
});

test('what the database holds of a person gives nobody a way in', async (t) => {
  const { files, as } = await withUser(t);
  const { secret } = await files.call('offerSecondFactor', { as });
  const key = await files.call('createKey', { as, body: { name: 'k' } });
  const database = new DatabaseSync(files.databasePath, { readOnly: true });
  const tables = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all();
  let text = '';
  for (const { name } of tables) text += JSON.stringify(database.prepare(`SELECT * FROM "${String(name)}"`).all());
  database.close();
  const bare = (cookie: string): string => cookie.split('=')[1] ?? '';
  for (const worth of [password, secret, key.secret, bare(as), bare(files.cookie)]) {
    assert.ok(worth.length >= 16 && !text.includes(worth), worth);
  }
});

test('a key has what it was given, of what its user has, for as long as it was given', async (t) => {
  const { files, as, userId } = await withUser(t);
  const upload = await files.upload('a.txt', 'text/plain', Buffer.from('a'));
  const key = await files
    .call('createKey', {
      as,
      body: { name: 'reads', scopes: ['files:read', 'audit:read'], expiresInSeconds: 3600 },
    })
    .catch((error: unknown) => error);
  assert.match(String(key), /You do not have audit:read/);

  const { secret, id } = await files.call('createKey', {
    as,
    body: { name: 'reads', scopes: ['files:read'], expiresInSeconds: 3600 },
  });
  const headers = { authorization: `Bearer ${secret}` };
  await files.call('getFile', { id: upload.id, headers });
  await files.refused('forbidden', 'deleteFile', { id: upload.id, headers });
  await files.refused('forbidden', 'createUpload', { headers, body: { name: 'b', sizeBytes: 1 } });
  await files.refused('forbidden', 'createKey', { headers, body: { name: 'c' } });
  await files.refused('forbidden', 'listSessions', { headers });
  await files.refused('forbidden', 'listUsers', { headers });

  // Another's key is not there for who does not look after the tenant, and is for who does.
  const own = await files.call('createKey', { body: { name: 'of the owner' } });
  assert.deepEqual(
    (await files.call('listKeys', { as })).keys.map((shown) => shown.id),
    [id],
  );
  await files.refused('not-found', 'deleteKey', { as, id: own.id });
  assert.equal((await files.call('listKeys')).keys.length, 2);

  await files.call('changeUser', { id: userId, body: { disabled: true } });
  await files.refused('unauthenticated', 'getFile', { id: upload.id, headers });
  await files.call('changeUser', { id: userId, body: { disabled: false } });
  await files.call('getFile', { id: upload.id, headers });
  files.advance(3600_000);
  await files.refused('unauthenticated', 'getFile', { id: upload.id, headers });
  await files.call('deleteKey', { id });
});

test('no key may be given what is for people', async (t) => {
  const files = await ServiceFixture.open(t);
  await files.refused('forbidden', 'createKey', { body: { name: 'k', scopes: ['keys:write'] } });
  const { secret } = await files.call('createKey', { body: { name: 'k' } });
  const headers = { authorization: `Bearer ${secret}` };
  const refusal: unknown = await (await files.respond('listUsers', { headers })).json();
  assert.match(
    JSON.stringify(refusal),
    /"detail":"This key does not have members:write\. Make a key with this scope\."/,
  );
  await files.refused('forbidden', 'listTenants', { headers });
  const named = await files.call('createKey', { body: { name: 'k', scopes: ['members:write'] } });
  await files.call('listUsers', { headers: { authorization: `Bearer ${named.secret}` } });
});

test('a tenant keeps an owner, also when two are demoted at once', async (t) => {
  const files = await ServiceFixture.open(t);
  await files.refused('last-owner', 'changeUser', { id: 'owner', body: { role: 'editor' } });
  await files.refused('last-owner', 'changeUser', { id: 'owner', body: { disabled: true } });
  const { user } = await files.call('createUser', { body: { name: 'Bea', role: 'owner' } });
  const answers = await Promise.all(
    ['owner', user.id].map((id) => files.respond('changeUser', { id, body: { role: 'none' } })),
  );
  const statuses = answers.map(({ status }) => status);
  assert.ok(statuses.includes(200) && statuses.some((status) => status === 409 || status === 403), String(statuses));
});

test('a suspended tenant can do nothing, by session, key or shared link, until it may again', async (t) => {
  const files = await ServiceFixture.open(t);
  const { tenant, owner } = await files.call('createTenant', {
    body: { id: 'b', name: 'B', quotaFiles: 1, owner: { name: 'Bea', email: 'bea@example.com' } },
  });
  assert.deepEqual(tenant.usage, { usedBytes: 0, usedFiles: 0, reservedBytes: 0, reservedFiles: 0 });
  const as = await files.signInBy(owner.invitation.url);
  const { secret } = await files.call('createKey', { as, body: { name: 'k' } });
  const { folders } = await files.call('listFolders', { as });
  assert.deepEqual(folders, []);
  const folder = await files.call('createFolder', { as, body: { name: 'shown' } });
  const share = await files.call('createShare', { as, body: { folderId: folder.id } });
  const page = (): Promise<Response> => files.send(new Request(new URL(share.url, serviceOrigin)));
  assert.equal((await page()).status, 200);
  await files.call('createUpload', { as, body: { name: 'one', sizeBytes: 1 } });
  await files.refused('quota-exceeded', 'createUpload', { as, body: { name: 'two', sizeBytes: 1 } });
  assert.equal((await files.call('getQuotas', { as })).usage.reservedFiles, 1);

  await files.call('changeTenant', { id: 'b', body: { suspended: true, quotaFiles: null } });
  await files.refused('tenant-suspended', 'listFiles', { as });
  await files.refused('tenant-suspended', 'listFiles', { headers: { authorization: `Bearer ${secret}` } });
  assert.equal((await page()).status, 404);
  await files.call('changeTenant', { id: 'b', body: { suspended: false } });
  await files.call('createUpload', { as, body: { name: 'two', sizeBytes: 1 } });
  assert.equal((await page()).status, 200);
  await files.refused('name-taken', 'createTenant', { body: { id: 'b', name: 'again', owner: { name: 'x' } } });
  await files.refused('forbidden', 'listTenants', { as });
});

test('the audit log tells who did what, in a chain whose first broken link is named', async (t) => {
  const { files, userId, as } = await withUser(t);
  const upload = await files.upload('a.txt', 'text/plain', Buffer.from('a'));
  const share = await files.call('createShare', { as, body: { fileId: upload.fileId } });
  await files.call('revokeShare', { as, id: share.id });
  await files.call('deleteFile', { id: upload.fileId });
  await files.call('purgeFile', { id: upload.fileId });
  const { entries } = await files.call('listAudit', { query: { limit: 200 } });
  assert.deepEqual(
    entries.slice(0, 3).map(({ action, actor, subject }) => ({ action, actor, subject })),
    [
      { action: 'file.purged', actor: { kind: 'user', id: 'owner' }, subject: { kind: 'file', id: upload.fileId } },
      { action: 'share.revoked', actor: { kind: 'user', id: userId }, subject: { kind: 'share', id: share.id } },
      { action: 'share.created', actor: { kind: 'user', id: userId }, subject: { kind: 'share', id: share.id } },
    ],
  );
  assert.ok(!JSON.stringify(entries).includes(password));
  const byAda = await files.call('listAudit', { query: { actorId: userId, limit: 2 } });
  assert.equal(byAda.entries.length, 2);
  const next = await files.call('listAudit', { query: { actorId: userId, limit: 2, cursor: byAda.nextCursor ?? '' } });
  assert.ok((next.entries[0]?.sequence ?? 99) < (byAda.entries[1]?.sequence ?? 0));
  await files.refused('forbidden', 'listAudit', { as });

  const whole = await files.call('verifyAudit');
  assert.equal(whole.entries, entries.length);
  assert.equal(whole.broken, undefined);
  assert.equal(whole.head?.hash, entries[0]?.hash);

  // Somebody with the database alone: a change in the middle, hidden as well as they can.
  const write = (statements: string): Promise<void> =>
    writeBeside(files.databasePath, (database) => database.exec(statements));
  const alter = `UPDATE audit_entries SET actor_id = 'nobody' WHERE sequence = 4`;
  await assert.rejects(write(alter), /only ever added to/);
  await write(`DROP TRIGGER audit_entries_no_update; DROP TRIGGER audit_entries_no_delete`);
  await write(alter);
  assert.deepEqual((await files.call('verifyAudit')).broken, { sequence: 4, fault: 'altered' });
  await write(`DELETE FROM audit_entries WHERE sequence = 3`);
  assert.deepEqual((await files.call('verifyAudit')).broken, { sequence: 3, fault: 'missing' });
});

test('what was refused is not written down, and what was written down was done', async (t) => {
  const files = await ServiceFixture.open(t);
  const before = (await files.call('verifyAudit')).entries;
  await files.refused('last-owner', 'changeUser', { id: 'owner', body: { role: 'none' } });
  await files.refused('not-found', 'createGrant', { body: { folderId: 'x', role: 'viewer', userId: 'owner' } });
  await files.refused('not-found', 'revokeShare', { id: 'x' });
  assert.equal((await files.call('verifyAudit')).entries, before);
});

test('sessions end with their time', async (t) => {
  const { files, as } = await withUser(t);
  files.advance(14 * dayMs);
  await files.refused('unauthenticated', 'getSession', { as });
});
