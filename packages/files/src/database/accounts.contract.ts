// What every database keeps of people, rights and the audit log. SQLite and PostgreSQL pass the same tests.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { openAuditSeal, verifyChain } from '../accounts/audit-chain.ts';
import { type AuditNote, serviceNote } from '../accounts/audit-note.ts';
import { newUser } from '../accounts/sign-in.ts';
import { isFilesError } from '../files-error.ts';
import type { SessionRecord, UserRecord } from './account-rows.ts';
import type { Database } from './database.ts';

/** Opens an empty database whose audit log is sealed with this secret. */
type OpenEmpty = (secret: Uint8Array) => Promise<Database>;

export function accountsContract(kind: string, openEmpty: OpenEmpty): void {
  describe(`the accounts contract on ${kind}`, () => contract(openEmpty));
}

const secret = new Uint8Array(32).fill(1);
const main = 'main';
/** More than there are of anything. */
const many = 1_000;

function contract(openEmpty: OpenEmpty): void {
  const newId = monotonicFactory();
  let database: Database;

  const note = (action: AuditNote['action'] = 'user.changed'): AuditNote =>
    serviceNote({ tenantId: main, action, subject: { kind: 'user', id: 'x' } });
  const aUser = (over: Partial<UserRecord> = {}): UserRecord => ({
    ...newUser({ id: newId(), tenantId: main, name: 'Ada', email: undefined, role: 'viewer', nowMs: 1 }),
    ...over,
  });
  const aSession = (userId: string, over: Partial<SessionRecord> = {}): SessionRecord => {
    const id = newId();
    const stamps = { createdAtMs: 1, expiresAtMs: 1_000 };
    return {
      tokenHash: `hash-${id}`,
      id,
      tenantId: main,
      userId,
      how: 'password',
      address: null,
      userAgent: null,
      ...stamps,
      ...over,
    };
  };
  const entries = async (): Promise<number> => {
    const verified = await verifyChain(
      (sequence) => database.audit.readAfter(main, sequence, 50),
      openAuditSeal(secret),
      10_000,
    );
    assert.equal(verified.broken, undefined);
    return verified.entries;
  };
  const fails = (work: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(work, (error) => isFilesError(error) && error.code === code);

  before(async () => {
    database = await openEmpty(secret);
  });
  after(() => database.close());

  test('a change and its note are there together, or neither', async () => {
    const before = await entries();
    await database.users.add(aUser({ email: 'both@example.com' }), undefined, note('user.created'));
    assert.equal(await entries(), before + 1);
    await fails(
      database.users.add(aUser({ email: 'BOTH@example.com' }), undefined, note('user.created')),
      'name-taken',
    );
    await fails(database.users.change({ tenantId: main, id: 'owner' }, { role: 'none' }, note()), 'last-owner');
    assert.equal(await database.users.change({ tenantId: main, id: 'nobody' }, { name: 'x' }, note()), undefined);
    assert.equal(await database.groups.remove({ tenantId: main, id: 'nothing' }, note()), false);
    assert.equal(await database.grants.remove({ tenantId: main, id: 'nothing' }, note()), false);
    assert.equal(await entries(), before + 1);
    assert.equal((await database.users.get({ tenantId: main, id: 'owner' }))?.role, 'owner');
  });

  test('notes that come at once form one chain without a gap', async () => {
    const before = await entries();
    await Promise.all(Array.from({ length: 20 }, () => database.audit.append(note())));
    assert.equal(await entries(), before + 20);
    const newest = await database.audit.list({ tenantId: main, limit: 3 });
    assert.deepEqual(
      newest.map(({ sequence }) => sequence),
      [before + 20, before + 19, before + 18],
    );
    const earlier = await database.audit.list({ tenantId: main, limit: 1, beforeSequence: before + 19 });
    assert.equal(earlier[0]?.sequence, before + 18);
    assert.deepEqual(await database.audit.list({ tenantId: 'other', limit: 3 }), []);
  });

  test('of many that show the same link one gets a session', async () => {
    const user = aUser();
    const token = { tokenHash: 'link', tenantId: main, userId: user.id, issuedBy: 'member', expiresAtMs: 100 } as const;
    await database.users.add(user, token, note());
    assert.equal((await database.accounts.findSignInToken('link', 99))?.userId, user.id);
    assert.equal(await database.accounts.findSignInToken('link', 100), undefined);
    const results = await Promise.all(
      Array.from({ length: 6 }, () => database.accounts.redeemSignInToken('link', aSession(user.id), note())),
    );
    assert.equal(results.filter((redeemed) => redeemed).length, 1);
    assert.equal((await database.accounts.listSessions(user, 1)).length, 1);
  });

  test('disabling a user ends sessions and links; a new password ends the other sessions', async () => {
    const user = aUser();
    await database.users.add(user, undefined, note());
    const [kept, other] = [aSession(user.id), aSession(user.id)];
    for (const session of [kept, other]) await database.accounts.addSession(session, note());
    await database.users.setPassword(user, 'phc', kept.tokenHash, note());
    assert.deepEqual(
      (await database.accounts.listSessions(user, 1)).map(({ id }) => id),
      [kept.id],
    );
    assert.equal((await database.accounts.findSession(kept.tokenHash, 1))?.identity.role, 'viewer');
    assert.equal(await database.accounts.findSession(kept.tokenHash, 1_000), undefined, 'its time is over');
    await database.users.change(user, { disabledAtMs: 5 }, note());
    assert.equal(await database.accounts.findSession(kept.tokenHash, 1), undefined);
  });

  test('a code’s time step, and a recovery code, are used once', async () => {
    const user = aUser();
    await database.users.add(user, undefined, note());
    assert.equal(await database.users.offerAuthenticator(user, 'sealed'), true);
    const confirmed = { authenticator: 'sealed', step: 10, nowMs: 1, codeHashes: ['a', 'b'] };
    assert.equal(await database.users.useStep(user, 11), false, 'not confirmed yet');
    const confirmations = await Promise.all(
      [1, 2].map(() => database.users.confirmAuthenticator(user, confirmed, note())),
    );
    assert.deepEqual(confirmations.sort(), [false, true]);
    assert.equal(await database.users.offerAuthenticator(user, 'another'), false);
    assert.equal(await database.users.useStep(user, 10), false, 'used to confirm');
    const uses = await Promise.all(Array.from({ length: 5 }, () => database.users.useStep(user, 12)));
    assert.equal(uses.filter((used) => used).length, 1);
    assert.equal(await database.users.useStep(user, 11), false, 'an earlier one');
    const recoveries = await Promise.all(Array.from({ length: 5 }, () => database.users.useRecoveryCode(user, 'a')));
    assert.equal(recoveries.filter((used) => used).length, 1);
    await database.users.removeAuthenticator(user, note());
    assert.equal(await database.users.useRecoveryCode(user, 'b'), false);
  });

  test('two owners who each demote the other do not both succeed', async () => {
    const other = aUser({ role: 'owner' });
    await database.users.add(other, undefined, note());
    const results = await Promise.allSettled(
      ['owner', other.id].map((id) => database.users.change({ tenantId: main, id }, { role: 'none' }, note())),
    );
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const id of ['owner', other.id]) {
      await database.users.change({ tenantId: main, id }, { role: 'owner' }, note()).catch(() => undefined);
    }
  });

  test('grants apply to a user by themselves and by each group, until they are taken back', async () => {
    const user = aUser();
    const group = { id: newId(), tenantId: main, name: 'Planners', createdAtMs: 1 };
    await database.users.add(user, undefined, note());
    await database.groups.add(group, note(), many);
    await fails(database.groups.add({ ...group, id: newId(), name: 'PLANNERS' }, note(), many), 'name-taken');
    assert.equal(await database.groups.addMember(group, user.id, note()), true);
    assert.equal(await database.groups.addMember(group, user.id, note()), true);
    assert.equal(await database.groups.addMember(group, 'nobody', note()), false);
    assert.deepEqual((await database.groups.members(main, [group.id])).get(group.id), [user.id]);
    const grant = { tenantId: main, folderId: '', role: 'viewer', createdAtMs: 1 } as const;
    const own = await database.grants.set(
      { ...grant, id: newId(), subjectKind: 'user', subjectId: user.id },
      note(),
      many,
    );
    assert.ok(own);
    await database.grants.set(
      { ...grant, id: newId(), folderId: 'f', subjectKind: 'group', subjectId: group.id },
      note(),
      many,
    );
    // It comes in the place of another, however many there may be.
    const again = await database.grants.set({ ...own, id: newId(), role: 'editor' }, note(), 0);
    assert.deepEqual([again?.id, again?.role], [own.id, 'editor']);
    const held = async (): Promise<string> =>
      (await database.grants.of(user))
        .map(({ folderId, role }) => `${folderId}:${role}`)
        .sort()
        .join(' ');
    assert.equal(await held(), ':editor f:viewer');
    assert.deepEqual(await database.grants.of({ tenantId: 'other', id: user.id }), []);
    await database.groups.remove(group, note());
    assert.equal(await held(), ':editor');
    assert.equal(await database.grants.remove({ tenantId: 'other', id: own.id }, note()), false);
  });

  test('what a tenant has a limited number of stays within the limit, however many ask at once', async () => {
    const record = { tenantId: main, createdAtMs: 1 };
    const key = { ...record, userId: 'owner', name: 'k', hint: 'k', scopes: null, folderId: null };
    const webhook = {
      ...record,
      url: 'https://a.test/',
      events: [],
      secretSealed: '',
      oldSecretSealed: null,
      oldSecretUntilMs: null,
      enabled: true,
      disabledReason: null,
    };
    const grant = { ...record, subjectKind: 'user', subjectId: 'owner', role: 'viewer' } as const;
    const countOf = async <Row>(rows: Promise<readonly Row[]>): Promise<number> => (await rows).length;
    for (const { count, add } of [
      {
        count: () => countOf(database.webhooks.list(main)),
        add: (atMost: number) => database.webhooks.add({ ...webhook, id: newId() }, note(), atMost),
      },
      {
        count: () => countOf(database.accounts.listApiKeys(main)),
        add: (atMost: number) =>
          database.accounts.addApiKey(
            { ...key, id: newId(), secretHash: newId(), expiresAtMs: null, lastUsedAtMs: null },
            note(),
            atMost,
          ),
      },
      {
        count: () => countOf(database.groups.list(main, many)),
        add: (atMost: number) => {
          const id = newId();
          return database.groups.add({ ...record, id, name: id }, note(), atMost);
        },
      },
      {
        count: () => countOf(database.grants.list({ tenantId: main, limit: many })),
        add: (atMost: number) =>
          database.grants
            .set({ ...grant, id: newId(), folderId: newId() }, note(), atMost)
            .then((set) => set !== undefined),
      },
    ]) {
      const before = await count();
      const added = await Promise.all(Array.from({ length: 6 }, () => add(before + 2)));
      assert.equal(added.filter((isAdded) => isAdded).length, 2);
      assert.equal(await count(), before + 2);
    }
  });

  test('what is one tenant’s is not there for another', async () => {
    const user = aUser({ email: 'mine@example.com' });
    await database.users.add(user, undefined, note());
    const session = aSession(user.id);
    await database.accounts.addSession(session, note());
    const key = {
      id: newId(),
      userId: user.id,
      tenantId: main,
      name: 'k',
      hint: 'k',
      secretHash: newId(),
      scopes: null,
    };
    const rest = { folderId: null, createdAtMs: 1, expiresAtMs: null, lastUsedAtMs: null };
    await database.accounts.addApiKey({ ...key, ...rest }, note(), many);
    const foreign = { tenantId: 'other', id: user.id };
    assert.equal(await database.users.get(foreign), undefined);
    assert.equal(await database.users.findByEmail('other', 'mine@example.com'), undefined);
    assert.equal((await database.users.findByEmail(main, 'MINE@example.com'))?.id, user.id);
    assert.deepEqual(await database.accounts.listSessions(foreign, 1), []);
    assert.equal(await database.accounts.removeSessionById(foreign, session.id, note()), false);
    assert.deepEqual(await database.accounts.listApiKeys('other'), []);
    assert.equal(await database.accounts.removeApiKey({ tenantId: 'other', id: key.id }, undefined, note()), false);
    assert.equal(await database.accounts.removeApiKey({ tenantId: main, id: key.id }, 'owner', note()), false);
    assert.equal(await database.accounts.removeApiKey({ tenantId: main, id: key.id }, user.id, note()), true);
  });

  test('the owner is there since the database was first opened', async () => {
    const owner = await database.users.get({ tenantId: main, id: 'owner' });
    assert.ok(owner !== undefined && owner.createdAtMs > 0, `created at ${owner?.createdAtMs}`);
  });

  test('a tenant comes with its first owner, or not at all', async () => {
    const id = 'fresh';
    const tenant = { id, name: 'Fresh', createdAtMs: 1, suspendedAtMs: null, quotaBytes: 5, quotaFiles: null };
    const owner = aUser({ tenantId: id, role: 'owner' });
    const token = { tokenHash: 'fresh', tenantId: id, userId: owner.id, issuedBy: 'member', expiresAtMs: 100 } as const;
    const created = serviceNote({ tenantId: id, action: 'tenant.created', subject: { kind: 'tenant', id } });
    await database.tenants.add(tenant, owner, token, [created]);
    await fails(
      database.tenants.add(tenant, { ...owner, id: newId() }, { ...token, tokenHash: 'x' }, [created]),
      'name-taken',
    );
    assert.deepEqual(await database.tenants.get(id), tenant);
    assert.equal((await database.tenants.change(id, { quotaBytes: null }, created))?.quotaBytes, null);
    assert.deepEqual(
      (await database.tenants.list({ limit: 9 })).map((row) => row.id),
      [id, main],
    );
    assert.deepEqual(
      (await database.audit.list({ tenantId: id, limit: 9 })).map(({ sequence }) => sequence),
      [2, 1],
    );
    assert.equal((await database.tenants.usage(id)).usedBytes, 0);
  });
}
