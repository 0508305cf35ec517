// What roles, grants and keys let people and programs do: everywhere, below some folders, or nowhere.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Action, actions, type Role, roleAllows, routeNames, routes } from '@stowage/contract';
import { hasSubjects } from '../../packages/files/src/http/subjects.ts';
import { ServiceFixture, serviceOrigin } from './service-fixture.ts';

interface Tree {
  readonly files: ServiceFixture;
  /** work / plans, and private; a file in each, and one at the top. */
  readonly work: string;
  readonly plans: string;
  readonly hidden: string;
  readonly fileIn: { readonly top: string; readonly work: string; readonly plans: string; readonly hidden: string };
}

async function openTree(t: TestContext): Promise<Tree> {
  const files = await ServiceFixture.open(t);
  const { id: work } = await files.call('createFolder', { body: { name: 'Work' } });
  const { id: plans } = await files.call('createFolder', { body: { name: 'Plans', parentId: work } });
  const { id: hidden } = await files.call('createFolder', { body: { name: 'Private' } });
  const put = async (folderId: string): Promise<string> => {
    const bytes = Buffer.from(`in ${folderId}`);
    const upload = await files.sendFile('note.txt', 'text/plain', bytes, { folderId });
    await files.call('completeUpload', { id: upload.id });
    return upload.fileId;
  };
  const fileIn = { top: await put(''), work: await put(work), plans: await put(plans), hidden: await put(hidden) };
  await files.tick();
  return { files, work, plans, hidden, fileIn };
}

/** A new user, signed in. */
async function newUser(files: ServiceFixture, role: Role | 'none'): Promise<{ id: string; as: string }> {
  const { user, invitation } = await files.call('createUser', { body: { name: role, role } });
  return { id: user.id, as: await files.signInBy(invitation.url) };
}

test('every route says what it requires, and what is judged by folder says what it names', () => {
  for (const name of routeNames) {
    const { access, requires, path } = routes[name];
    if (access === 'public') assert.equal(requires, null, name);
    assert.ok(hasSubjects(name), `${name} is judged by folder: add it to http/subjects.ts`);
    if (!path.startsWith('/v1/admin/')) continue;
    assert.ok(
      typeof requires === 'string' && actions[requires].judged !== 'folder',
      `${name} is for who looks after things`,
    );
  }
});

test('a role in the tenant does what the table says, and no more', async (t) => {
  const { files, fileIn, work } = await openTree(t);
  const attempts = {
    'files:read': (as: string) => files.respond('getFile', { as, id: fileIn.work }),
    'files:write': (as: string) => files.respond('changeFile', { as, id: fileIn.work, body: { tags: ['a'] } }),
    'uploads:create': (as: string) =>
      files.respond('createUpload', { as, body: { name: 'new', sizeBytes: 1, folderId: work } }),
    'shares:write': (as: string) => files.respond('createShare', { as, body: { folderId: work } }),
    'files:purge': (as: string) => files.respond('emptyTrash', { as }),
    'members:write': (as: string) => files.respond('listUsers', { as }),
    'audit:read': (as: string) => files.respond('listAudit', { as }),
    'service:admin': (as: string) => files.respond('listTenants', { as }),
  } as const;
  for (const role of ['owner', 'editor', 'viewer', 'uploader', 'none'] as const) {
    const { as } = await newUser(files, role);
    for (const [action, attempt] of Object.entries(attempts)) {
      const { status } = await attempt(as);
      // The keys of the table are actions.
      const allowed = roleAllows(role, action as keyof typeof attempts);
      assert.equal(status < 300, allowed, `${role} ${action}: ${status}`);
      if (!allowed) assert.ok(status === 403 || status === 404, `${role} ${action}: ${status}`);
    }
  }
});

test('who has a grant alone sees that folder and what lies below it, as if it were all there is', async (t) => {
  const { files, work, plans, hidden, fileIn } = await openTree(t);
  const { id: userId, as } = await newUser(files, 'none');
  await files.refused('forbidden', 'listFiles', { as });
  await files.call('createGrant', { body: { folderId: plans, role: 'viewer', userId } });

  assert.deepEqual(
    (await files.call('listFiles', { as })).files.map(({ id }) => id),
    [fileIn.plans],
  );
  const [file] = (await files.call('listFiles', { as })).files;
  assert.deepEqual(file?.folder, ['Plans'], 'the name of the folder above is not told');
  assert.deepEqual(
    (await files.call('search', { as, query: { q: 'note' } })).files.map(({ id }) => id),
    [fileIn.plans],
  );
  const { folders } = await files.call('listFolders', { as });
  assert.deepEqual(
    folders.map(({ id, parentId, path }) => ({ id, parentId, path })),
    [{ id: plans, parentId: '', path: ['Plans'] }],
  );
  assert.deepEqual((await files.call('listFiles', { as, query: { folderId: '' } })).files, []);

  for (const id of [fileIn.top, fileIn.work, fileIn.hidden]) {
    const foreign = await files.refused('not-found', 'getFile', { as, id });
    assert.equal(foreign.detail, `There is no file ${id}.`);
    await files.refused('not-found', 'getContent', { as, id });
    // Allowed nowhere, so refused whatever is named.
    await files.refused('forbidden', 'deleteFile', { as, id });
    await files.refused('not-found', 'getArchive', { as, query: { files: id } });
  }
  for (const id of [work, hidden]) {
    await files.refused('not-found', 'getFolder', { as, id });
    await files.refused('not-found', 'listFiles', { as, query: { folderId: id } });
    await files.refused('not-found', 'listFolders', { as, query: { parentId: id } });
    await files.refused('not-found', 'search', { as, query: { q: 'note', folderId: id } });
  }
  await files.call('getFile', { as, id: fileIn.plans });
  await files.refused('forbidden', 'deleteFile', { as, id: fileIn.plans });
  await files.refused('forbidden', 'createUpload', { as, body: { name: 'x', sizeBytes: 1, folderId: plans } });
  await files.refused('forbidden', 'createUpload', { as, body: { name: 'x', sizeBytes: 1 } });
  await files.refused('forbidden', 'createShare', { as, body: { fileId: fileIn.plans } });
});

test('the strongest of role, own grants and grants of groups wins', async (t) => {
  const { files, work, plans, fileIn } = await openTree(t);
  const { id: userId, as } = await newUser(files, 'viewer');
  const change = (id: string): Promise<Response> => files.respond('changeFile', { as, id, body: { tags: ['seen'] } });
  assert.equal((await change(fileIn.work)).status, 403);

  const { id: groupId } = await files.call('createGroup', { body: { name: 'Planners' } });
  const grant = await files.call('createGrant', { body: { folderId: work, role: 'editor', groupId } });
  assert.equal((await change(fileIn.work)).status, 403, 'not yet in the group');
  await files.call('addGroupMember', { id: groupId, body: { userId } });
  assert.equal((await change(fileIn.work)).status, 200);
  assert.equal((await change(fileIn.plans)).status, 200, 'a grant holds for what lies below');
  // A weaker grant further down takes nothing away.
  await files.call('createGrant', { body: { folderId: plans, role: 'uploader', userId } });
  assert.equal((await change(fileIn.plans)).status, 200);
  assert.equal((await change(fileIn.hidden)).status, 403, 'reads it, by the role in the tenant');

  // Setting a grant again changes it.
  const weaker = await files.call('createGrant', { body: { folderId: work, role: 'viewer', groupId } });
  assert.equal(weaker.id, grant.id);
  assert.equal((await change(fileIn.work)).status, 403);
  await files.call('createGrant', { body: { folderId: work, role: 'editor', groupId } });
  await files.call('removeGroupMember', { id: groupId, params: { userId } });
  assert.equal((await change(fileIn.work)).status, 403);
  await files.call('createGrant', { body: { folderId: '', role: 'editor', userId } });
  assert.equal((await change(fileIn.hidden)).status, 200, 'a grant on the top holds everywhere');
  await files.refused('forbidden', 'listUsers', { as });
});

test('what is moved goes out of sight with its folder, and into it', async (t) => {
  const { files, work, plans, hidden, fileIn } = await openTree(t);
  const { id: userId, as } = await newUser(files, 'none');
  await files.call('createGrant', { body: { folderId: work, role: 'editor', userId } });
  await files.refused('not-found', 'changeFile', { as, id: fileIn.work, body: { folderId: hidden } });
  await files.refused('forbidden', 'changeFile', { as, id: fileIn.work, body: { folderId: '' } });
  await files.call('changeFile', { as, id: fileIn.work, body: { folderId: plans, onConflict: 'keep-both' } });
  await files.refused('not-found', 'changeFolder', { as, id: plans, body: { parentId: hidden } });
  await files.call('changeFolder', { as, id: plans, body: { name: 'Drafts' } });
  // The granted folder itself lies in one that is not theirs.
  await files.refused('forbidden', 'changeFolder', { as, id: work, body: { name: 'Mine' } });
  await files.refused('forbidden', 'deleteFolder', { as, id: work });

  await files.call('changeFolder', { id: plans, body: { parentId: hidden } });
  await files.refused('not-found', 'getFile', { as, id: fileIn.plans });
  await files.call('changeFile', { id: fileIn.hidden, body: { folderId: work } });
  await files.call('getFile', { as, id: fileIn.hidden });
});

test('who may upload and nothing else brings files in and sees none but its own uploads', async (t) => {
  const { files, work, plans, fileIn } = await openTree(t);
  const { id: userId, as } = await newUser(files, 'none');
  await files.call('createGrant', { body: { folderId: work, role: 'uploader', userId } });
  const upload = await files.call('createUpload', { as, body: { name: 'in.txt', sizeBytes: 2, folderId: plans } });
  assert.deepEqual(upload.folder, ['Work', 'Plans']);
  await files.call('getUpload', { as, id: upload.id });
  const other = await files.announce({ sizeBytes: 1, folderId: work });
  await files.refused('not-found', 'getUpload', { as, id: other.id });
  await files.refused('not-found', 'abortUpload', { as, id: other.id });
  assert.deepEqual(
    (await files.call('listUploads', { as })).uploads.map(({ id }) => id),
    [upload.id],
  );
  assert.equal((await files.call('listUploads')).uploads.length, 2);
  await files.refused('forbidden', 'listFiles', { as });
  await files.refused('forbidden', 'getFile', { as, id: fileIn.plans });
  assert.deepEqual(
    (await files.call('listFolders', { as })).folders.map(({ name }) => name),
    ['Work'],
  );
  await files.refused('forbidden', 'createUpload', {
    as,
    body: { name: 'note.txt', sizeBytes: 1, folderId: work, onConflict: 'replace' },
  });
  const problem = await files.refused('not-found', 'createUpload', {
    as,
    body: { name: 'v', sizeBytes: 1, versionOf: fileIn.work },
  });
  assert.equal(problem.detail, `There is no file ${fileIn.work}.`);
  await files.call('abortUpload', { as, id: upload.id });
});

test('an uploader for the whole tenant sees only its own uploads too', async (t) => {
  const { files } = await openTree(t);
  const { as } = await newUser(files, 'uploader');
  const other = await files.announce({ sizeBytes: 1 });
  await files.refused('not-found', 'getUpload', { as, id: other.id });
  await files.refused('not-found', 'completeUpload', { as, id: other.id });
  const own = await files.call('createUpload', { as, body: { name: 'mine', sizeBytes: 1 } });
  assert.deepEqual(
    (await files.call('listUploads', { as })).uploads.map(({ id }) => id),
    [own.id],
  );
  // The same Idempotency-Key of two people names two requests.
  const request = { headers: { 'idempotency-key': 'k' }, body: { name: 'a', sizeBytes: 1 } };
  await files.call('createUpload', request);
  await files.refused('idempotency-conflict', 'createUpload', { ...request, as });
});

test('trash, shares and archives of who has grants alone hold what lies below them', async (t) => {
  const { files, work, fileIn } = await openTree(t);
  const { id: userId, as } = await newUser(files, 'none');
  await files.call('createGrant', { body: { folderId: work, role: 'owner', userId } });
  await files.call('deleteFile', { id: fileIn.hidden });
  await files.call('deleteFile', { as, id: fileIn.work });
  assert.deepEqual(
    (await files.call('listTrash', { as })).files.map(({ id }) => id),
    [fileIn.work],
  );
  await files.refused('not-found', 'restoreFile', { as, id: fileIn.hidden });
  await files.refused('not-found', 'purgeFile', { as, id: fileIn.hidden });
  assert.deepEqual(await files.call('emptyTrash', { as }), { files: 1 });
  await files.tick();
  assert.match(files.row(fileIn.work).state, /^purg/);
  assert.equal(files.row(fileIn.hidden).state, 'trashed');

  const foreign = await files.call('createShare', { body: { fileId: fileIn.top } });
  const own = await files.call('createShare', { as, body: { folderId: work } });
  assert.deepEqual(
    (await files.call('listShares', { as })).shares.map(({ id }) => id),
    [own.id],
  );
  await files.refused('not-found', 'revokeShare', { as, id: foreign.id });
  await files.call('revokeShare', { as, id: own.id });
  assert.equal((await files.respond('getArchive', { as, query: { folders: work } })).status, 200);
});

test('what is restored goes only where the caller may put it', async (t) => {
  const { files, work, plans, hidden, fileIn } = await openTree(t);
  const { id: userId, as } = await newUser(files, 'none');
  await files.call('createGrant', { body: { folderId: plans, role: 'editor', userId } });
  const restore = (): Promise<Response> => files.respond('restoreFile', { as, id: fileIn.plans });
  const folderOf = async (): Promise<readonly string[]> => (await files.call('getFile', { id: fileIn.plans })).folder;

  await files.call('deleteFile', { as, id: fileIn.plans });
  assert.equal((await restore()).status, 200, 'where it lay, which is theirs');

  // The folder that was granted is in the trash: it would come back into one that was not.
  await files.call('deleteFolder', { id: plans });
  await files.tick();
  assert.equal((await restore()).status, 403);
  const names = async (): Promise<readonly string[]> =>
    (await files.call('listFolders', { query: { parentId: work } })).folders.map(({ name }) => name);
  assert.deepEqual(await names(), [], 'nothing came back');

  // Another has taken its name: the file would go into that.
  const { id: taken } = await files.call('createFolder', { body: { name: 'Plans', parentId: work } });
  const { detail } = await files.refused('forbidden', 'restoreFile', { as, id: fileIn.plans });
  assert.match(detail ?? '', /may not put anything/);
  await files.call('createGrant', { body: { folderId: taken, role: 'viewer', userId } });
  assert.equal((await restore()).status, 403, 'who may read there may not put there');
  await files.call('createGrant', { body: { folderId: taken, role: 'editor', userId } });
  assert.equal((await restore()).status, 200);
  assert.deepEqual(await folderOf(), ['Work', 'Plans']);

  // With a folder above, too: who may write there brings all of it back, and who may not, none.
  const { as: ofHidden, id: hiddenUser } = await newUser(files, 'none');
  await files.call('createGrant', { body: { folderId: hidden, role: 'editor', userId: hiddenUser } });
  const { id: inner } = await files.call('createFolder', { body: { name: 'Inner', parentId: hidden } });
  await files.call('changeFile', { id: fileIn.hidden, body: { folderId: inner } });
  await files.call('deleteFolder', { as: ofHidden, id: inner });
  await files.call('restoreFile', { as: ofHidden, id: fileIn.hidden });
  await files.call('deleteFolder', { id: hidden });
  await files.refused('forbidden', 'restoreFile', { as: ofHidden, id: fileIn.hidden });
  await files.call('restoreFile', { id: fileIn.hidden });
  assert.deepEqual((await files.call('getFile', { id: fileIn.hidden })).folder, ['Private', 'Inner']);
});

test('a key for one folder goes no further, and a file’s owner loses nothing by it', async (t) => {
  const { files, work, plans, fileIn } = await openTree(t);
  const { secret } = await files.call('createKey', { body: { name: 'plans', folderId: plans } });
  const headers = { authorization: `Bearer ${secret}` };
  assert.deepEqual(
    (await files.call('listFiles', { headers })).files.map(({ id }) => id),
    [fileIn.plans],
  );
  await files.call('changeFile', { headers, id: fileIn.plans, body: { tags: ['k'] } });
  await files.refused('not-found', 'getFile', { headers, id: fileIn.work });
  await files.refused('forbidden', 'listKeys', { headers });
  assert.deepEqual((await files.call('getSession', { headers })).rights, []);

  // Of a user with grants: where both hold.
  const { id: userId, as } = await newUser(files, 'none');
  await files.call('createGrant', { body: { folderId: plans, role: 'viewer', userId } });
  await files.refused('not-found', 'createKey', { as, body: { name: 'k', folderId: work } });
  const { secret: inner } = await files.call('createKey', { as, body: { name: 'k', folderId: plans } });
  assert.equal((await files.call('listFiles', { headers: { authorization: `Bearer ${inner}` } })).files.length, 1);
});

test('a key that is refused is told what kind of key would do, and a person whom to ask', async (t) => {
  const { files, plans, work, fileIn } = await openTree(t);
  const keyOf = async (of: { scopes?: readonly Action[]; folderId?: string }): Promise<{ authorization: string }> => {
    const { secret } = await files.call('createKey', { body: { name: 'k', ...of } });
    return { authorization: `Bearer ${secret}` };
  };
  const named = await keyOf({ scopes: ['uploads:create', 'files:read'] });
  const replace = { name: 'note.txt', sizeBytes: 1, onConflict: 'replace' } as const;
  const scope = await files.refused('forbidden', 'createUpload', { headers: named, body: replace });
  assert.equal(scope.detail, 'This key does not have files:write. Make a key with this scope.');
  const never = await files.refused('forbidden', 'deleteKey', { headers: named, id: 'NOBODY' });
  assert.match(never.detail ?? '', /^keys:write is for people/);

  const within = await keyOf({ folderId: plans });
  const folder = await files.refused('forbidden', 'createFolder', { headers: within, body: { name: 'At the top' } });
  assert.match(folder.detail ?? '', /^This key is for one folder, .* Make a key without a folder\.$/);

  const { id: userId, as } = await newUser(files, 'viewer');
  await files.call('createGrant', { body: { folderId: plans, role: 'editor', userId } });
  const person = await files.refused('forbidden', 'deleteFile', { as, id: fileIn.work });
  assert.equal(person.detail, 'You do not have files:write here. Ask an owner for it.');
  // A key of theirs for a wider folder would not do either.
  const { secret } = await files.call('createKey', { as, body: { name: 'k', folderId: work } });
  const headers = { authorization: `Bearer ${secret}` };
  const theirs = await files.refused('forbidden', 'deleteFile', { headers, id: fileIn.work });
  assert.equal(theirs.detail, person.detail);
});

test('a grant on a folder that is gone goes with it', async (t) => {
  const { files, hidden } = await openTree(t);
  const { id: userId } = await newUser(files, 'none');
  const { id: empty } = await files.call('createFolder', { body: { name: 'Empty', parentId: hidden } });
  await files.call('createGrant', { body: { folderId: empty, role: 'viewer', userId } });
  await files.call('deleteFolder', { id: empty });
  await files.tick();
  assert.deepEqual((await files.call('listGrants', { query: { userId } })).grants, []);
});

test('the share of somebody who was let go still belongs to the tenant, whose owner can end it', async (t) => {
  const { files, fileIn } = await openTree(t);
  const { id, as } = await newUser(files, 'editor');
  const share = await files.call('createShare', { as, body: { fileId: fileIn.top } });
  await files.call('changeUser', { id, body: { disabled: true } });
  const page = (): Promise<Response> => files.send(new Request(new URL(share.url, serviceOrigin)));
  assert.equal((await page()).status, 200);
  await files.call('revokeShare', { id: share.id });
  assert.equal((await page()).status, 410);
});

test('an owner of the tenant does not become who runs the service', async (t) => {
  const files = await ServiceFixture.open(t);
  const second = await newUser(files, 'owner');
  const { user: first } = await files.call('getSession');
  const { rights } = await files.call('getSession', { as: second.as });
  assert.ok(!rights.includes('service:admin'));
  const attempt = { as: second.as, id: first.id };
  const { detail } = await files.refused('forbidden', 'inviteUser', attempt);
  assert.match(detail ?? '', /runs the service/);
  await files.refused('forbidden', 'resetSecondFactor', attempt);
  for (const body of [{ disabled: true }, { role: 'viewer' }, { email: 'second@example.com' }, { name: 'x' }] as const)
    await files.refused('forbidden', 'changeUser', { ...attempt, body });
  // Others are the owner's to look after, and whoever runs the service may do all of it.
  const third = await newUser(files, 'viewer');
  await files.call('inviteUser', { as: second.as, id: third.id });
  await files.call('inviteUser', { id: first.id });
  await files.call('changeUser', { id: first.id, body: { name: 'First' } });
});
