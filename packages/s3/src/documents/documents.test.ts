// Our documents through the AWS SDK's own reader and writer: what we write, a real client understands; what a real client
// writes, we understand. The SDK's requests never leave this process: a request handler stands where the network would be.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketCorsCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { S3Error } from '../errors.ts';
import { readXml } from '../xml-reader.ts';
import { writeBucketLocationDocument } from './bucket-location.ts';
import {
  readCompleteMultipartUploadDocument,
  writeCompleteMultipartUploadDocument,
} from './complete-multipart-upload.ts';
import { writeCopyObjectDocument } from './copy-object.ts';
import { writeCopyPartDocument } from './copy-part.ts';
import { readCorsConfigurationDocument, writeCorsConfigurationDocument } from './cors-configuration.ts';
import { readCreateBucketDocument } from './create-bucket.ts';
import { writeCreateMultipartUploadDocument } from './create-multipart-upload.ts';
import { readDeleteObjectsDocument, writeDeleteObjectsDocument } from './delete-objects.ts';
import { writeErrorDocument } from './error.ts';
import { parseObjectAttributes, writeGetObjectAttributesDocument } from './get-object-attributes.ts';
import { writeListBucketsDocument } from './list-buckets.ts';
import { writeListMultipartUploadsDocument } from './list-multipart-uploads.ts';
import { writeListObjectVersionsDocument } from './list-object-versions.ts';
import { writeListObjectsDocument } from './list-objects.ts';
import { writeListObjectsV2Document } from './list-objects-v2.ts';
import { writeListPartsDocument } from './list-parts.ts';
import { writePostObjectDocument } from './post-object.ts';

/** A client whose every request is answered with `document`; `sent` holds the last body it sent. */
function clientAnsweredWith(document: string, statusCode = 200): { client: S3Client; sent: () => Uint8Array } {
  let sent: unknown;
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    requestHandler: {
      handle: async (request: { body?: unknown }) => {
        sent = request.body;
        const headers = { 'content-type': 'application/xml' };
        return { response: { statusCode, headers, body: Readable.from([Buffer.from(document)]) } };
      },
    },
  });
  return {
    client,
    sent: () => (sent instanceof Uint8Array ? sent : Buffer.from(String(sent ?? ''))),
  };
}

const when = Date.UTC(2026, 10, 21, 4, 5, 6, 789);
const owner = { id: 'o-1', displayName: 'Owner & Co' };
const ownerOf = (id: string): { id: string; displayName: string } => ({ id, displayName: `name of ${id}` });
const object = {
  key: 'a <&> "b"\r\n é😀',
  lastModifiedMs: when,
  etag: 'd41d8cd98f00b204e9800998ecf8427e',
  sizeBytes: 5_000_000_000_000,
  storageClass: 'STANDARD',
  owner: 'o-1',
  checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT', value: 'AAAAAA==' },
} as const;
const page = { bucket: 'b', prefix: 'a &', delimiter: '/', maxKeys: 7, isTruncated: true } as const;

test('errors', async () => {
  const error = new S3Error('NoSuchKey', 'no <key>', { details: { Key: 'a&b' }, cause: new Error('hidden') });
  const document = writeErrorDocument(error, { requestId: 'r-1', hostId: 'h-1', resource: '/b/a&b' });
  assert.doesNotMatch(document, /hidden/);
  await assert.rejects(
    clientAnsweredWith(document, 404).client.send(new GetObjectCommand({ Bucket: 'b', Key: 'a&b' })),
    (thrown: Error & { Key?: string; Code?: string }) => {
      assert.equal(thrown.name, 'NoSuchKey');
      assert.equal(thrown.message, 'no <key>');
      assert.equal(thrown.Key, 'a&b');
      return true;
    },
  );
});

test('ListBuckets', async () => {
  const buckets = [{ name: 'b-1', createdAtMs: when, region: 'eu-west-1' }];
  const { client } = clientAnsweredWith(
    writeListBucketsDocument({ owner, buckets, prefix: 'b', continuationToken: 't' }),
  );
  const answer = await client.send(new ListBucketsCommand({}));
  assert.deepEqual(answer.Buckets, [{ Name: 'b-1', CreationDate: new Date(when), BucketRegion: 'eu-west-1' }]);
  assert.deepEqual(answer.Owner, { ID: 'o-1', DisplayName: 'Owner & Co' });
  assert.deepEqual([answer.Prefix, answer.ContinuationToken], ['b', 't']);
});

const listed = {
  Key: object.key,
  LastModified: new Date(when),
  ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
  ChecksumAlgorithm: ['CRC32'],
  ChecksumType: 'FULL_OBJECT',
  Size: object.sizeBytes,
  StorageClass: 'STANDARD',
};

test('ListObjects and ListObjectsV2', async () => {
  const objects = [object];
  const commonPrefixes = ['x/', 'y&/'];
  const first = writeListObjectsDocument({ ...page, objects, commonPrefixes, marker: 'm', nextMarker: 'n', ownerOf });
  const one = await clientAnsweredWith(first).client.send(new ListObjectsCommand({ Bucket: 'b' }));
  assert.deepEqual(one.Contents, [{ ...listed, Owner: { ID: 'o-1', DisplayName: 'name of o-1' } }]);
  assert.deepEqual(one.CommonPrefixes, [{ Prefix: 'x/' }, { Prefix: 'y&/' }]);
  assert.deepEqual([one.Marker, one.NextMarker, one.IsTruncated, one.MaxKeys], ['m', 'n', true, 7]);
  assert.deepEqual([one.Name, one.Prefix, one.Delimiter], ['b', 'a &', '/']);

  const second = writeListObjectsV2Document({
    ...page,
    objects,
    commonPrefixes,
    encodingType: 'url',
    startAfter: 'a b',
    continuationToken: 'c',
    nextContinuationToken: 'd',
  });
  const two = await clientAnsweredWith(second).client.send(new ListObjectsV2Command({ Bucket: 'b' }));
  assert.deepEqual(two.Contents, [{ ...listed, Key: 'a%20%3C%26%3E%20%22b%22%0D%0A%20%C3%A9%F0%9F%98%80' }]);
  assert.deepEqual([two.KeyCount, two.StartAfter, two.Prefix, two.EncodingType], [3, 'a%20b', 'a%20%26', 'url']);
  assert.deepEqual([two.ContinuationToken, two.NextContinuationToken], ['c', 'd']);
});

test('ListObjectVersions', async () => {
  const document = writeListObjectVersionsDocument({
    ...page,
    keyMarker: 'k',
    versionIdMarker: 'v',
    next: { keyMarker: 'kk', versionIdMarker: 'vv' },
    versions: [{ ...object, versionId: 'null', isLatest: true }],
    commonPrefixes: ['p/'],
    ownerOf,
  });
  const answer = await clientAnsweredWith(document).client.send(new ListObjectVersionsCommand({ Bucket: 'b' }));
  assert.deepEqual(answer.Versions, [
    { ...listed, VersionId: 'null', IsLatest: true, Owner: { ID: 'o-1', DisplayName: 'name of o-1' } },
  ]);
  assert.deepEqual([answer.NextKeyMarker, answer.NextVersionIdMarker, answer.IsTruncated], ['kk', 'vv', true]);
});

test('GetBucketLocation', async () => {
  const ask = async (region: string): Promise<string | undefined> => {
    const { client } = clientAnsweredWith(writeBucketLocationDocument(region));
    return (await client.send(new GetBucketLocationCommand({ Bucket: 'b' }))).LocationConstraint;
  };
  assert.equal(await ask('eu-west-1'), 'eu-west-1');
  assert.equal((await ask('us-east-1')) ?? '', '');
});

test('CreateBucket', async () => {
  const { client, sent } = clientAnsweredWith('');
  const configuration = { LocationConstraint: 'eu-west-1' } as const;
  await client.send(new CreateBucketCommand({ Bucket: 'b', CreateBucketConfiguration: configuration }));
  assert.deepEqual(readCreateBucketDocument(sent()), { locationConstraint: 'eu-west-1' });
  assert.deepEqual(readCreateBucketDocument(new Uint8Array()), {});
  const tagged = { Tags: [{ Key: 'a', Value: 'b' }] };
  await client.send(new CreateBucketCommand({ Bucket: 'b', CreateBucketConfiguration: tagged }));
  assert.throws(() => readCreateBucketDocument(sent()), { code: 'NotImplemented', message: /Tags/ });
});

test('CopyObject and UploadPartCopy', async () => {
  const copied = writeCopyObjectDocument(object);
  const copy = await clientAnsweredWith(copied).client.send(
    new CopyObjectCommand({ Bucket: 'b', Key: 'k', CopySource: 'b/k' }),
  );
  const { ETag, LastModified } = listed;
  const result = { ETag, LastModified, ChecksumType: 'FULL_OBJECT', ChecksumCRC32: 'AAAAAA==' };
  assert.deepEqual(copy.CopyObjectResult, result);
  const part = await clientAnsweredWith(writeCopyPartDocument(object)).client.send(
    new UploadPartCopyCommand({ Bucket: 'b', Key: 'k', CopySource: 'b/k', PartNumber: 1, UploadId: 'u' }),
  );
  assert.deepEqual(part.CopyPartResult, { ETag, LastModified, ChecksumCRC32: 'AAAAAA==' });
});

test('CreateMultipartUpload and ListParts', async () => {
  const upload = { bucket: 'b', key: object.key, uploadId: 'u&1' };
  const created = await clientAnsweredWith(writeCreateMultipartUploadDocument(upload)).client.send(
    new CreateMultipartUploadCommand({ Bucket: 'b', Key: 'k' }),
  );
  assert.deepEqual([created.Bucket, created.Key, created.UploadId], ['b', object.key, 'u&1']);
  const document = writeListPartsDocument({
    ...upload,
    initiator: owner,
    owner,
    storageClass: 'STANDARD',
    partNumberMarker: 0,
    nextPartNumberMarker: 3,
    maxParts: 1,
    checksum: { algorithm: 'SHA256', type: 'COMPOSITE' },
    parts: [{ partNumber: 3, lastModifiedMs: when, etag: object.etag, sizeBytes: 9, checksum: 'sum=' }],
  });
  const answer = await clientAnsweredWith(document).client.send(
    new ListPartsCommand({ Bucket: 'b', Key: 'k', UploadId: 'u' }),
  );
  const { ETag, LastModified } = listed;
  assert.deepEqual(answer.Parts, [{ PartNumber: 3, LastModified, ETag, Size: 9, ChecksumSHA256: 'sum=' }]);
  assert.deepEqual([answer.NextPartNumberMarker, answer.IsTruncated], ['3', true]);
  assert.deepEqual([answer.ChecksumAlgorithm, answer.ChecksumType], ['SHA256', 'COMPOSITE']);
});

test('ListMultipartUploads', async () => {
  const document = writeListMultipartUploadsDocument({
    bucket: 'b',
    prefix: '',
    delimiter: '',
    keyMarker: '',
    uploadIdMarker: '',
    maxUploads: 10,
    uploads: [
      { key: 'k', uploadId: 'u', initiatedAtMs: when, initiator: 'i-1', owner: 'o-1', storageClass: 'STANDARD' },
    ],
    commonPrefixes: ['p/'],
    ownerOf,
  });
  const answer = await clientAnsweredWith(document).client.send(new ListMultipartUploadsCommand({ Bucket: 'b' }));
  assert.deepEqual(answer.Uploads, [
    {
      UploadId: 'u',
      Key: 'k',
      Initiated: new Date(when),
      StorageClass: 'STANDARD',
      Owner: { ID: 'o-1', DisplayName: 'name of o-1' },
      Initiator: { ID: 'i-1', DisplayName: 'name of i-1' },
    },
  ]);
  assert.equal(answer.IsTruncated, false);
  assert.deepEqual(answer.CommonPrefixes, [{ Prefix: 'p/' }]);
});

test('CompleteMultipartUpload', async () => {
  const { checksum, etag, key } = object;
  const document = writeCompleteMultipartUploadDocument({ location: 'http://h/b/k', bucket: 'b', key, etag, checksum });
  const { client, sent } = clientAnsweredWith(document);
  const answer = await client.send(
    new CompleteMultipartUploadCommand({
      Bucket: 'b',
      Key: 'k',
      UploadId: 'u',
      MultipartUpload: {
        Parts: [
          { PartNumber: 1, ETag: '"e1"', ChecksumCRC32: 'AAAAAA==' },
          { PartNumber: 10_000, ETag: 'e2' },
        ],
      },
    }),
  );
  assert.deepEqual([answer.Location, answer.ETag, answer.Key], ['http://h/b/k', listed.ETag, key]);
  assert.deepEqual([answer.ChecksumCRC32, answer.ChecksumType], ['AAAAAA==', 'FULL_OBJECT']);
  assert.deepEqual(readCompleteMultipartUploadDocument(sent()), [
    { partNumber: 1, etag: 'e1', checksums: { CRC32: 'AAAAAA==' } },
    { partNumber: 10_000, etag: 'e2', checksums: {} },
  ]);
});

test('a completion that cannot be one is refused', () => {
  const complete = (parts: string): Uint8Array =>
    Buffer.from(`<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`);
  const part = '<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>';
  assert.equal(readCompleteMultipartUploadDocument(complete(part.repeat(10_000))).length, 10_000);
  for (const parts of [
    '',
    '<Foo/>',
    part.repeat(10_001),
    '<Part><ETag>e</ETag></Part>',
    '<Part><PartNumber>1</PartNumber></Part>',
    '<Part><Foo/></Part>',
  ]) {
    assert.throws(() => readCompleteMultipartUploadDocument(complete(parts)), { code: 'MalformedXML' });
  }
  for (const number of ['0', '10001', '-1', 'x', '1.5', '']) {
    const parts = `<Part><PartNumber>${number}</PartNumber><ETag>e</ETag></Part>`;
    assert.throws(() => readCompleteMultipartUploadDocument(complete(parts)), { code: 'InvalidArgument' });
  }
});

test('DeleteObjects', async () => {
  const error = new S3Error('PreconditionFailed');
  const { client, sent } = clientAnsweredWith(
    writeDeleteObjectsDocument({ deleted: [{ key: object.key }], errors: [{ key: ' b ', versionId: 'v', error }] }),
  );
  const answer = await client.send(
    new DeleteObjectsCommand({
      Bucket: 'b',
      Delete: {
        Quiet: true,
        Objects: [
          { Key: object.key },
          { Key: ' b ', VersionId: 'v', ETag: '"e"', Size: 3, LastModifiedTime: new Date(when) },
        ],
      },
    }),
  );
  assert.deepEqual(answer.Deleted, [{ Key: object.key }]);
  const { code, message } = error;
  assert.deepEqual(answer.Errors, [{ Key: ' b ', VersionId: 'v', Code: code, Message: message }]);
  assert.deepEqual(readDeleteObjectsDocument(sent()), {
    quiet: true,
    objects: [
      { key: object.key },
      {
        key: ' b ',
        versionId: 'v',
        conditions: { ifMatch: 'e', ifMatchLastModifiedMs: Math.floor(when / 1000) * 1000, ifMatchSizeBytes: 3 },
      },
    ],
  });
});

test('a delete that cannot be one is refused', () => {
  const remove = (content: string): Uint8Array => Buffer.from(`<Delete>${content}</Delete>`);
  const one = '<Object><Key>k</Key></Object>';
  assert.equal(readDeleteObjectsDocument(remove(one.repeat(1000))).objects.length, 1000);
  for (const content of [
    '',
    one.repeat(1001),
    '<Object/>',
    '<Object><Key/></Object>',
    `${one}<Quiet>x</Quiet>`,
    `${one}<Foo/>`,
    '<Object><Key>k</Key><Foo/></Object>',
  ]) {
    assert.throws(() => readDeleteObjectsDocument(remove(content)), { code: 'MalformedXML' });
  }
  const conditional = '<Object><Key>k</Key><Size>x</Size></Object>';
  assert.throws(() => readDeleteObjectsDocument(remove(conditional)), { code: 'InvalidArgument' });
});

test('GetObjectAttributes', async () => {
  const document = writeGetObjectAttributesDocument({
    etag: object.etag,
    checksum: object.checksum,
    parts: {
      totalParts: 2,
      partNumberMarker: 0,
      nextPartNumberMarker: 1,
      maxParts: 1,
      algorithm: 'CRC32',
      parts: [{ partNumber: 1, sizeBytes: 5, checksum: 'AAAAAA==' }],
    },
    storageClass: 'STANDARD',
    sizeBytes: 10,
  });
  const answer = await clientAnsweredWith(document).client.send(
    new GetObjectAttributesCommand({ Bucket: 'b', Key: 'k', ObjectAttributes: ['ETag', 'ObjectParts'] }),
  );
  assert.equal(answer.ETag, object.etag);
  assert.deepEqual(answer.Checksum, { ChecksumCRC32: 'AAAAAA==', ChecksumType: 'FULL_OBJECT' });
  assert.deepEqual(answer.ObjectParts, {
    TotalPartsCount: 2,
    PartNumberMarker: '0',
    NextPartNumberMarker: '1',
    MaxParts: 1,
    IsTruncated: true,
    Parts: [{ PartNumber: 1, Size: 5, ChecksumCRC32: 'AAAAAA==' }],
  });
  assert.deepEqual([answer.StorageClass, answer.ObjectSize], ['STANDARD', 10]);
  assert.deepEqual(
    [...parseObjectAttributes({ 'x-amz-object-attributes': 'ETag, ObjectSize' })],
    ['ETag', 'ObjectSize'],
  );
  assert.throws(() => parseObjectAttributes({ 'x-amz-object-attributes': 'ETag,Foo' }), { code: 'InvalidArgument' });
  assert.throws(() => parseObjectAttributes({}), { code: 'InvalidArgument' });
});

test('CORS configuration', async () => {
  const rules = [
    {
      id: 'r & 1',
      allowedMethods: ['PUT', 'GET'],
      allowedOrigins: ['https://*.example.com'],
      allowedHeaders: ['*'],
      exposeHeaders: ['ETag'],
      maxAgeSeconds: 30,
    },
  ] as const;
  const { client, sent } = clientAnsweredWith(writeCorsConfigurationDocument(rules));
  const answer = await client.send(new GetBucketCorsCommand({ Bucket: 'b' }));
  await client.send(new PutBucketCorsCommand({ Bucket: 'b', CORSConfiguration: { CORSRules: answer.CORSRules } }));
  assert.deepEqual(readCorsConfigurationDocument(sent()), rules);
});

test('PostObject', () => {
  const document = writePostObjectDocument({ location: 'http://h/b/k', bucket: 'b', key: 'k&', etag: 'e' });
  const root = readXml(Buffer.from(document), 'PostResponse');
  const values = root.children.map((element) => `${element.name}=${element.text}`);
  assert.deepEqual(values, ['Location=http://h/b/k', 'Bucket=b', 'Key=k&', 'ETag="e"']);
});
