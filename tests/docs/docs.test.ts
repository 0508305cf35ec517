// Generated documents are what the tables say now.

import assert from 'node:assert/strict';
import test from 'node:test';
import { renderDocuments, staleDocuments } from '../../scripts/docs.ts';

test('no generated document is stale', async () => {
  const stale = await staleDocuments();
  assert.ok(stale.length === 0, `${stale.join(', ')} differs from the tables in the code: run npm run docs.`);
});

test('every operation and every error is in the documents', async () => {
  const documents = await renderDocuments();
  const compatibility = documents.get('docs/compatibility.md') ?? '';
  for (const name of ['PutObject', 'SelectObjectContent', 'PostObject', 'NotImplemented']) {
    assert.match(compatibility, new RegExp(`\\b${name}\\b`));
  }
  const errors = documents.get('docs/errors.md') ?? '';
  for (const code of ['SignatureDoesNotMatch', 'DiskFull', 'wrong-state'])
    assert.match(errors, new RegExp(`\`${code}\``));
});
