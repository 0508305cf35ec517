// Files that are there: named, moved, copied, found, replaced, thrown away, brought back, shown to others.

import assert from 'node:assert/strict';
import type { Scenario } from '../scenario.ts';
import { dayMs, hourMs, minuteMs, type World } from '../world.ts';

/** Makes a folder; one whose making was not heard of is looked up. */
async function makeFolder(world: World, name: string): Promise<{ readonly id: string }> {
  const made = await world.once('createFolder', 'name-taken', { body: { name } });
  if (made !== undefined) return made;
  const there = (await world.call('listFolders')).folders.find((folder) => folder.name === name);
  assert.ok(there, `The folder ${name} is neither made nor free to be made.`);
  return there;
}

export const treeScenarios = {
  folders: {
    play: async (world) => {
      const one = await makeFolder(world, 'One');
      const two = await makeFolder(world, 'Two');
      const file = await world.upload('deep', { folderId: one.id, name: 'deep.txt' });
      const top = await world.upload('top', { name: 'top.txt' });
      await world.call('listFolders');
      await world.call('listFolders', { query: { parentId: one.id } });
      await world.call('getFolder', { id: one.id });
      await world.call('changeFolder', { id: one.id, body: { name: 'Inside', parentId: two.id } });
      await world.call('changeFile', { id: top.fileId, body: { name: 'renamed.txt', folderId: one.id, tags: ['x'] } });
      await world.call('changeFile', { id: top.fileId, body: { metadata: { a: 'b' } } });
      await world.refused('folder-cycle', 'changeFolder', { id: two.id, body: { parentId: one.id } });
      await world.call('listFiles', { query: { folderId: one.id, sort: 'name' } });
      await world.call('listFiles', { query: { name: 'notes' } });
      await world.call('listFiles', { query: { limit: 1 } });
      await world.call('search', { query: { q: 'renamed', folderId: two.id } });
      await world.call('search', { query: { q: 'deep' } });
      await world.once('deleteFolder', 'not-found', { id: two.id });
      // Before the worker has come to it. The other one that lies there follows when the folder comes back.
      assert.equal((await world.call('getFile', { id: file.fileId })).state, 'trashed');
      const { folder } = await world.call('restoreFile', { id: file.fileId });
      assert.deepEqual(folder, ['Two', 'Inside']);
      world.promise(top.fileId, async () => {
        assert.equal((await world.call('getFile', { id: top.fileId })).state, 'trashed');
      });
      const empty = await makeFolder(world, 'Empty');
      await world.once('deleteFolder', 'not-found', { id: empty.id });
      await world.tick();
    },
  },
  trash: {
    options: () => ({ policies: { default: { userQuotaBytes: 1_000_000 }, kept: { retentionMs: 200 * dayMs } } }),
    play: async (world) => {
      const back = await world.upload('back', { name: 'back.txt' });
      await world.call('deleteFile', { id: back.fileId });
      await world.call('listTrash');
      await world.call('restoreFile', { id: back.fileId });
      const gone = await world.upload('gone', { name: 'gone.txt' });
      const purged = await world.upload('purged', { name: 'purged.txt' });
      const kept = await world.upload('kept', { category: 'kept', name: 'kept.txt' });
      for (const { fileId } of [gone, purged, kept]) await world.call('deleteFile', { id: fileId });
      await world.once('purgeFile', 'not-found', { id: purged.fileId });
      await world.refused('retained', 'purgeFile', { id: kept.fileId });
      world.promiseState(purged.id, 'purging', 'purged');
      world.promise(
        purged.fileId,
        async () => void (await world.refused('not-found', 'getFile', { id: purged.fileId })),
      );
      world.promise(gone.fileId, async () => void (await world.refused('not-found', 'getFile', { id: gone.fileId })));
      await world.pass(31 * dayMs);
      await world.pass(hourMs);
      world.promiseState(gone.id, 'purged', 'purging');
      world.promise(kept.fileId, async () => {
        assert.equal((await world.call('getFile', { id: kept.fileId })).state, 'trashed');
      });
    },
  },
  trashEmptied: {
    play: async (world) => {
      const one = await world.upload('one');
      const folder = await makeFolder(world, 'F');
      const two = await world.upload('two', { folderId: folder.id });
      await world.call('deleteFile', { id: one.fileId });
      await world.once('deleteFolder', 'not-found', { id: folder.id });
      await world.tick();
      await world.call('emptyTrash');
      await world.pass(hourMs);
      await world.pass(hourMs);
      for (const { fileId, id } of [one, two]) {
        world.promise(fileId, async () => void (await world.refused('not-found', 'getFile', { id: fileId })));
        world.promiseState(id, 'purging', 'purged');
      }
    },
  },
  versions: {
    options: () => ({ policies: { default: { keepVersions: 1 } } }),
    play: async (world) => {
      const first = await world.upload('one', { name: 'v.txt' });
      const { fileId } = first;
      const second = await world.upload('two', { versionOf: fileId });
      await world.upload('three', { name: 'v.txt', onConflict: 'replace' });
      await world.call('listVersions', { id: fileId });
      await world.call('restoreVersion', { params: { id: fileId, versionId: second.id } });
      world.promiseBytes(fileId, 'two');
      const { versions } = await world.call('listVersions', { id: fileId });
      const old = versions.find(({ current, state }) => !current && state === 'ready');
      if (old !== undefined) {
        await world.ask('getContent', { id: fileId, query: { version: old.id } });
        await world.once('deleteVersion', 'not-found', { params: { id: fileId, versionId: old.id } });
      }
      const bad = await world.announce({ sizeBytes: 100, versionOf: fileId });
      await world.send(bad, Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(93)]));
      await world.call('completeUpload', { id: bad.id });
      await world.refused('wrong-state', 'deleteVersion', { params: { id: fileId, versionId: bad.id } });
      await world.tick();
      await world.once('deleteVersion', 'not-found', { params: { id: fileId, versionId: bad.id } });
      await world.pass(hourMs);
      await world.refused('wrong-state', 'deleteVersion', { params: { id: fileId, versionId: second.id } });
    },
  },
  /** A file goes with its versions. */
  versionsPurged: {
    play: async (world) => {
      const { fileId } = await world.upload('one', { name: 'v.txt' });
      await world.upload('two', { versionOf: fileId });
      await world.call('deleteFile', { id: fileId });
      await world.once('purgeFile', 'not-found', { id: fileId });
      await world.pass(hourMs);
      await world.pass(hourMs);
      world.promise(fileId, async () => void (await world.refused('not-found', 'getFile', { id: fileId })));
    },
  },
  copied: {
    play: async (world) => {
      const source = await world.upload('copied', { name: 'source.txt' });
      // A copy whose making was not heard of is made again, and there are two of them.
      const copy = await world.call('copyFile', { id: source.fileId, body: { name: 'copy.txt' } });
      await world.tick();
      world.promiseBytes(copy.fileId, 'copied');
      const late = await world.call('copyFile', { id: source.fileId, body: { name: 'late.txt' } });
      await world.call('deleteFile', { id: source.fileId });
      world.promise(source.fileId, async () => {
        assert.equal((await world.call('getFile', { id: source.fileId })).state, 'trashed');
      });
      await world.tick();
      world.promiseState(late.id, 'aborted', 'purging', 'purged');
    },
  },
  shared: {
    play: async (world) => {
      const folder = await makeFolder(world, 'Out');
      const file = await world.upload('shared', { folderId: folder.id, name: 'a.txt' });
      const share = await world.call('createShare', { body: { fileId: file.fileId, maxDownloads: 2 } });
      const ofFolder = await world.call('createShare', { body: { folderId: folder.id, password: 'open sesame' } });
      const path = (url: string): string => new URL(url).pathname;
      assert.equal((await world.request('GET', path(share.url), {}, '')).status, 200);
      const { status } = await world.request('GET', `${path(share.url)}/files/${file.fileId}`, {}, '');
      assert.equal(status, 302);
      await world.request('HEAD', `${path(share.url)}/archive`, {}, '');
      await world.request('GET', `${path(share.url)}/archive`, {}, '');
      const body = 'password=open+sesame';
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const opened = await world.request('POST', path(ofFolder.url), { headers, body }, '');
      assert.equal(opened.status, 303, opened.text);
      const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
      assert.equal((await world.request('GET', path(ofFolder.url), {}, cookie)).status, 200);
      assert.equal((await world.request('GET', `${path(ofFolder.url)}/archive`, {}, cookie)).status, 200);
      await world.request('GET', `${path(ofFolder.url)}/files/${file.fileId}/preview`, {}, cookie);
      await world.call('createLink', { id: file.fileId, body: { expiresInSeconds: 60 } });
      await world.call('listShares');
      await world.call('revokeShare', { id: share.id });
      world.promise('revoked', async () => {
        assert.equal((await world.request('GET', path(share.url), {}, '')).status, 410);
        const shares = (await world.call('listShares')).shares.filter(({ id }) => id === share.id);
        const downloads = shares[0]?.downloads ?? 0;
        // One whose answer was lost was counted all the same; never more than allowed.
        assert.ok(downloads <= 2, `There were ${downloads} downloads.`);
      });
    },
  },
  archived: {
    options: () => ({ auditDownloads: true }),
    play: async (world) => {
      const folder = await makeFolder(world, 'Z');
      const one = await world.upload('one', { folderId: folder.id });
      const two = await world.upload('', { folder: ['Z', 'deep'] });
      await world.request('HEAD', `/v1/archive?files=${one.fileId}`);
      const { status } = await world.request('GET', `/v1/archive?files=${one.fileId}&folders=${folder.id}`);
      assert.equal(status, 200);
      await world.ask('getContent', { id: one.fileId });
      const share = await world.call('createShare', { body: { fileId: one.fileId } });
      await world.request('GET', `${new URL(share.url).pathname}/files/${one.fileId}`, {}, '');
      await world.call('deleteFile', { id: two.fileId });
      world.promise(two.fileId, async () => {
        assert.equal((await world.call('getFile', { id: two.fileId })).state, 'trashed');
      });
      await world.pass(minuteMs);
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;
