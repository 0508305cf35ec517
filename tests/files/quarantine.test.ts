// What was set aside is seen, judged anew, released and deleted by those who may, and by nobody else; each decision is in the log.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eicar, startClamd } from '../servers/clamd-server.ts';
import { requestOf, ServiceFixture, sendBytes } from './service-fixture.ts';

const policies = { default: { scan: 'required' } } as const;

test('what nothing could judge is released by who may, with a reason, and only then given out', async (t) => {
  const files = await ServiceFixture.open(t, { policies });
  const { id, fileId } = await files.upload('a.txt', 'text/plain', Buffer.from('harmless'));
  const { files: found } = await files.call('listQuarantine');
  assert.deepEqual(
    found.map(({ id: version, state, name }) => ({ version, state, name })),
    [{ version: id, state: 'scan-failed', name: 'a.txt' }],
  );
  assert.match(found[0]?.reason ?? '', /no scanner is configured/);
  await files.refused('wrong-state', 'getContent', { id: fileId });
  await files.refused('invalid-request', 'releaseQuarantined', { id, body: { reason: '  ' } });
  const released = await files.call('releaseQuarantined', { id, body: { reason: 'looked at by hand' } });
  assert.equal(released.state, 'ready');
  // The job that the look had written finds nothing to do.
  await files.tick();
  assert.equal((await files.download(fileId)).toString(), 'harmless');
  const { entries } = await files.call('listAudit', { query: { action: 'quarantine.released' } });
  assert.equal(entries.length, 1);
  assert.deepEqual(entries[0]?.subject, { kind: 'file', id: fileId });
  assert.equal(entries[0]?.details.reason, 'looked at by hand');
  assert.equal(entries[0]?.details.versionId, id);
  await files.refused('wrong-state', 'releaseQuarantined', { id, body: { reason: 'again' } });
  await files.refused('wrong-state', 'rescanQuarantined', { id });
  await files.refused('wrong-state', 'deleteQuarantined', { id });
  await files.refused('not-found', 'rescanQuarantined', { id: 'NOBODY' });
});

test('what was deleted is gone from bucket and quotas, and the list goes on over pages', async (t) => {
  const files = await ServiceFixture.open(t, { policies });
  const ids: string[] = [];
  for (const name of ['a.txt', 'b.txt', 'c.txt'])
    ids.push((await files.upload(name, 'text/plain', Buffer.from(name))).id);
  const page = await files.call('listQuarantine', { query: { limit: 2 } });
  assert.deepEqual(
    page.files.map(({ name }) => name),
    ['c.txt', 'b.txt'],
  );
  const rest = await files.call('listQuarantine', { query: { limit: 2, cursor: page.nextCursor ?? '' } });
  assert.deepEqual(
    rest.files.map(({ name }) => name),
    ['a.txt'],
  );
  assert.equal(rest.nextCursor, undefined);

  const [id = ''] = ids;
  const { objectKey } = files.row(id);
  await files.call('deleteQuarantined', { id });
  await files.call('deleteQuarantined', { id });
  // Until the address that wrote it has ended, its bytes could come again.
  files.advance(60 * 60_000);
  await files.tick();
  assert.equal(files.row(id).state, 'purged');
  assert.ok(!files.keys().includes(objectKey));
  assert.equal((await files.call('getQuotas')).usage.usedFiles, 2);
  const { entries } = await files.call('listAudit', { query: { action: 'quarantine.deleted' } });
  assert.equal(entries.length, 1, 'said once');
});

test('only those with quarantine:write judge, and a key only where it was given that', async (t) => {
  const files = await ServiceFixture.open(t, { policies });
  const { id } = await files.upload('a.txt', 'text/plain', Buffer.from('x'));
  const { invitation } = await files.call('createUser', { body: { name: 'Editor', role: 'editor' } });
  const as = await files.signInBy(invitation.url);
  await files.refused('forbidden', 'listQuarantine', { as });
  await files.refused('forbidden', 'releaseQuarantined', { as, id, body: { reason: 'please' } });
  const key = async (scopes?: readonly 'quarantine:write'[]): Promise<Readonly<Record<string, string>>> => {
    const made = await files.call('createKey', { body: { name: 'k', ...(scopes === undefined ? {} : { scopes }) } });
    return { authorization: `Bearer ${made.secret}` };
  };
  await files.refused('forbidden', 'rescanQuarantined', { id, headers: await key() });
  await files.call('rescanQuarantined', { id, headers: await key(['quarantine:write']) });
});

test('a file in which malware was found stays set aside when it is judged anew', async (t) => {
  const clamd = await startClamd(t);
  if (!clamd.found) return t.skip(clamd.reason);
  const files = await ServiceFixture.open(t, { policies, clamd: { address: clamd.tcp } });
  const { id, fileId } = await files.upload('e.txt', 'text/plain', Buffer.from(eicar));
  assert.equal(files.row(id).state, 'quarantined');
  assert.equal((await files.call('rescanQuarantined', { id })).state, 'scanning');
  await files.refused('wrong-state', 'getContent', { id: fileId });
  await files.tick();
  assert.equal(files.row(id).state, 'quarantined');
  const { files: found } = await files.call('listQuarantine');
  assert.match(found[0]?.reason ?? '', /Malware was found/);
});

test('deleted by the route of files, it needs the same right and leaves the same note', async (t) => {
  const files = await ServiceFixture.open(t, { policies });
  const { id, fileId } = await files.upload('a.txt', 'text/plain', Buffer.from('set aside'));
  assert.equal(files.row(id).state, 'scan-failed');
  const refused = await files.upload('program.txt', 'text/plain', Buffer.from('MZ'.padEnd(512, '\0')));
  assert.equal(refused.state, 'rejected');
  const { invitation } = await files.call('createUser', { body: { name: 'editor', role: 'editor' } });
  const editor = await files.signInBy(invitation.url);
  const { detail } = await files.refused('forbidden', 'deleteFile', { id: fileId, as: editor });
  assert.match(detail ?? '', /quarantine:write/);
  assert.equal(files.row(id).state, 'scan-failed');
  await files.call('deleteFile', { id: fileId });
  assert.equal(files.row(id).state, 'purging');
  const { entries } = await files.call('listAudit', { query: { action: 'quarantine.deleted' } });
  assert.deepEqual(
    entries.map(({ subject, details }) => ({ subject, versionId: details.versionId })),
    [{ subject: { kind: 'file', id: fileId }, versionId: id }],
  );
  // An editor deletes nothing for good.
  const { detail: needed } = await files.refused('forbidden', 'deleteFile', { id: refused.fileId, as: editor });
  assert.match(needed ?? '', /files:purge/);
  await files.call('deleteFile', { id: refused.fileId });
  const { entries: purged } = await files.call('listAudit', { query: { action: 'file.purged' } });
  assert.equal(purged.length, 1);
  assert.equal(purged[0]?.details.versionId, refused.id);
});

test('a version that was set aside is deleted by who judges such, whatever the route', async (t) => {
  const files = await ServiceFixture.open(t, { policies });
  const { id, fileId } = await files.upload('a.txt', 'text/plain', Buffer.from('first'));
  await files.call('releaseQuarantined', { id, body: { reason: 'fine' } });
  const bytes = Buffer.from('second');
  const upload = await files.announce({ name: 'a.txt', sizeBytes: bytes.length, versionOf: fileId });
  assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
  await files.call('completeUpload', { id: upload.id });
  await files.tick();
  assert.equal(files.row(upload.id).state, 'scan-failed');
  const address = { id: fileId, versionId: upload.id };
  const made = await files.call('createKey', { body: { name: 'k', scopes: ['files:read', 'files:purge'] } });
  const headers = { authorization: `Bearer ${made.secret}` };
  assert.match(
    (await files.refused('forbidden', 'deleteVersion', { ...address, headers })).detail ?? '',
    /quarantine:write/,
  );
  assert.equal(files.row(upload.id).state, 'scan-failed');
  await files.call('deleteVersion', address);
  assert.equal(files.row(upload.id).state, 'purging');
  const { entries } = await files.call('listAudit', { query: { action: 'quarantine.deleted' } });
  assert.equal(entries[0]?.details.versionId, upload.id);
});
