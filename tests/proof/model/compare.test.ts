// How the model judges two requests at once: of them one may give way, and the other must have been answered as if it were alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request } from './bound-command.ts';
import { explain } from './compare.ts';
import { bytesOf, emptyModel, type ModelFile } from './model-state.ts';

const nowMs = 1_000_000;
const file: ModelFile = {
  id: 'file',
  lineId: 'file',
  role: 'current',
  versionNumber: 1,
  name: 'a.txt',
  folderId: '',
  sizeBytes: 4,
  category: 'default',
  strategy: 'put',
  sealedBy: 'if-none-match',
  copiedFrom: null,
  partCount: 0,
  announcedAlgorithm: null,
  announcedValue: null,
  objectKey: 'key',
  arrivalKey: 'key',
  multipartUploadId: null,
  state: 'pending',
  fence: 1,
  reviewAtMs: null,
  expiresAtMs: nowMs * 2,
  signedUntilMs: nowMs * 2,
  scanningSinceMs: null,
  retainUntilMs: null,
  wasStored: false,
  jobs: {},
};

/** In how many ways these answers of two completions of one file, whose bytes have arrived, are explained. */
function explained(statuses: readonly [number, number], after: ModelFile): number {
  const model = emptyModel(nowMs);
  model.files.set(file.id, file);
  bytesOf(model, file).arrived = ['text'];
  const done = statuses.map((status, instance) => {
    const request: Request = { kind: 'complete', instance, file };
    return { request, answer: { status, detail: '' } };
  });
  return explain(model, done, { files: new Map([[file.id, after]]), folders: new Set() }, new Map()).length;
}

test('of two at once one may give way, and not both', () => {
  const uploaded: ModelFile = { ...file, state: 'uploaded' };
  assert.notEqual(explained([200, 200], uploaded), 0);
  assert.notEqual(explained([200, 503], uploaded), 0);
  assert.notEqual(explained([409, 200], uploaded), 0);
  for (const after of [file, uploaded]) {
    assert.equal(explained([503, 503], after), 0);
    assert.equal(explained([409, 503], after), 0);
    assert.equal(explained([409, 409], after), 0);
  }
});
