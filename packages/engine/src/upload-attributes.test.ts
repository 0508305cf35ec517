import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isS3Error } from '@stowage/s3';
import type { ReceivedHead } from './s3-request.ts';
import { uploadAttributes } from './upload-attributes.ts';

function head(headers: Record<string, string>, query: ReceivedHead['query'] = []): ReceivedHead {
  return { method: 'PUT', rawPath: '/b/k', query, headers };
}

describe('uploadAttributes', () => {
  it('reads headers, and a presigned query beneath them', () => {
    const headers = { 'content-type': 'text/plain', 'x-amz-meta-a': 'header' };
    const attributes = uploadAttributes(
      head(headers, [
        ['X-Amz-Meta-A', 'query'],
        ['x-amz-meta-b', 'grüße'],
        ['x-amz-storage-class', 'STANDARD_IA'],
        ['x-amz-website-redirect-location', '/other'],
      ]),
      'owner',
    );
    assert.deepEqual(attributes, {
      systemMetadata: { 'content-type': 'text/plain', 'x-amz-website-redirect-location': '/other' },
      userMetadata: { a: 'header', b: 'grüße' },
      storageClass: 'STANDARD_IA',
      owner: 'owner',
    });
  });

  it('refuses names and values that no header can hold', () => {
    for (const pair of [
      ['x-amz-website-redirect-location', '/a\r\nx: y'],
      ['x-amz-meta-a', 'a\0'],
      ['x-amz-meta-a b', 'a'],
      ['x-amz-meta-a:\n', 'a'],
    ] as const) {
      const read = () => uploadAttributes(head({}, [pair]), 'owner');
      assert.throws(read, (cause) => isS3Error(cause) && cause.code === 'InvalidArgument', JSON.stringify(pair));
    }
  });
});
