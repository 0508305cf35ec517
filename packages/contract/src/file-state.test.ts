import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileStateNames, fileStates, mayFollow } from './file-state.ts';

test('every state that may follow exists, and none is left out of reach', () => {
  const reached = new Set<string>(['pending']);
  for (const name of fileStateNames) for (const next of fileStates[name].next) reached.add(next);
  assert.deepEqual([...reached].sort(), [...fileStateNames].sort());
});

test('only ready can be downloaded, and only scanning and the trash lead to it', () => {
  assert.deepEqual(
    fileStateNames.filter((name) => fileStates[name].downloadable),
    ['ready'],
  );
  assert.deepEqual(
    fileStateNames.filter((name) => mayFollow(name, 'ready')),
    ['scanning', 'trashed'],
  );
});
