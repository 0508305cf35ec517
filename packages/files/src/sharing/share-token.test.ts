import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openShareTokens } from './share-token.ts';

test('a token gives its share back, and nothing else does', () => {
  const tokens = openShareTokens(new Uint8Array(32).fill(1));
  const id = '01J00000000000000000000000';
  const token = tokens.make(id);
  assert.equal(tokens.read(token), id);
  assert.equal(openShareTokens(new Uint8Array(32).fill(2)).read(token), undefined);
  const altered = `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`;
  for (const wrong of ['', id, altered, `${token}x`, token.toLowerCase()]) assert.equal(tokens.read(wrong), undefined);
});
