import assert from 'node:assert/strict';
import { it } from 'node:test';
import { kindOf, opensInBrowser } from './file-kind.ts';

it('knows kinds by their type, whatever its case and parameters', () => {
  assert.equal(kindOf('IMAGE/JPEG'), 'image');
  assert.equal(kindOf('text/csv; charset=utf-8'), 'table');
  assert.equal(kindOf('text/markdown'), 'document');
  assert.equal(kindOf(''), 'other');
  assert.equal(kindOf('application/octet-stream'), 'other');
});

it('opens nothing that could run', () => {
  for (const type of ['text/html', 'image/svg+xml', 'application/javascript', 'application/xml', '']) {
    assert.equal(opensInBrowser(type), false, type);
  }
  for (const type of ['image/png', 'application/pdf', 'video/mp4', 'text/plain; charset=utf-8']) {
    assert.equal(opensInBrowser(type), true, type);
  }
});
