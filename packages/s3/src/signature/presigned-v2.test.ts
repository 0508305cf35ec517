import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { isS3Error } from '../errors.ts';
import { parsePresignedV2, verifyPresignedV2 } from './presigned-v2.ts';
import type { SignedRequest } from './signed-request.ts';

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

function request(overrides: Partial<SignedRequest> = {}): SignedRequest {
  return {
    method: 'GET',
    rawPath: '/photos/puppy.jpg',
    query: [
      ['AWSAccessKeyId', 'AKIAIOSFODNN7EXAMPLE'],
      ['Signature', 'NpgCjnDzrM+WFzoENXmpNDUsSn8='],
      ['Expires', '1175139620'],
    ],
    headers: { host: 'johnsmith.s3.amazonaws.com' },
    ...overrides,
  };
}

function verify(signed: SignedRequest, nowMs: number, hostBucket: string | undefined): void {
  const presigned = parsePresignedV2(signed);
  assert.ok(presigned !== undefined);
  verifyPresignedV2(signed, presigned, { secretAccessKey, nowMs, hostBucket });
}

function sign(toSign: string): string {
  return createHmac('sha1', secretAccessKey).update(toSign).digest('base64');
}

function throwsCode(code: string): (cause: unknown) => boolean {
  return (cause) => isS3Error(cause) && cause.code === code;
}

describe('a presigned URL of Signature Version 2', () => {
  it('is the one of the user guide’s example', () => {
    verify(request(), 1175139620_000, 'johnsmith');
  });

  it('is refused when expired, altered, of another method or of another bucket', () => {
    assert.throws(() => verify(request(), 1175139621_000, 'johnsmith'), throwsCode('AccessDenied'));
    const other = (signed: SignedRequest, bucket: string) => () => verify(signed, 0, bucket);
    assert.throws(other(request({ method: 'PUT' }), 'johnsmith'), throwsCode('SignatureDoesNotMatch'));
    assert.throws(other(request({ rawPath: '/photos/kitten.jpg' }), 'johnsmith'), throwsCode('SignatureDoesNotMatch'));
    assert.throws(other(request(), 'other'), throwsCode('SignatureDoesNotMatch'));
    const more = request({ headers: { 'x-amz-acl': 'public-read' } });
    assert.throws(other(more, 'johnsmith'), throwsCode('SignatureDoesNotMatch'));
  });

  it('signs sub-resources, overrides and x-amz parameters', () => {
    const signature = sign('GET\n\n\n99\nx-amz-meta-a:1\n/b/k%20x?response-content-type=a/b c&versionId=null');
    const query: SignedRequest['query'] = [
      ['versionId', 'null'],
      ['response-content-type', 'a/b c'],
      ['x-amz-meta-a', '1'],
      ['unsigned', 'x'],
      ['AWSAccessKeyId', 'A'],
      ['Signature', signature],
      ['Expires', '99'],
    ];
    verify(request({ rawPath: '/b/k%20x', query }), 0, undefined);
  });

  it('is none when the request is signed by version 4 or not at all', () => {
    assert.equal(parsePresignedV2(request({ query: [] })), undefined);
    assert.equal(parsePresignedV2(request({ query: [['Expires', '1']] })), undefined);
    assert.equal(parsePresignedV2(request({ query: [['X-Amz-Signature', '1']] })), undefined);
    assert.equal(parsePresignedV2(request({ headers: { authorization: 'AWS4-HMAC-SHA256 …' } })), undefined);
  });

  it('is refused when a part of it is torn off, given twice or no number', () => {
    for (const query of [
      [['Signature', 's']],
      [
        ['AWSAccessKeyId', 'A'],
        ['Signature', 's'],
      ],
      [
        ['AWSAccessKeyId', 'A'],
        ['Signature', 's'],
        ['Signature', 's'],
        ['Expires', '1'],
      ],
      [
        ['AWSAccessKeyId', 'A'],
        ['Signature', 's'],
        ['Expires', 'soon'],
      ],
    ] satisfies [string, string][][]) {
      assert.throws(() => parsePresignedV2(request({ query })), throwsCode('AccessDenied'));
    }
  });
});
