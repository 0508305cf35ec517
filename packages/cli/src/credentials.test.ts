import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadRootKey, loadServiceSecret } from './credentials.ts';

describe('credentials', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-credentials-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes one key for all who ask, readable by its owner alone, and leaves nothing else behind', async () => {
    const asked = await Promise.all([1, 2, 3].map(() => loadRootKey({ dataFolder: folder, given: undefined })));
    for (const key of asked) assert.deepEqual(key, asked[0]);
    assert.match(asked[0]?.accessKeyId ?? '', /^STOW[A-Z2-7]{16}$/);
    assert.match(asked[0]?.secretAccessKey ?? '', /^[\w-]{40}$/);
    assert.deepEqual(await readdir(folder), ['credentials.json']);
    assert.equal((await stat(join(folder, 'credentials.json'))).mode & 0o777, 0o600);
  });

  it('takes a given key, and writes no file', async () => {
    const given = { accessKeyId: 'a', secretAccessKey: 'b' };
    assert.deepEqual(await loadRootKey({ dataFolder: folder, given }), { ...given, source: 'environment' });
    assert.deepEqual(await readdir(folder), []);
  });

  it('refuses a file that holds no key, and leaves it as it is', async () => {
    for (const text of ['', '{', 'null', '{"accessKeyId":"a"}', '{"accessKeyId":"a","secretAccessKey":""}']) {
      await writeFile(join(folder, 'credentials.json'), text);
      await assert.rejects(loadRootKey({ dataFolder: folder, given: undefined }), /does not hold/);
    }
  });

  it('keeps the secret of the file service', async () => {
    const secret = await loadServiceSecret(folder);
    assert.equal(secret.length, 32);
    assert.deepEqual(await loadServiceSecret(folder), secret);
    await writeFile(join(folder, 'secret.key'), 'short');
    await assert.rejects(loadServiceSecret(folder), /does not hold 32 bytes/);
  });
});
