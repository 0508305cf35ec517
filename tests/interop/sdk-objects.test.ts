// Objects through the AWS SDK for JavaScript with its default settings: checksums in trailers, aws-chunked and all.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import {
  ChecksumAlgorithm,
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { isSdkError, patternBytes, useEngine, useSdk } from './engine-fixture.ts';

const Bucket = 'objects';

it('puts, gets, heads and deletes, with metadata and system headers', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = await s3.send(
    new PutObjectCommand({
      Bucket,
      Key: 'a/ü b+c',
      Body: 'hello',
      ContentType: 'text/plain',
      CacheControl: 'max-age=1',
      ContentDisposition: 'attachment',
      ContentEncoding: 'identity',
      ContentLanguage: 'en',
      Metadata: { one: '1', two: 'zwei' },
    }),
  );
  assert.equal(put.ETag, '"5d41402abc4b2a76b9719d911017c592"');
  assert.equal(put.ChecksumCRC32, 'NhCmhg==');
  assert.equal(put.ChecksumType, 'FULL_OBJECT');
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/ü b+c' }));
  assert.equal(await got.Body?.transformToString(), 'hello');
  assert.equal(got.ChecksumCRC32, 'NhCmhg==');
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/ü b+c' }));
  for (const answer of [got, head]) {
    assert.equal(answer.ContentLength, 5);
    assert.equal(answer.ContentType, 'text/plain');
    assert.equal(answer.CacheControl, 'max-age=1');
    assert.equal(answer.ContentDisposition, 'attachment');
    assert.equal(answer.ContentEncoding, 'identity');
    assert.equal(answer.ContentLanguage, 'en');
    assert.deepEqual(answer.Metadata, { one: '1', two: 'zwei' });
    assert.equal(answer.ETag, put.ETag);
    assert.ok(answer.LastModified !== undefined);
    assert.equal(answer.AcceptRanges, 'bytes');
  }
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a/ü b+c' }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a/ü b+c' }));
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: 'a/ü b+c' })), isSdkError('NoSuchKey', 404));
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'a/ü b+c' })), isSdkError('NotFound', 404));
});

it('keeps keys that look like paths apart', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const keys = [
    'a',
    'a/',
    'a/b',
    'a//b',
    '..',
    '../a',
    './a',
    'a/../b',
    '/a',
    ' ',
    'a\\b',
    'ﬁ\u202e',
    'k'.repeat(1024),
    '%2F',
    'a?b#c',
    '\u0001',
  ];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  for (const Key of keys) {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert.equal(await got.Body?.transformToString(), Key);
  }
});

it('takes streams of unknown provenance and every checksum algorithm', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const bytes = patternBytes(300_000);
  const pieces = () => Readable.from([bytes.subarray(0, 1), bytes.subarray(1, 200_000), bytes.subarray(200_000)]);
  // Those the SDK computes in JavaScript without another package.
  for (const algorithm of [
    ChecksumAlgorithm.CRC32,
    ChecksumAlgorithm.CRC32C,
    ChecksumAlgorithm.CRC64NVME,
    ChecksumAlgorithm.SHA1,
    ChecksumAlgorithm.SHA256,
  ]) {
    const command = { Bucket, Key: algorithm, ContentLength: bytes.length, ChecksumAlgorithm: algorithm };
    await s3.send(new PutObjectCommand({ ...command, Body: pieces() }));
    // The SDK verifies what it gets against the checksum header.
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: algorithm, ChecksumMode: 'ENABLED' }));
    assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes);
    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: algorithm,
        ObjectAttributes: ['Checksum', 'ObjectSize', 'ETag', 'StorageClass', 'ObjectParts'],
      }),
    );
    assert.equal(attributes.Checksum?.[`Checksum${algorithm}`], got[`Checksum${algorithm}`]);
    assert.equal(attributes.ObjectSize, bytes.length);
    assert.equal(attributes.StorageClass, 'STANDARD');
    assert.equal(attributes.ObjectParts, undefined);
  }
});

it('refuses bytes that fail their checksum, and stores nothing', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = { Bucket, Key: 'k', Body: 'hello' };
  await assert.rejects(
    s3.send(new PutObjectCommand({ ...put, ChecksumCRC32: 'AAAAAA==' })),
    isSdkError('BadDigest', 400),
  );
  await assert.rejects(
    s3.send(new PutObjectCommand({ ...put, ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' })),
    isSdkError('BadDigest', 400),
  );
  await assert.rejects(
    s3.send(new PutObjectCommand({ ...put, ContentMD5: 'short' })),
    isSdkError('InvalidDigest', 400),
  );
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })), isSdkError('NotFound', 404));
});

it('serves ranges, and conditions decide what is answered', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const bytes = patternBytes(3_000_000);
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: bytes }));
  for (const [Range, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=10-99', 10, 100],
    ['bytes=2999999-', 2_999_999, 3_000_000],
    ['bytes=-5', 2_999_995, 3_000_000],
    ['bytes=1-2000000', 1, 2_000_001],
    ['bytes=5-9999999', 5, 3_000_000],
  ] as const) {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range }));
    assert.equal(got.$metadata.httpStatusCode, 206);
    assert.equal(got.ContentRange, `bytes ${start}-${end - 1}/3000000`);
    assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes.subarray(start, end), Range);
  }
  const get = (conditions: object) => s3.send(new GetObjectCommand({ Bucket, Key: 'k', ...conditions }));
  await assert.rejects(get({ Range: 'bytes=3000000-' }), isSdkError('InvalidRange', 416));
  await assert.rejects(get({ IfMatch: '"x"' }), isSdkError('PreconditionFailed', 412));
  await assert.rejects(
    get({ IfNoneMatch: ETag }),
    (cause: { $metadata?: { httpStatusCode?: number } }) => cause.$metadata?.httpStatusCode === 304,
  );
  await assert.rejects(
    get({ IfModifiedSince: new Date(Date.now() + 60_000) }),
    (cause: { $metadata?: { httpStatusCode?: number } }) => cause.$metadata?.httpStatusCode === 304,
  );
  await assert.rejects(get({ IfUnmodifiedSince: new Date(0) }), isSdkError('PreconditionFailed', 412));
  const whole = await get({ IfMatch: ETag, IfNoneMatch: '"x"' });
  assert.deepEqual(Buffer.from((await whole.Body?.transformToByteArray()) ?? []), bytes);
  const overridden = await get({ ResponseContentType: 'a/b', ResponseContentDisposition: 'attachment; filename="x"' });
  assert.equal(overridden.ContentType, 'a/b');
  assert.equal(overridden.ContentDisposition, 'attachment; filename="x"');
  await overridden.Body?.transformToByteArray();
});

it('lets one of many conditional writers win', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = (Body: string, conditions: object) =>
    s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ...conditions }));
  const races = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => put(`${index}`, { IfNoneMatch: '*' })),
  );
  assert.equal(races.filter((race) => race.status === 'fulfilled').length, 1);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }));
  await assert.rejects(put('x', { IfMatch: '"other"' }), isSdkError('PreconditionFailed', 412));
  await put('x', { IfMatch: head.ETag });
  await assert.rejects(
    s3.send(new PutObjectCommand({ Bucket, Key: 'absent', Body: '', IfMatch: '*' })),
    isSdkError('NoSuchKey', 404),
  );
  await assert.rejects(
    s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', IfMatch: head.ETag })),
    isSdkError('PreconditionFailed', 412),
  );
});

it('copies, onto itself too when something changes', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutObjectCommand({ Bucket, Key: 'a b+ü', Body: 'hello', ContentType: 'text/plain', Metadata: { m: '1' } }),
  );
  const CopySource = `${Bucket}/${encodeURIComponent('a b+ü')}`;
  const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
  assert.equal(copied.CopyObjectResult?.ETag, '"5d41402abc4b2a76b9719d911017c592"');
  assert.deepEqual((await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))).Metadata, { m: '1' });
  const replaced = {
    Bucket,
    Key: 'copy',
    CopySource: `${Bucket}/copy`,
    MetadataDirective: 'REPLACE',
    Metadata: { n: '2' },
  } as const;
  await s3.send(new CopyObjectCommand({ ...replaced, ChecksumAlgorithm: 'SHA256' }));
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy', ChecksumMode: 'ENABLED' }));
  assert.deepEqual(head.Metadata, { n: '2' });
  assert.equal(head.ContentType, 'binary/octet-stream');
  assert.equal(head.ChecksumSHA256, 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=');
  const copy = (input: object) => s3.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource, ...input }));
  await assert.rejects(copy({ Key: 'copy', CopySource: `${Bucket}/copy` }), isSdkError('InvalidRequest', 400));
  await assert.rejects(copy({ CopySource: `${Bucket}/absent` }), isSdkError('NoSuchKey', 404));
  await assert.rejects(copy({ CopySource: 'absent-bucket/k' }), isSdkError('NoSuchBucket', 404));
  await assert.rejects(copy({ CopySourceIfMatch: '"x"' }), isSdkError('PreconditionFailed', 412));
  await assert.rejects(
    copy({ CopySourceIfNoneMatch: '5d41402abc4b2a76b9719d911017c592' }),
    isSdkError('PreconditionFailed', 412),
  );
  await assert.rejects(copy({ MetadataDirective: 'MERGE' }), isSdkError('InvalidArgument', 400));
});

it('deletes many, and says what became of each', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ['a', 'b', 'c']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const Objects = [{ Key: 'a' }, { Key: 'b', ETag: 'wrong' }, { Key: 'absent' }, { Key: 'c', VersionId: 'strange' }];
  const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.deepEqual(
    Deleted?.map((object) => object.Key),
    ['a', 'absent'],
  );
  assert.deepEqual(
    Errors?.map((error) => [error.Key, error.Code]),
    [
      ['b', 'PreconditionFailed'],
      ['c', 'InvalidArgument'],
    ],
  );
  const quiet = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }], Quiet: true } }));
  assert.equal(quiet.Deleted, undefined);
  const many = Array.from({ length: 1001 }, (_, index) => ({ Key: `${index}` }));
  await assert.rejects(
    s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: many } })),
    isSdkError('MalformedXML', 400),
  );
});

it('refuses by name what is not built', async (t) => {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = (input: object) => s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...input }));
  for (const input of [
    { ServerSideEncryption: 'AES256' },
    { ACL: 'public-read' },
    { Tagging: 'a=b' },
    { ObjectLockLegalHoldStatus: 'ON' },
    { StorageClass: 'GLACIER' },
  ]) {
    await assert.rejects(put(input), isSdkError('NotImplemented', 501));
  }
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })), isSdkError('NotFound', 404));
  await put({ StorageClass: 'STANDARD_IA' });
  assert.deepEqual((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet, []);
  assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).StorageClass, 'STANDARD_IA');
});
