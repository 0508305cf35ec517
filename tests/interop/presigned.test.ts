// Presigned URLs as the AWS SDK makes them by default, used by fetch and by curl; and URLs that must not work.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Engine } from '@stowage/engine';
import { errorCode, patternBytes, useEngine, useSdk } from './engine-fixture.ts';

const run = promisify(execFile);
const Bucket = 'presigned';
const expiresIn = 600;

interface Setting {
  readonly engine: Engine;
  readonly s3: S3Client;
  /** Moves the engine's clock. */
  readonly pass: (ms: number) => void;
}

async function useSetting(t: TestContext): Promise<Setting> {
  let offsetMs = 0;
  const engine = await useEngine(t, { clock: () => Date.now() + offsetMs });
  const s3 = useSdk(t, engine);
  await s3.send(new CreateBucketCommand({ Bucket }));
  return {
    engine,
    s3,
    pass: (ms) => {
      offsetMs += ms;
    },
  };
}

/** Status and error code of one request. */
async function answer(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  return response.ok ? String(response.status) : `${response.status} ${text === '' ? '' : errorCode(text)}`.trim();
}

it('puts, heads, gets and deletes by the SDK’s default URLs', async (t) => {
  const { s3 } = await useSetting(t);
  const key = { Bucket, Key: 'ü b+c/d' };
  const put = await getSignedUrl(s3, new PutObjectCommand({ ...key, Metadata: { m: '1' } }), { expiresIn });
  assert.match(
    put,
    /x-amz-checksum-crc32=AAAAAA%3D%3D/,
    'the checksum of an empty body, which the SDK puts there by default',
  );
  assert.equal(await answer(put, { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } }), '200');
  const head = await s3.send(new HeadObjectCommand(key));
  assert.deepEqual([head.ContentLength, head.ContentType, head.Metadata], [5, 'text/plain', { m: '1' }]);
  const get = await getSignedUrl(
    s3,
    new GetObjectCommand({ ...key, ResponseContentDisposition: 'attachment; filename="a b"' }),
    { expiresIn },
  );
  const got = await fetch(get);
  assert.equal(await got.text(), 'hello');
  assert.equal(got.headers.get('content-disposition'), 'attachment; filename="a b"');
  const ranged = await fetch(get, { headers: { range: 'bytes=1-2' } });
  assert.equal(await ranged.text(), 'el');
  assert.equal(
    await answer(await getSignedUrl(s3, new HeadObjectCommand(key), { expiresIn }), { method: 'HEAD' }),
    '200',
  );
  assert.equal(
    await answer(await getSignedUrl(s3, new DeleteObjectCommand(key), { expiresIn }), { method: 'DELETE' }),
    '204',
  );
  assert.equal(await answer(get), '404 NoSuchKey');
});

it('reads from the query what SDKs put there, and refuses what it does not read there', async (t) => {
  const { s3 } = await useSetting(t);
  const ask = async (input: object) => {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'k', ...input }), { expiresIn });
    return answer(url, { method: 'PUT', body: 'x' });
  };
  assert.equal(await ask({ ExpectedBucketOwner: '111111111111', StorageClass: 'STANDARD_IA' }), '200');
  assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).StorageClass, 'STANDARD_IA');
  assert.equal(await ask({ ExpectedBucketOwner: '222222222222' }), '403 AccessDenied');
  assert.equal(await ask({ ACL: 'public-read' }), '501 NotImplemented');
  assert.equal(await ask({ Tagging: 'a=b' }), '501 NotImplemented');
  const copy = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/k` });
  assert.equal(await answer(await getSignedUrl(s3, copy, { expiresIn }), { method: 'PUT' }), '501 NotImplemented');
});

it('uploads parts by URL', async (t) => {
  const { s3 } = await useSetting(t);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }));
  const url = await getSignedUrl(s3, new UploadPartCommand({ Bucket, Key: 'k', UploadId, PartNumber: 1 }), {
    expiresIn,
  });
  const response = await fetch(url, { method: 'PUT', body: 'part' });
  const ETag = response.headers.get('etag') ?? '';
  await s3.send(
    new CompleteMultipartUploadCommand({
      Bucket,
      Key: 'k',
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
    }),
  );
  assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).ContentLength, 4);
});

it('refuses URLs that are expired, early, altered, forged or used otherwise than signed', async (t) => {
  const { s3, engine, pass } = await useSetting(t);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'secret' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body: 'secret' }));
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }), { expiresIn });
  assert.equal(await answer(url), '200');
  assert.equal(await answer(url, { method: 'PUT', body: 'x' }), '403 SignatureDoesNotMatch');
  assert.equal(await answer(url, { method: 'DELETE' }), '403 SignatureDoesNotMatch');
  assert.equal(await answer(url.replace('/k?', '/other?')), '403 SignatureDoesNotMatch');
  assert.equal(await answer(url.replace('X-Amz-Expires=600', 'X-Amz-Expires=6000')), '403 SignatureDoesNotMatch');
  assert.equal(await answer(`${url}&response-content-type=text/html`), '403 SignatureDoesNotMatch');
  assert.equal(
    await answer(url.replace(/X-Amz-Signature=[0-9a-f]{4}/, 'X-Amz-Signature=0000')),
    '403 SignatureDoesNotMatch',
  );
  assert.equal(
    await answer(url.replace(engine.credentials.accessKeyId, 'AKIAUNKNOWN000000000')),
    '403 InvalidAccessKeyId',
  );
  assert.equal(
    await answer(url.replace('X-Amz-Expires=600', 'X-Amz-Expires=604801')),
    '400 AuthorizationQueryParametersError',
  );
  assert.equal(await answer(url.replace(/&X-Amz-Signature=[0-9a-f]+/, '')), '400 AuthorizationQueryParametersError');
  assert.equal(await answer(url.replace(/\?.*/, '')), '403 AccessDenied');
  assert.equal(
    await answer(url, { headers: { 'x-amz-acl': 'public-read' } }),
    '403 AccessDenied',
    'a header that is not signed',
  );
  const early = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }), {
    expiresIn,
    signingDate: new Date(Date.now() + 3_600_000),
  });
  assert.equal(await answer(early), '403 AccessDenied');
  pass(599_000);
  assert.equal(await answer(url), '200');
  pass(2_000);
  assert.equal(await answer(url), '403 AccessDenied');
});

it('a URL dies with the credentials that signed it', async (t) => {
  const { engine, s3 } = await useSetting(t);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }), { expiresIn });
  const rotated = {
    id: '111111111111',
    displayName: 'alice',
    root: true,
    accessKeyId: 'AKIANEW0000000000000',
    secretAccessKey: 'new',
  };
  const later = await useEngine(t, { store: engine.store, accounts: [rotated] });
  assert.equal(await answer(url.replace(engine.endpoint, later.endpoint)), '403 InvalidAccessKeyId');
});

it('curl -T uploads to a URL, until it expires', async (t) => {
  const curl = await run('curl', ['--version']).catch(() => undefined);
  if (curl === undefined) return t.skip('curl is not installed');
  const { s3, pass } = await useSetting(t);
  const folder = await mkdtemp(join(tmpdir(), 'stowage-curl-'));
  t.after(() => rm(folder, { recursive: true }));
  const bytes = patternBytes(3_000_000);
  const file = join(folder, 'file.bin');
  await writeFile(file, bytes);
  // Above 1 MiB curl asks first, by Expect: 100-continue.
  const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'k' }), { expiresIn });
  const upload = () => run('curl', ['-sS', '-T', file, '-w', '\n%{http_code}', url]);
  assert.match((await upload()).stdout, /\n200$/);
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
  assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes);
  pass(601_000);
  const refused = (await upload()).stdout;
  assert.match(refused, /\n403$/);
  assert.equal(errorCode(refused), 'AccessDenied');
});
