// Bucket names, object keys and copy sources: what names what.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkBucketName } from './bucket-name.ts';
import { parseCopySource } from './copy-source.ts';
import { checkObjectKey } from './object-key.ts';

test('bucket names', () => {
  for (const name of ['abc', '0ab', 'a-b.c', 'aaa.111', `a${'b'.repeat(62)}`, '1.2.3', 'my--bucket', 'team-an']) {
    checkBucketName(name);
  }
  const bad = [
    '',
    'a',
    'aa',
    'a'.repeat(64),
    'Abc',
    'a_b',
    '_abc',
    '-abc',
    'abc-',
    '.abc',
    'abc.',
    'foo..bar',
    'foo.-bar',
    'foo-.bar',
    '192.168.5.123',
    'xn--abc',
    'sthree-abc',
    'amzn-s3-demo-x',
    'abc-s3alias',
    'abc--ol-s3',
    'abc.mrap',
    'abc--x-s3',
    'abc--table-s3',
    'ab\u00e9c',
    'a b',
  ];
  for (const name of bad) assert.throws(() => checkBucketName(name), { code: 'InvalidBucketName' }, name);
});

test('object keys are 1 to 1,024 bytes of UTF-8', () => {
  for (const key of [
    'a',
    '..',
    '/',
    '//',
    'a/',
    '\u0000',
    '\u202e',
    'k'.repeat(1024),
    '\u00e9'.repeat(512),
    '😀'.repeat(256),
  ]) {
    checkObjectKey(key);
  }
  for (const key of ['k'.repeat(1025), '\u00e9'.repeat(513), '😀'.repeat(257)]) {
    assert.throws(() => checkObjectKey(key), { code: 'KeyTooLongError' });
  }
  assert.throws(() => checkObjectKey('a\ud800'), { code: 'InvalidURI' });
  assert.throws(() => checkObjectKey(''), { code: 'InvalidArgument' });
});

test('copy sources', () => {
  assert.deepEqual(parseCopySource('/b/k'), { bucket: 'b', key: 'k' });
  assert.deepEqual(parseCopySource('b/a/../k%3Fx+y?versionId=v%201'), {
    bucket: 'b',
    key: 'a/../k?x+y',
    versionId: 'v 1',
  });
  assert.deepEqual(parseCopySource('%2Fb%2Fk'), { bucket: 'b', key: 'k' });
  assert.deepEqual(parseCopySource(Buffer.from('b/é').toString('latin1')), { bucket: 'b', key: 'é' });
  for (const header of [
    '',
    '/',
    'b',
    'b/',
    '/b',
    '//k',
    'b/k?version=1',
    'b/k?versionId=',
    'b/%ff',
    'b/%zz',
    'b/\xff',
  ]) {
    assert.throws(() => parseCopySource(header), { code: 'InvalidArgument' }, header);
  }
  assert.throws(() => parseCopySource('arn:aws:s3:us-east-1:1:accesspoint/x/object/k'), { code: 'NotImplemented' });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1 }).filter((key) => key.isWellFormed()),
      (key) => {
        assert.deepEqual(parseCopySource(`b/${encodeURIComponent(key)}`), { bucket: 'b', key });
      },
    ),
  );
});
