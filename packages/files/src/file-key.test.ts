import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFileKeys } from './file-key.ts';

const keys = openFileKeys(new Uint8Array(32).fill(7));
const made = { tenantId: 'main', userId: 'owner', contentType: 'image/png', fileId: '01J00000000000000000000000' };

test('a key says where it belongs and proves who made it', () => {
  const key = keys.make(made);
  assert.match(key, /^files\/main\/owner\/image\/01J0{23}\.[0-9a-f]{32}$/);
  assert.ok(keys.isOurs(key));
  const preview = keys.makePreview(key, 'thumbnail');
  assert.match(preview, /^previews\/main\/owner\/image\/01J0{23}-thumbnail\.[0-9a-f]{32}$/);
  assert.ok(keys.isOurs(preview));
});

test('a key tells its file, and the keys of tries to promote it begin alike', () => {
  const incoming = keys.make({ ...made, zone: 'incoming' });
  const [first, second] = [keys.makePromoted(incoming, 2), keys.makePromoted(keys.makePromoted(incoming, 2), 5)];
  assert.match(second, /^files\/main\/owner\/image\/01J0{23}-5\.[0-9a-f]{32}$/);
  for (const key of [keys.make(made), incoming, first, second]) assert.equal(keys.fileOf(key), made.fileId);
  for (const key of [first, second]) assert.ok(key.startsWith(keys.promotedPrefix(incoming)));
  for (const key of [
    keys.makePreview(first, 'thumbnail'),
    keys.makeProbe('run', 1),
    `${incoming}0`,
    'files/a/b/c/d.e',
  ]) {
    assert.equal(keys.fileOf(key), undefined, key);
  }
});

test('a key of another, and one that was altered, is not ours', () => {
  const key = keys.make(made);
  for (const foreign of ['', 'photo.jpg', key.replace('main', 'mine'), `${key}0`, key.slice(0, -1), 'files/a/b/c/d.']) {
    assert.equal(keys.isOurs(foreign), false, foreign);
  }
  assert.equal(openFileKeys(new Uint8Array(32).fill(8)).isOurs(key), false);
});

test('nothing but plain segments comes into a key', () => {
  for (const tenantId of ['..', 'a/b', '', 'ä', 'a.b']) assert.throws(() => keys.make({ ...made, tenantId }), tenantId);
});
