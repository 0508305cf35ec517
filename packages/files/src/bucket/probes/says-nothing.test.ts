import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saysNothing } from './says-nothing.ts';

function document(code: string, message = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error xmlns=""><Code>${code}</Code><Message>${message}</Message></Error>`;
}

test('what an endpoint says of itself, of keys or of clocks says nothing of what was asked', () => {
  for (const status of [408, 429, 500, 502, 503, 504, 507, 520]) {
    assert.equal(saysNothing(status, ''), String(status));
  }
  for (const code of ['RequestTimeTooSkewed', 'ExpiredToken', 'InvalidAccessKeyId', 'TokenRefreshRequired']) {
    assert.equal(saysNothing(403, document(code)), `403 ${code}`);
  }
  assert.equal(saysNothing(400, document('RequestTimeout')), '400 RequestTimeout');
  assert.equal(saysNothing(200, document('InternalError')), '200 InternalError', 'said before it was known');
  for (const message of [
    'Request is not yet valid',
    'Request has expired',
    'Invalid according to Policy: Policy expired.',
  ]) {
    assert.equal(saysNothing(403, document('AccessDenied', message)), `403 AccessDenied (${message})`);
  }
});

test('what is refused for itself says something', () => {
  for (const [status, text] of [
    [200, 'bytes'],
    [200, 'RequestTimeTooSkewed'],
    [400, document('BadDigest')],
    [403, document('SignatureDoesNotMatch')],
    [403, document('AccessDenied', 'There were headers present in the request which were not signed')],
    [404, document('NoSuchUpload')],
    [409, document('ConditionalRequestConflict')],
    [412, document('PreconditionFailed')],
    [501, document('NotImplemented')],
  ] as const) {
    assert.equal(saysNothing(status, text), undefined, `${status} ${text}`);
  }
});
