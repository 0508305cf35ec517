// What others keep in the same bucket is theirs: neither their objects nor their unfinished uploads are touched, whatever their keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketCorsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { bucket, dayMs, hourMs, ServiceFixture } from '../files/service-fixture.ts';
import { openFaultyWorld } from './life-under-fault.ts';

test('uploads and objects of others stay, also where their keys begin as ours do', async (t) => {
  const { files } = await openFaultyWorld(t);
  const { endpoint, region, credentials } = files.engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  t.after(() => client.destroy());
  const upload = await files.sendFile('parts.txt', 'text/plain', Buffer.alloc(3000, 'parts '));
  const given = await files.sendFile('given.txt', 'text/plain', Buffer.alloc(3000, 'parts '));
  const foreign = [upload, given].map(({ id }) => `${files.row(id).objectKey}/theirs`);
  for (const Key of foreign) {
    await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'theirs' }));
  }
  await files.call('completeUpload', { id: upload.id });
  await files.call('abortUpload', { id: given.id });
  await files.tick();
  await files.call('deleteFile', { id: upload.id });
  for (const durationMs of [31 * dayMs, hourMs, hourMs]) {
    files.advance(durationMs);
    await files.tick();
  }
  assert.deepEqual([files.row(upload.id).state, files.row(given.id).state], ['purged', 'purged']);
  assert.equal(files.openUploads().length, foreign.length);
  assert.deepEqual([...files.keys()].sort(), foreign.toSorted());
});

test('a page may read the ETag of what it sent, and the rules of others for pages stay', async (t) => {
  const files = await ServiceFixture.open(t, { allowedOrigins: ['https://pages.example.com'] });
  const { endpoint, region, credentials } = files.engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  t.after(() => client.destroy());
  const theirs = { AllowedMethods: ['GET'], AllowedOrigins: ['https://example.com'], ExposeHeaders: [] };
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules: [theirs] } }));
  await files.announce({ sizeBytes: 4 });
  const { CORSRules = [] } = await client.send(new GetBucketCorsCommand({ Bucket: bucket }));
  const exposing = CORSRules.filter(({ ExposeHeaders }) => ExposeHeaders?.includes('ETag'));
  assert.deepEqual(
    exposing.map(({ AllowedOrigins }) => AllowedOrigins),
    [['https://pages.example.com']],
  );
  assert.equal(CORSRules.length, 2);
});
