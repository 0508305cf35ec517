// Who may do what: tenants, users, groups, grants, keys, passwords, issuers, and what is written down of it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { startOidcIssuer } from '../../servers/oidc-issuer.ts';
import type { Scenario } from '../scenario.ts';
import { cookieOf, dayMs, type World } from '../world.ts';

const password = 'correct horse battery';
const origin = 'http://files.test';

/** An invited user's id and session. An invitation whose answer was lost is made again, for another address. */
async function invite(
  world: World,
  role: 'editor' | 'viewer' | 'uploader',
): Promise<{ readonly userId: string; readonly cookie: string; readonly email: string }> {
  for (;;) {
    const email = `${randomUUID()}@example.com`;
    const made = await world.once('createUser', 'name-taken', { body: { name: 'Ada', email, role } });
    if (made === undefined) continue;
    const cookie = await enter(world, made.user.id, made.invitation.url);
    return { userId: made.user.id, cookie, email };
  }
}

/** By a link; one that was used without an answer is replaced. */
async function enter(world: World, userId: string, url: string): Promise<string> {
  const token = new URL(url, origin).hash.replace('#token=', '');
  const answer = await world.ask('signIn', { body: { token }, cookie: '' });
  if (answer.status === 200) return cookieOf(answer.headers);
  assert.ok(answer.again, answer.text);
  return enter(world, userId, (await world.call('inviteUser', { id: userId })).url);
}

function codeOf(secret: string, atMs: number): string {
  return new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30 }).generate({
    timestamp: atMs,
  });
}

export const peopleScenarios = {
  people: {
    play: async (world) => {
      const { userId, cookie } = await invite(world, 'editor');
      await world.call('listUsers');
      await world.call('getUser', { id: userId });
      await world.call('changeUser', {
        id: userId,
        body: { name: 'Ada L.', role: 'viewer', email: 'ada@example.com' },
      });
      const folder = await world.once('createFolder', 'name-taken', { body: { name: 'For Ada' } });
      const folderId = folder?.id ?? (await world.call('listFolders')).folders[0]?.id ?? '';
      const file = await world.upload('granted', { folderId, name: 'granted.txt' });
      let group = await world.once('createGroup', 'name-taken', { body: { name: 'Readers' } });
      group ??= (await world.call('listGroups')).groups.find(({ name }) => name === 'Readers');
      assert.ok(group);
      await world.call('getGroup', { id: group.id });
      await world.call('changeGroup', { id: group.id, body: { name: 'All readers' } });
      await world.call('addGroupMember', { id: group.id, body: { userId } });
      const grant = await world.call('createGrant', { body: { folderId, role: 'editor', groupId: group.id } });
      await world.call('listGrants', { query: { folderId } });
      await world.call('listGrants', { query: { userId } });
      await world.call('listGrants', { query: { groupId: group.id } });
      await world.call('listGroups');
      await world.call('inviteUser', { id: userId });
      await world.ask('addGroupMember', { id: group.id, body: { userId: 'nobody' } });
      await world.ask('addGroupMember', { id: 'none', body: { userId } });
      await world.ask('changeGroup', { id: 'none', body: { name: 'None' } });
      await world.ask('deleteGroup', { id: 'none' });
      await world.call('listFiles', { cookie });
      await world.call('changeFile', { id: file.fileId, body: { name: 'by-ada.txt' }, cookie });
      await world.call('search', { query: { q: 'ada' }, cookie });
      await world.call('listFolders', { cookie });
      await world.call('listTrash', { cookie });
      await world.call('listShares', { cookie });
      await world.once('deleteGrant', 'not-found', { id: grant.id });
      await world.once('removeGroupMember', 'not-found', { params: { id: group.id, userId } });
      await world.once('deleteGroup', 'not-found', { id: group.id });
      await world.call('changeUser', { id: userId, body: { disabled: true } });
      await world.refused('unauthenticated', 'getSession', { cookie });
      world.promise('disabled', async () => {
        const { users } = await world.call('listUsers');
        assert.ok(users.find(({ email: known }) => known === 'ada@example.com')?.disabledAt);
      });
    },
  },
  /** Somebody who sees only what was granted. */
  granted: {
    play: async (world) => {
      const { userId, cookie } = await invite(world, 'uploader');
      const file = await world.upload('mine', { folder: ['In', 'Deep'], name: 'a.txt' });
      const folderId = (await world.call('listFolders')).folders[0]?.id ?? '';
      await world.call('createGrant', { body: { folderId, role: 'editor', userId } });
      await world.call('listFiles', { cookie });
      await world.call('listFiles', { query: { name: 'a' }, cookie });
      await world.call('listFolders', { cookie });
      await world.call('getFolder', { id: folderId, cookie });
      await world.call('listFolders', { query: { parentId: folderId }, cookie });
      await world.call('listFiles', { query: { folderId }, cookie });
      const secret = await world.upload('hidden', { folder: ['Out'], name: 'hidden.txt' });
      const own = await world.ask('createUpload', {
        body: { name: 'own.txt', sizeBytes: 3, folderId },
        headers: { 'idempotency-key': 'own' },
        cookie,
      });
      assert.equal(own.status, 201, own.text);
      await world.ask('abortUpload', { id: JSON.parse(own.text).id, cookie });
      await world.ask('getUpload', { id: secret.id, cookie });
      await world.ask('getFile', { id: secret.fileId, cookie });
      const hiddenId = (await world.call('listFolders')).folders.find(({ name }) => name === 'Out')?.id ?? '';
      await world.ask('getFolder', { id: hiddenId, cookie });
      await world.ask('changeFolder', { id: hiddenId, body: { name: 'Mine' }, cookie });
      await world.ask('changeFolder', { id: folderId, body: { name: 'Mine' }, cookie });
      const deep = (await world.call('listFolders', { query: { parentId: folderId } })).folders[0]?.id ?? '';
      await world.call('changeFolder', { id: deep, body: { name: 'Deeper' }, cookie });
      const viewer = await invite(world, 'uploader');
      await world.call('createGrant', { body: { folderId, role: 'viewer', userId: viewer.userId } });
      await world.refused('forbidden', 'deleteFile', { id: file.fileId, cookie: viewer.cookie });
      const sender = await invite(world, 'uploader');
      await world.call('createGrant', { body: { folderId, role: 'uploader', userId: sender.userId } });
      const theirs = await world.ask('createUpload', {
        body: { name: 'theirs.txt', sizeBytes: 3, folderId },
        headers: { 'idempotency-key': 'theirs' },
        cookie: sender.cookie,
      });
      if (theirs.status === 201)
        await world.ask('getUpload', { id: JSON.parse(theirs.text).id, cookie: sender.cookie });
      const key = await world.call('createKey', { body: { name: 'one', folderId } });
      await world.call('listFiles', { headers: { authorization: `Bearer ${key.secret}` } });
      await world.call('getFile', { id: file.fileId, cookie });
      await world.call('listVersions', { id: file.fileId, cookie });
      await world.call('listTrash', { cookie });
      await world.call('listUploads', { cookie });
      await world.call('search', { query: { q: 'a' }, cookie });
      await world.request('GET', `/v1/archive?folders=${folderId}`, {}, cookie);
      await world.call('copyFile', { id: file.fileId, body: { folderId }, cookie });
      await world.ask('createFolder', { body: { name: 'sub', parentId: folderId }, cookie });
      await world.call('createShare', { body: { fileId: file.fileId }, cookie });
      await world.call('createShare', { body: { folderId }, cookie });
      await world.ask('emptyTrash', { cookie });
      await world.ask('getQuotas', { cookie });
      await world.tick();
    },
  },
  accounts: {
    play: async (world) => {
      const { cookie, email, userId } = await invite(world, 'editor');
      const set = await world.ask('changePassword', { body: { password }, cookie });
      if (set.status !== 204) {
        assert.ok(set.again, set.text);
        await world.call('changePassword', { body: { password, current: password }, cookie });
      }
      const byPassword = await world.ask('signIn', { body: { email, password }, cookie: '' });
      assert.equal(byPassword.status, 200, byPassword.text);
      await world.refused('sign-in-failed', 'signIn', { body: { email, password: 'another one' }, cookie: '' });
      await world.call('getSession', { cookie });
      const { sessions } = await world.call('listSessions', { cookie });
      const other = sessions.find(({ current }) => !current);
      if (other !== undefined) await world.once('endSession', 'not-found', { id: other.id, cookie });
      await world.call('signIn', { body: { email, password }, cookie: '' });
      await world.call('endOtherSessions', { cookie });
      const { secret } = await world.call('offerSecondFactor', { cookie });
      const confirm = { body: { code: codeOf(secret, world.stage.clock()) }, cookie };
      const confirmed = await world.ask('confirmSecondFactor', confirm);
      const codes: readonly string[] = confirmed.status === 200 ? JSON.parse(confirmed.text).recoveryCodes : [];
      assert.ok(confirmed.status === 200 || confirmed.again, confirmed.text);
      await world.refused('second-factor-required', 'signIn', { body: { email, password }, cookie: '' });
      const [recovery] = codes;
      if (recovery !== undefined) {
        const signedIn = await world.ask('signIn', { body: { email, password, code: recovery }, cookie: '' });
        assert.ok(signedIn.status === 200 || signedIn.again, signedIn.text);
      }
      world.stage.advance(60_000);
      world.doomed?.moveClock(world.stage.offsetMs);
      const code = codeOf(secret, world.stage.clock());
      const withCode = await world.ask('signIn', { body: { email, password, code }, cookie: '' });
      assert.ok(withCode.status === 200 || withCode.again, withCode.text);
      world.stage.advance(60_000);
      world.doomed?.moveClock(world.stage.offsetMs);
      const last = { body: { code: codeOf(secret, world.stage.clock()) }, cookie };
      const removed = await world.ask('removeSecondFactor', last);
      assert.ok(removed.status === 204 || removed.again, removed.text);
      await world.ask('resetSecondFactor', { id: userId });
      const entered = await world.ask('signIn', { body: { email, password }, cookie: '' });
      const byNow = cookieOf(entered.headers);
      await world.call('changePassword', { body: { password, current: password }, cookie: byNow });
      await world.ask('signOut', { cookie: byNow });
      await world.call('verifyAudit');
    },
  },
  keys: {
    play: async (world) => {
      const { secret: key, id } = await world.call('createKey', { body: { name: 'ci', scopes: ['files:read'] } });
      const headers = { authorization: `Bearer ${key}` };
      await world.call('listFiles', { headers });
      await world.pass(2 * dayMs);
      await world.call('listFiles', { headers });
      await world.call('listKeys');
      await world.once('deleteKey', 'not-found', { id });
      await world.refused('unauthenticated', 'listFiles', { headers });
    },
  },
  tenants: {
    play: async (world) => {
      const id = 'bee';
      const made = await world.once('createTenant', 'name-taken', {
        body: { id, name: 'Bee', owner: { name: 'Bea' }, quotaBytes: 1000 },
      });
      await world.call('listTenants');
      await world.call('getTenant', { id });
      await world.call('getQuotas');
      await world.call('changeTenant', { id, body: { name: 'Bees', quotaBytes: 3 } });
      await world.call('changeTenant', { id, body: { suspended: true } });
      await world.call('changeTenant', { id, body: { suspended: false } });
      if (made !== undefined) {
        const token = new URL(made.owner.invitation.url, origin).hash.replace('#token=', '');
        const entered = await world.ask('signIn', { body: { token }, cookie: '' });
        const cookie = cookieOf(entered.headers);
        if (entered.status === 200) {
          await world.refused('quota-exceeded', 'createUpload', {
            body: { name: 'a', sizeBytes: 4 },
            headers: { 'idempotency-key': 'a' },
            cookie,
          });
          assert.equal((await world.call('listFiles', { cookie })).files.length, 0);
        }
      }
      await world.call('listAudit', { query: { limit: 2 } });
      world.promise('audit', async () => assert.equal((await world.call('verifyAudit')).broken, undefined));
    },
  },
  issuers: {
    options: async (stage) => {
      const context = { after: (cleanUp: unknown) => stage.after(cleanUp as () => unknown) }; // called without a context
      const issuer = await startOidcIssuer(context, { clock: stage.clock });
      issuers.set(stage, issuer);
      const signIn = { name: 'Example', clientId: 'stowage' };
      const claims = { role: 'groups' };
      const roles = { staff: 'editor' } as const;
      const example = { issuer: issuer.url, audience: 'files', newUserRole: 'viewer', signIn, claims, roles } as const;
      return { issuers: { example } };
    },
    play: async (world) => {
      const issuer = issuers.get(world.stage);
      assert.ok(issuer);
      const token = await issuer.sign({ sub: 'ada', name: 'Ada' }, { audience: 'files' });
      const headers = { authorization: `Bearer ${token}` };
      const { user } = await world.call('getSession', { headers });
      await world.call('listFiles', { headers });
      const { users } = await world.call('listUsers');
      assert.equal(users.filter(({ id }) => id === user.id).length, 1);
      const promoted = await issuer.sign({ sub: 'ada', groups: ['staff'] }, { audience: 'files' });
      const session = await world.call('getSession', { headers: { authorization: `Bearer ${promoted}` } });
      assert.equal(session.role, 'editor');
      await world.once('createUser', 'name-taken', { body: { name: 'Eve', email: 'eve@example.com', role: 'viewer' } });
      const eve = await issuer.sign({ sub: 'eve', email: 'eve@example.com' }, { audience: 'files' });
      await world.call('getSession', { headers: { authorization: `Bearer ${eve}` } });
      await world.call('getSignInWays', { cookie: '' });
      const walk = async (): Promise<number> => {
        const begun = await world.ask('beginOidcSignIn', { params: { provider: 'example' }, cookie: '' });
        assert.equal(begun.status, 302, begun.text);
        const there = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
        const back = new URL(there.headers.get('location') ?? '');
        const cookie = cookieOf(begun.headers);
        const { status, again } = await world.request('GET', `${back.pathname}${back.search}`, {}, cookie);
        // A code is good once: whose answer was lost begins anew.
        return status === 302 || !again ? status : walk();
      };
      assert.equal(await walk(), 302);
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

const issuers = new WeakMap<object, Awaited<ReturnType<typeof startOidcIssuer>>>();
