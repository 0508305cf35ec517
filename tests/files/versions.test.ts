// Versions, the trash, and what must be kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, hourMs, requestOf, ServiceFixture, sendBytes, serviceOrigin } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);

async function addVersion(service: ServiceFixture, id: string, words: string): Promise<string> {
  const upload = await service.announce({ name: 'any.txt', sizeBytes: text(words).length, versionOf: id });
  assert.equal((await sendBytes(requestOf(upload), text(words))).status, 200);
  await service.call('completeUpload', { id: upload.id });
  await service.tick();
  return upload.id;
}

async function versionsOf(service: ServiceFixture, id: string): Promise<readonly string[]> {
  const { versions } = await service.call('listVersions', { id });
  return versions.map((version) => `${version.id === id ? 'first' : version.id}${version.current ? ' current' : ''}`);
}

test('an earlier version is read, restored and deleted', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  const second = await addVersion(service, id, 'second');
  assert.deepEqual(await versionsOf(service, id), [`${second} current`, 'first']);
  const old = await fetch(await service.contentUrl(id, { version: id }));
  assert.equal(await old.text(), 'one');
  await service.refused('wrong-state', 'deleteVersion', { id, versionId: second });
  assert.equal((await service.call('restoreVersion', { id, versionId: id })).versionId, id);
  assert.deepEqual(await versionsOf(service, id), ['first current', second]);
  assert.deepEqual(await service.download(id), text('one'));
  await service.call('deleteVersion', { id, versionId: second });
  await service.refused('not-found', 'restoreVersion', { id, versionId: second });
  service.advance(2 * dayMs);
  await service.tick();
  assert.equal(service.keys('files/').length, 1, 'the bytes of the version are gone');
});

test('no version of a file in the trash is given out, by whatever way the file came there', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  const second = await addVersion(service, id, 'two');
  const folder = await service.call('createFolder', { body: { name: 'Plans' } });
  await service.call('changeFile', { id, body: { folderId: folder.id } });
  await service.call('deleteFile', { id });
  for (const version of [id, second]) {
    await service.refused('wrong-state', 'getContent', { id, query: { version } });
    const head = await service.send(
      new Request(`${serviceOrigin}/v1/files/${id}/content?version=${version}`, {
        method: 'HEAD',
        headers: { cookie: service.cookie },
      }),
    );
    assert.equal(head.status, 409);
  }
  await service.call('restoreFile', { id });
  await service.call('deleteFolder', { id: folder.id });
  for (const version of [id, second]) await service.refused('wrong-state', 'getContent', { id, query: { version } });
  // Listed and deleted they can be, as the file itself.
  assert.deepEqual(await versionsOf(service, id), [`${second} current`, 'first']);
  await service.call('restoreFile', { id });
  assert.equal(await (await fetch(await service.contentUrl(id, { version: id }))).text(), 'one');
});

test('versions beyond those that the policy keeps are purged, the oldest first', async (t) => {
  const service = await ServiceFixture.open(t, { policies: { default: { keepVersions: 1 } } });
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  const second = await addVersion(service, id, 'two');
  const third = await addVersion(service, id, 'three');
  assert.deepEqual(await versionsOf(service, id), [`${third} current`, second]);
});

test('the version that was current before is kept, whatever the clocks of those who took it over say', async (t) => {
  const service = await ServiceFixture.open(t, { policies: { default: { keepVersions: 1 } } });
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  service.advance(2 * hourMs);
  await addVersion(service, id, 'two');
  // As after a restart on a machine whose clock is behind.
  service.advance(-hourMs);
  await service.restart();
  const third = await addVersion(service, id, 'three');
  service.advance(1_000);
  const fourth = await addVersion(service, id, 'four');
  assert.deepEqual(await versionsOf(service, id), [`${fourth} current`, third]);
  // Restored, it is the last that was current; so is what it took the place of.
  await service.call('restoreVersion', { id, versionId: third });
  assert.deepEqual(await versionsOf(service, id), [`${third} current`, fourth]);
  const fifth = await addVersion(service, id, 'five');
  assert.deepEqual(await versionsOf(service, id), [`${fifth} current`, third]);
});

test('a file that is purged goes with all its versions', async (t) => {
  const service = await ServiceFixture.open(t);
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  await addVersion(service, id, 'two');
  await service.refused('wrong-state', 'purgeFile', { id });
  await service.call('deleteFile', { id });
  assert.deepEqual(
    (await service.call('listTrash')).files.map((file) => file.id),
    [id],
  );
  await service.call('purgeFile', { id });
  service.advance(2 * dayMs);
  await service.tick();
  assert.deepEqual(service.keys(), []);
  assert.deepEqual(new Set(service.rows().map(({ state }) => state)), new Set(['purged']));
});

test('what is retained is not purged, by anybody, until its time is over', async (t) => {
  const service = await ServiceFixture.open(t, { policies: { default: { retentionMs: 60 * dayMs } } });
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  await service.call('deleteFile', { id });
  const problem = await service.refused('retained', 'purgeFile', { id });
  assert.match(problem.detail ?? '', /must be kept until/);
  assert.deepEqual(await service.call('emptyTrash'), { files: 0 });
  service.advance(59 * dayMs);
  await service.tick();
  assert.equal(service.row(id).state, 'trashed');
  service.advance(2 * dayMs);
  await service.tick();
  service.advance(dayMs);
  await service.tick();
  assert.equal(service.row(id).state, 'purged');
  assert.deepEqual(service.keys(), []);
});

test('a version that is retained keeps its file from being purged, by whatever way', async (t) => {
  const service = await ServiceFixture.open(t, {
    policies: { default: { retentionMs: 30 * dayMs } },
    limits: { sessionLifeMs: 300 * dayMs, trashRetentionMs: dayMs },
  });
  const { id } = await service.upload('plan.txt', 'text/plain', text('one'));
  service.advance(29 * dayMs);
  const second = await addVersion(service, id, 'two');
  await service.call('restoreVersion', { id, versionId: id });
  service.advance(2 * dayMs);
  // The current version may go by now, the other one for 28 days more not.
  await service.call('deleteFile', { id });
  await service.refused('retained', 'purgeFile', { id });
  assert.deepEqual(await service.call('emptyTrash'), { files: 0 });
  service.advance(2 * dayMs);
  await service.tick();
  assert.equal(service.row(id).state, 'trashed', 'its time in the trash is over, that of the version not');
  assert.equal(service.row(second).state, 'ready');
  assert.equal(service.keys('files/').length, 2);
  service.advance(27 * dayMs);
  await service.tick();
  service.advance(dayMs);
  await service.tick();
  assert.deepEqual([service.row(id).state, service.row(second).state], ['purged', 'purged']);
});

test('the trash is emptied', async (t) => {
  const service = await ServiceFixture.open(t);
  const ids = [];
  for (const name of ['a', 'b', 'c']) ids.push((await service.upload(`${name}.txt`, 'text/plain', text(name))).id);
  for (const id of ids.slice(0, 2)) await service.call('deleteFile', { id });
  assert.deepEqual(await service.call('emptyTrash'), { files: 2 });
  await service.tick();
  assert.deepEqual((await service.call('listTrash')).files, []);
  assert.equal((await service.call('listFiles')).files.length, 1);
});

test('a type, a size or a name that the policy does not take is refused before anything is signed', async (t) => {
  const service = await ServiceFixture.open(t, {
    policies: { photos: { types: ['image/*'], maxSizeBytes: 1000, extensions: ['png'] } },
  });
  const photo = { name: 'a.png', sizeBytes: 10, contentType: 'image/png', category: 'photos' };
  await service.refused('type-not-allowed', 'createUpload', { body: { ...photo, contentType: 'text/plain' } });
  await service.refused('type-not-allowed', 'createUpload', { body: { ...photo, name: 'a.gif' } });
  await service.refused('file-too-large', 'createUpload', { body: { ...photo, sizeBytes: 1001 } });
  await service.refused('invalid-request', 'createUpload', { body: { ...photo, category: 'films' } });
  assert.deepEqual(service.rows(), []);
  // The bytes are judged by the same policy: text under the name of an image.
  const upload = await service.call('createUpload', { body: photo });
  await sendBytes(requestOf(upload), text('0123456789'));
  await service.call('completeUpload', { id: upload.id });
  await service.tick();
  const refused = await service.call('getUpload', { id: upload.id });
  assert.equal(refused.state, 'rejected');
  assert.match(refused.reason ?? '', /text\/plain; photos takes image/);
});
