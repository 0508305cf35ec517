import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isS3Error, S3Error, s3Errors } from './errors.ts';

test('every row has a status that is no success and a message', () => {
  for (const [code, { status, message }] of Object.entries(s3Errors)) {
    assert.ok(status >= 301 && status <= 507, `${code}: ${status}`);
    assert.notEqual(message, '', code);
  }
});

test('an error takes status and message from the table, and keeps what it is given', () => {
  const cause = new Error('disk');
  const error = new S3Error('NoSuchKey', undefined, { details: { Key: 'a' }, cause });
  assert.equal(error.status, 404);
  assert.equal(error.message, 'The specified key does not exist.');
  assert.deepEqual(error.details, { Key: 'a' });
  assert.equal(error.cause, cause);
  assert.equal(new S3Error('InvalidArgument', 'what came').message, 'what came');
  assert.equal('cause' in new S3Error('NoSuchKey'), false);
});

test('isS3Error looks at the code, so that a copy of the class is one too', () => {
  const twin = Object.assign(new Error('x'), { name: 'S3Error', code: 'SlowDown', status: 503 });
  assert.ok(isS3Error(twin));
  assert.ok(isS3Error(new S3Error('SlowDown')));
  assert.ok(!isS3Error(Object.assign(new Error('x'), { name: 'S3Error', code: 'toString' })));
  assert.ok(!isS3Error(new Error('x')));
  assert.ok(!isS3Error({ name: 'S3Error', code: 'SlowDown' }));
});
