import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isS3Error } from '@stowage/s3';
import { checkVersionId, refuseUnbuilt } from './screen.ts';

describe('refuseUnbuilt', () => {
  it('lets pass what means no more than what happens anyway', () => {
    for (const [name, value] of [
      ['x-amz-acl', 'private'],
      ['x-amz-acl', 'bucket-owner-full-control'],
      ['x-amz-storage-class', 'STANDARD'],
      ['x-amz-storage-class', 'GLACIER_IR'],
      ['x-amz-bucket-object-lock-enabled', 'false'],
      ['x-amz-object-ownership', 'BucketOwnerEnforced'],
      ['x-amz-meta-server-side-encryption', 'aws:kms'],
      ['x-amz-bypass-governance-retention', 'true'],
    ] as const) {
      refuseUnbuilt(name, value);
    }
  });

  it('names every header that it would be a lie to ignore', () => {
    for (const [name, value] of [
      ['x-amz-acl', 'public-read'],
      ['x-amz-grant-read', 'id=1'],
      ['x-amz-server-side-encryption', 'AES256'],
      ['x-amz-server-side-encryption-customer-key', 'k'],
      ['x-amz-copy-source-server-side-encryption-customer-key', 'k'],
      ['x-amz-object-lock-mode', 'COMPLIANCE'],
      ['x-amz-object-lock-legal-hold', 'ON'],
      ['x-amz-bucket-object-lock-enabled', 'true'],
      ['x-amz-tagging', 'a=b'],
      ['x-amz-storage-class', 'DEEP_ARCHIVE'],
      ['x-amz-object-ownership', 'ObjectWriter'],
      ['x-amz-write-offset-bytes', '0'],
    ] as const) {
      assert.throws(
        () => refuseUnbuilt(name, value),
        (cause) => isS3Error(cause) && cause.code === 'NotImplemented' && cause.details?.Header === name,
        name,
      );
    }
  });
});

describe('checkVersionId', () => {
  it('knows the one version there is', () => {
    checkVersionId('null');
    assert.throws(
      () => checkVersionId('abc'),
      (cause) => isS3Error(cause) && cause.code === 'InvalidArgument',
    );
  });
});
