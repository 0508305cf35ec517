import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPasswordHashes } from './password-hash.ts';

test('a password matches its hash and no other, however its accents are spelled', async () => {
  const passwords = openPasswordHashes();
  const hash = await passwords.hash('caf\u00e9 au lait');
  assert.match(hash, /^\$argon2id\$v=19\$m=65536,t=3,p=4\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.ok(await passwords.matches('cafe\u0301 au lait', hash));
  assert.equal(await passwords.matches('cafe au lait', hash), false);
  assert.notEqual(await passwords.hash('caf\u00e9 au lait'), hash, 'each has a salt of its own');
  await assert.rejects(passwords.matches('x', 'plain'), /not a PHC string/);
});
