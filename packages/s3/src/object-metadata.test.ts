import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multipartEtag, unquoteEtag } from './etag.ts';
import { metadataHeaders, parseObjectMetadata, parseResponseOverrides } from './object-metadata.ts';
import { parseStorageClass } from './storage-class.ts';

test('metadata is kept and given back', () => {
  const metadata = parseObjectMetadata({
    'content-type': 'text/plain',
    'content-encoding': 'aws-chunked, gzip',
    'cache-control': 'no-cache',
    expires: 'whenever',
    'x-amz-meta-a': '1',
    'x-amz-meta-': 'empty name',
    'x-amz-meta-__proto__': 'p',
    'x-amz-acl': 'private',
    host: 'h',
  });
  assert.deepEqual(metadata.systemMetadata, {
    'content-type': 'text/plain',
    'content-encoding': 'gzip',
    'cache-control': 'no-cache',
    expires: 'whenever',
  });
  assert.deepEqual(Object.entries(metadata.userMetadata), [
    ['a', '1'],
    ['', 'empty name'],
    ['__proto__', 'p'],
  ]);
  assert.deepEqual(metadataHeaders({ systemMetadata: { 'content-type': 'a/b' }, userMetadata: { x: '1' } }), [
    'content-type',
    'a/b',
    'x-amz-meta-x',
    '1',
  ]);
  assert.deepEqual(parseObjectMetadata({ 'content-encoding': 'aws-chunked' }).systemMetadata, {
    'content-type': 'binary/octet-stream',
  });
});

test('metadata beyond ASCII travels as RFC 2047 says', () => {
  const stored = (value: string): string | undefined => parseObjectMetadata({ 'x-amz-meta-a': value }).userMetadata.a;
  assert.equal(stored(Buffer.from('grün').toString('latin1')), 'grün');
  assert.equal(stored('gr\xfcn'), 'grün');
  assert.equal(stored('=?UTF-8?B?Z3LDvG4=?='), 'grün');
  assert.equal(stored('=?utf-8?Q?gr=C3=BCn_x?= =?iso-8859-1?q?=FC?='), 'grün xü');
  assert.equal(stored('=?big5?B?Z3I=?= =?x'), '=?big5?B?Z3I=?= =?x');
  const sent = metadataHeaders({ systemMetadata: {}, userMetadata: { a: 'grün\n' } })[1] ?? '';
  assert.match(sent, /^[\x20-\x7e]+$/);
  assert.equal(stored(sent), 'grün\n');
});

test('user metadata has at most 2 KB', () => {
  parseObjectMetadata({ 'x-amz-meta-a': 'x'.repeat(2047) });
  assert.throws(() => parseObjectMetadata({ 'x-amz-meta-a': 'x'.repeat(2048) }), { code: 'MetadataTooLarge' });
});

test('response overrides replace headers, and cannot inject any', () => {
  const overrides = parseResponseOverrides([
    ['response-content-type', 'text/html'],
    ['response-content-disposition', 'attachment; filename="a"'],
    ['prefix', 'x'],
  ]);
  assert.deepEqual(metadataHeaders({ systemMetadata: { 'content-type': 'a/b' }, userMetadata: {} }, overrides), [
    'content-type',
    'text/html',
    'content-disposition',
    'attachment; filename="a"',
  ]);
  for (const value of ['a\r\nset-cookie: x', '\u4e2d', '\u0000']) {
    assert.throws(() => parseResponseOverrides([['response-content-type', value]]), { code: 'InvalidArgument' });
  }
});

test('storage classes', () => {
  assert.equal(parseStorageClass({}), 'STANDARD');
  assert.equal(parseStorageClass({ 'x-amz-storage-class': 'GLACIER_IR' }), 'GLACIER_IR');
  assert.throws(() => parseStorageClass({ 'x-amz-storage-class': 'glacier' }), { code: 'InvalidStorageClass' });
});

test('ETags', () => {
  assert.equal(unquoteEtag('"abc"'), 'abc');
  assert.equal(unquoteEtag('abc'), 'abc');
  assert.equal(unquoteEtag('"'), '"');
  // MD5 of the two raw MD5s, computed with md5sum.
  const empty = 'd41d8cd98f00b204e9800998ecf8427e';
  assert.equal(multipartEtag([empty]), '59adb24ef3cdbe0297f05b395827453f-1');
});
