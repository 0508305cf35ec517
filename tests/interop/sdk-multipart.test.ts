// Uploads in parts through the AWS SDK: by hand, and by lib-storage's Upload with its default settings.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it, type TestContext } from 'node:test';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { EngineOptions } from '@stowage/engine';
import { isSdkError, patternBytes, useEngine, useSdk } from './engine-fixture.ts';

const Bucket = 'parts';
const mib = 1024 * 1024;

async function useBucket(t: TestContext, options: EngineOptions = {}): Promise<S3Client> {
  const s3 = useSdk(t, await useEngine(t, options));
  await s3.send(new CreateBucketCommand({ Bucket }));
  return s3;
}

async function begin(
  s3: S3Client,
  options: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<{ Bucket: string; Key: string; UploadId: string }> {
  const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...options }));
  return { Bucket, Key: 'k', UploadId };
}

async function read(s3: S3Client, input: object = {}): Promise<Buffer> {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', ...input }));
  return Buffer.from((await got.Body?.transformToByteArray()) ?? []);
}

it('makes one object of parts, and knows its parts afterwards', async (t) => {
  const s3 = await useBucket(t);
  const bytes = patternBytes(2 * 5 * mib + 1000);
  const upload = await begin(s3, { ContentType: 'text/plain', Metadata: { m: '1' }, ChecksumAlgorithm: 'SHA256' });
  const parts = [];
  for (const [index, start] of [0, 5 * mib, 10 * mib].entries()) {
    const PartNumber = index + 1;
    const Body = bytes.subarray(start, start + 5 * mib);
    const part = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'SHA256' }));
    parts.push({ PartNumber, ETag: part.ETag, ChecksumSHA256: part.ChecksumSHA256 });
  }
  const listed = await s3.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
  assert.deepEqual(
    listed.Parts?.map((part) => [part.PartNumber, part.Size, part.ETag]),
    [
      [1, 5 * mib, parts[0]?.ETag],
      [2, 5 * mib, parts[1]?.ETag],
    ],
  );
  assert.equal(listed.IsTruncated, true);
  assert.equal(listed.ChecksumAlgorithm, 'SHA256');
  const more = await s3.send(new ListPartsCommand({ ...upload, PartNumberMarker: listed.NextPartNumberMarker }));
  assert.deepEqual(
    more.Parts?.map((part) => part.PartNumber),
    [3],
  );
  const complete = new CompleteMultipartUploadCommand({
    ...upload,
    MultipartUpload: { Parts: parts },
    MpuObjectSize: bytes.length,
  });
  const completed = await s3.send(complete);
  assert.match(completed.ETag ?? '', /^"[0-9a-f]{32}-3"$/);
  assert.match(completed.ChecksumSHA256 ?? '', /-3$/);
  assert.equal(completed.ChecksumType, 'COMPOSITE');
  assert.equal((await s3.send(complete)).ETag, completed.ETag, 'asked again, the answer is the same');
  assert.deepEqual(await read(s3), bytes);
  assert.deepEqual(await read(s3, { PartNumber: 2 }), bytes.subarray(5 * mib, 10 * mib));
  assert.deepEqual(
    await read(s3, { Range: `bytes=${5 * mib - 1}-${5 * mib}` }),
    bytes.subarray(5 * mib - 1, 5 * mib + 1),
  );
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k', PartNumber: 3 }));
  assert.deepEqual(
    [head.PartsCount, head.ContentLength, head.ContentType, head.Metadata],
    [3, 1000, 'text/plain', { m: '1' }],
  );
  const attributes = await s3.send(
    new GetObjectAttributesCommand({
      Bucket,
      Key: 'k',
      ObjectAttributes: ['ObjectParts'],
      MaxParts: 1,
      PartNumberMarker: '1',
    }),
  );
  assert.equal(attributes.ObjectParts?.TotalPartsCount, 3);
  assert.deepEqual(attributes.ObjectParts?.Parts, [
    { PartNumber: 2, Size: 5 * mib, ChecksumSHA256: parts[1]?.ChecksumSHA256 },
  ]);
  await assert.rejects(read(s3, { PartNumber: 4 }), isSdkError('InvalidPartNumber', 416));
});

it('uploads by lib-storage, from bytes and from a stream, and answers a full-object checksum', async (t) => {
  const s3 = await useBucket(t);
  const bytes = patternBytes(12 * mib + 7);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 100_000) }, (_, index) =>
    bytes.subarray(index * 100_000, (index + 1) * 100_000),
  );
  for (const Body of [bytes, Readable.from(pieces)]) {
    await new Upload({ client: s3, params: { Bucket, Key: 'k', Body } }).done();
    assert.deepEqual(await read(s3), bytes);
  }
  await new Upload({ client: s3, params: { Bucket, Key: 'k', Body: bytes, ChecksumAlgorithm: 'CRC64NVME' } }).done();
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
  assert.equal(head.ChecksumType, 'FULL_OBJECT');
  await s3.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: bytes, ChecksumAlgorithm: 'CRC64NVME' }));
  const whole = await s3.send(new HeadObjectCommand({ Bucket, Key: 'whole', ChecksumMode: 'ENABLED' }));
  assert.equal(head.ChecksumCRC64NVME, whole.ChecksumCRC64NVME);
  assert.deepEqual((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads, undefined);
});

it('copies ranges into parts', async (t) => {
  const s3 = await useBucket(t);
  const bytes = patternBytes(6 * mib);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: bytes }));
  const upload = await begin(s3, { ChecksumAlgorithm: 'CRC32C' });
  const Parts = [];
  for (const [PartNumber, CopySourceRange] of [
    [1, `bytes=0-${5 * mib - 1}`],
    [2, 'bytes=10-19'],
    [3, undefined],
  ] as const) {
    if (PartNumber === 3) continue;
    const { CopyPartResult } = await s3.send(
      new UploadPartCopyCommand({ ...upload, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange }),
    );
    Parts.push({ PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32C: CopyPartResult?.ChecksumCRC32C });
  }
  const copy = (input: object) =>
    s3.send(new UploadPartCopyCommand({ ...upload, PartNumber: 3, CopySource: `${Bucket}/source`, ...input }));
  await assert.rejects(copy({ CopySourceRange: `bytes=0-${6 * mib}` }), isSdkError('InvalidRange', 416));
  await assert.rejects(copy({ CopySourceRange: 'bytes=5-' }), isSdkError('InvalidArgument', 400));
  await assert.rejects(copy({ CopySource: `${Bucket}/absent` }), isSdkError('NoSuchKey', 404));
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  assert.deepEqual(await read(s3), Buffer.concat([bytes.subarray(0, 5 * mib), bytes.subarray(10, 20)]));
});

it('refuses completions that do not fit', async (t) => {
  const s3 = await useBucket(t, { limits: { minPartBytes: 10, objectBytes: 100 } });
  const upload = await begin(s3);
  const put = async (PartNumber: number, Body: string) => ({
    PartNumber,
    ETag: (await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }))).ETag,
  });
  const small = await put(1, 'small');
  const second = await put(2, 'x'.repeat(20));
  const large = await put(3, 'x'.repeat(99));
  const complete = (Parts: object[], input: object = {}) =>
    s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...input }));
  await assert.rejects(complete([small, second]), isSdkError('EntityTooSmall', 400));
  await assert.rejects(complete([second, small]), isSdkError('InvalidPartOrder', 400));
  await assert.rejects(complete([{ ...second, ETag: '"0123"' }]), isSdkError('InvalidPart', 400));
  await assert.rejects(complete([{ PartNumber: 9, ETag: second.ETag }]), isSdkError('InvalidPart', 400));
  await assert.rejects(complete([second, large]), isSdkError('EntityTooLarge', 400));
  await assert.rejects(complete([]), isSdkError('MalformedXML', 400));
  await assert.rejects(complete([second], { MpuObjectSize: 21 }), isSdkError('InvalidRequest', 400));
  await assert.rejects(complete([second], { UploadId: 'absent' }), isSdkError('NoSuchUpload', 404));
  await assert.rejects(complete([second], { IfMatch: '"x"' }), isSdkError('NoSuchKey', 404));
  await assert.rejects(
    s3.send(new UploadPartCommand({ ...upload, PartNumber: 0, Body: '' })),
    isSdkError('InvalidArgument', 400),
  );
  await assert.rejects(
    s3.send(new UploadPartCommand({ ...upload, PartNumber: 10_001, Body: '' })),
    isSdkError('InvalidArgument', 400),
  );
  await complete([second], { IfNoneMatch: '*' });
  assert.equal((await read(s3)).length, 20);
});

it('lists and aborts uploads', async (t) => {
  const s3 = await useBucket(t);
  for (const Key of ['a/1', 'a/2', 'b', 'b']) await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const grouped = await s3.send(new ListMultipartUploadsCommand({ Bucket, Delimiter: '/' }));
  assert.deepEqual(grouped.CommonPrefixes, [{ Prefix: 'a/' }]);
  assert.deepEqual(
    grouped.Uploads?.map((upload) => upload.Key),
    ['b', 'b'],
  );
  const seen: string[] = [];
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (let page = 0; page < 4; page++) {
    const listed = await s3.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...marker }));
    seen.push(...(listed.Uploads ?? []).map((upload) => `${upload.Key} ${upload.UploadId}`));
    assert.equal(listed.IsTruncated, page < 3);
    marker = { KeyMarker: listed.NextKeyMarker, UploadIdMarker: listed.NextUploadIdMarker };
  }
  assert.equal(new Set(seen).size, 4);
  for (const line of seen) {
    const [Key, UploadId] = line.split(' ');
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    await assert.rejects(s3.send(new ListPartsCommand({ Bucket, Key, UploadId })), isSdkError('NoSuchUpload', 404));
  }
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
});
