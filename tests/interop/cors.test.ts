// CORS rules set through the AWS SDK, and what a browser would be told.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import {
  type CORSRule,
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { errorCode, isSdkError, useEngine, useSdk } from './engine-fixture.ts';

const Bucket = 'cors';
const origin = 'https://app.example.com';

async function useBucket(t: TestContext, rules: CORSRule[]): Promise<{ s3: S3Client; url: string }> {
  const engine = await useEngine(t);
  const s3 = useSdk(t, engine);
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
  return { s3, url: `${engine.endpoint}/${Bucket}/k` };
}

function preflight(url: string, method: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': method, ...headers } });
}

const rule: CORSRule = {
  ID: 'app',
  AllowedOrigins: ['https://*.example.com'],
  AllowedMethods: ['PUT', 'GET'],
  AllowedHeaders: ['content-*', 'x-amz-date'],
  ExposeHeaders: ['ETag'],
  MaxAgeSeconds: 60,
};

it('keeps, shows and forgets the rules', async (t) => {
  const { s3 } = await useBucket(t, [rule]);
  assert.deepEqual((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules, [rule]);
  await s3.send(new DeleteBucketCorsCommand({ Bucket }));
  await assert.rejects(s3.send(new GetBucketCorsCommand({ Bucket })), isSdkError('NoSuchCORSConfiguration', 404));
  const broken = { ...rule, AllowedMethods: ['PATCH'] };
  const put = s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [broken] } }));
  await assert.rejects(put, isSdkError('InvalidRequest', 400));
});

it('answers a preflight by the rule that allows it', async (t) => {
  const { url, s3 } = await useBucket(t, [rule]);
  const allowed = await preflight(url, 'PUT', { 'access-control-request-headers': 'Content-Type, x-amz-date' });
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers.get('access-control-allow-origin'), origin);
  assert.equal(allowed.headers.get('access-control-allow-methods'), 'PUT, GET');
  assert.equal(allowed.headers.get('access-control-allow-headers'), 'content-type, x-amz-date');
  assert.equal(allowed.headers.get('access-control-expose-headers'), 'ETag');
  assert.equal(allowed.headers.get('access-control-max-age'), '60');
  assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true');
  for (const refused of [
    preflight(url, 'DELETE'),
    preflight(url, 'PUT', { origin: 'https://example.org' }),
    preflight(url, 'PUT', { 'access-control-request-headers': 'x-amz-meta-a' }),
  ]) {
    const response = await refused;
    assert.equal(response.status, 403);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.equal(errorCode(await response.text()), 'AccessForbidden');
  }
  assert.equal((await fetch(url, { method: 'OPTIONS', headers: { origin } })).status, 400);
  assert.equal((await fetch(url, { method: 'OPTIONS' })).status, 400);
  assert.equal((await preflight(url.replace('/cors/', '/absent/'), 'PUT')).status, 404);
  await s3.send(new DeleteBucketCorsCommand({ Bucket }));
  assert.equal((await preflight(url, 'PUT')).status, 403);
});

it('gives every answer the headers of its rule, errors too', async (t) => {
  const { s3, url } = await useBucket(t, [rule, { AllowedOrigins: ['*'], AllowedMethods: ['GET'] }]);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  const signed = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }));
  const got = await fetch(signed, { headers: { origin } });
  assert.equal(got.status, 200);
  assert.equal(got.headers.get('access-control-allow-origin'), origin);
  assert.equal(got.headers.get('access-control-expose-headers'), 'ETag');
  assert.match(got.headers.get('vary') ?? '', /Origin/);
  const denied = await fetch(url, { headers: { origin } });
  assert.equal(denied.status, 403);
  assert.equal(denied.headers.get('access-control-allow-origin'), origin);
  const anywhere = await fetch(signed, { headers: { origin: 'https://elsewhere.org' } });
  assert.equal(anywhere.headers.get('access-control-allow-origin'), '*');
  assert.equal(anywhere.headers.get('access-control-allow-credentials'), null);
  assert.equal((await fetch(signed)).headers.get('access-control-allow-origin'), null);
});
