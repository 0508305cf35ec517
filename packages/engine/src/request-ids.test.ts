import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRequestIds } from './request-ids.ts';

it('makes sixteen hex characters, each id another', () => {
  const next = createRequestIds(() => 0.999_999_999);
  const ids = new Set(Array.from({ length: 1000 }, next));
  assert.equal(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[0-9A-F]{16}$/);
});
