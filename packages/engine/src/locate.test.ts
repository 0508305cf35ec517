import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isS3Error } from '@stowage/s3';
import { type Address, locate } from './locate.ts';

const domains = ['s3.example.com', 'localhost'];

function path(bucket: string, key: string): Address {
  return { bucket, key, style: 'path' };
}

describe('locate', () => {
  const cases: readonly (readonly [rawPath: string, host: string, expected: Address])[] = [
    ['/', '127.0.0.1:9000', path('', '')],
    ['/bucket', '127.0.0.1', path('bucket', '')],
    ['/bucket/', '127.0.0.1', path('bucket', '')],
    ['/bucket/a/b', '[::1]:9000', path('bucket', 'a/b')],
    ['/bucket//a', 'localhost:9000', path('bucket', '/a')],
    ['/bucket/../a/.', '127.0.0.1', path('bucket', '../a/.')],
    ['/bucket/a%2Fb+c%20d', '127.0.0.1', path('bucket', 'a/b+c d')],
    ['/bucket/%E2%80%AEgpj.exe', '127.0.0.1', path('bucket', '\u202egpj.exe')],
    ['/bucket/\xe2\x82\xac%25', '127.0.0.1', path('bucket', '€%')],
    ['/bucket/%00', '127.0.0.1', path('bucket', '\0')],
    ['/a/b', 'my.bucket.s3.example.com:9000', { bucket: 'my.bucket', key: 'a/b', style: 'host' }],
    ['/', 'Bucket.LocalHost', { bucket: 'bucket', key: '', style: 'host' }],
    ['/bucket/k', 's3.example.com', path('bucket', 'k')],
    ['/bucket/k', 'nots3.example.com', path('bucket', 'k')],
  ];
  for (const [rawPath, host, expected] of cases) {
    it(`finds ${JSON.stringify(expected.key)} of ${expected.bucket} in ${host}${JSON.stringify(rawPath)}`, () => {
      assert.deepEqual(locate(rawPath, host, domains), expected);
    });
  }

  it('refuses percent-encoding that is broken or is no UTF-8', () => {
    for (const raw of ['/b/%', '/b/%zz', '/b/%ff', '/b/%ed%a0%80', '/b/%c0%af', '/b/\xff', '/%ff/k']) {
      assert.throws(
        () => locate(raw, 'h', domains),
        (cause) => isS3Error(cause) && cause.code === 'InvalidURI',
        raw,
      );
    }
  });

  it('counts a key in bytes of UTF-8', () => {
    assert.equal(locate(`/b/${'k'.repeat(1024)}`, 'h', domains).key.length, 1024);
    assert.equal(locate(`/b/${'%E2%82%AC'.repeat(341)}k`, 'h', domains).key.length, 342);
    for (const raw of [`/b/${'k'.repeat(1025)}`, `/b/${'%E2%82%AC'.repeat(342)}`]) {
      assert.throws(
        () => locate(raw, 'h', domains),
        (cause) => isS3Error(cause) && cause.code === 'KeyTooLongError',
      );
    }
  });
});
