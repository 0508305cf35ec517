// Browser form uploads: forms signed by the AWS SDK's createPresignedPost, posted by fetch.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { errorCode, isSdkError, patternBytes, useEngine, useSdk } from './engine-fixture.ts';

const Bucket = 'forms';

async function useBucket(t: TestContext): Promise<S3Client> {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  return s3;
}

function sign(s3: S3Client, options: Partial<PresignedPostOptions> = {}): Promise<PresignedPost> {
  return createPresignedPost(s3, { Bucket, Key: 'k', Expires: 600, ...options });
}

interface Posted {
  readonly status: number;
  readonly code: string;
  readonly text: string;
  readonly headers: Headers;
}

async function post(
  url: string,
  fields: Record<string, string>,
  file: Uint8Array<ArrayBuffer> | string | undefined,
  name = 'a.txt',
): Promise<Posted> {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  if (file !== undefined) form.append('file', new Blob([file]), name);
  form.append('submit', 'after the file');
  const response = await fetch(url, { method: 'POST', body: form, redirect: 'manual' });
  const text = await response.text();
  return {
    status: response.status,
    code: text.includes('<Code>') ? errorCode(text) : '',
    text,
    headers: response.headers,
  };
}

it('stores the file with what the fields say', async (t) => {
  const s3 = await useBucket(t);
  const bytes = Uint8Array.from(patternBytes(2_500_000));
  const { url, fields } = await sign(s3, {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder.
    Key: 'in/${filename}',
    Conditions: [
      ['starts-with', '$Content-Type', 'text/'],
      ['starts-with', '$x-amz-meta-note', ''],
    ],
    Fields: { 'Content-Type': 'text/plain', 'x-amz-meta-note': 'grüße' },
  });
  const posted = await post(url, fields, bytes, 'ü b.txt');
  assert.equal(posted.status, 204);
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'in/ü b.txt' }));
  assert.deepEqual(await got.Body?.transformToByteArray(), bytes);
  assert.equal(got.ContentType, 'text/plain');
  assert.equal(posted.headers.get('etag'), got.ETag);
  // S3 gives text beyond ASCII back as an encoded word (RFC 2047).
  assert.deepEqual(got.Metadata, { note: `=?UTF-8?B?${Buffer.from('grüße').toString('base64')}?=` });
});

it('answers as the form asks', async (t) => {
  const s3 = await useBucket(t);
  for (const [asked, status] of [
    ['200', 200],
    ['201', 201],
    ['204', 204],
    ['404', 204],
  ] as const) {
    const { url, fields } = await sign(s3, { Fields: { success_action_status: asked } });
    const posted = await post(url, fields, 'x');
    assert.equal(posted.status, status);
    if (status === 201) {
      assert.match(
        posted.text,
        /<PostResponse><Location>http[^<]*\/forms\/k<\/Location><Bucket>forms<\/Bucket><Key>k<\/Key><ETag>/,
      );
    }
  }
  const success_action_redirect = 'https://example.com/done?x=1';
  const { url, fields } = await sign(s3, { Fields: { success_action_redirect } });
  const posted = await post(url, fields, 'x');
  assert.equal(posted.status, 303);
  assert.equal(
    posted.headers.get('location'),
    `${success_action_redirect}&bucket=forms&key=k&etag=%229dd4e461268c8034f5c8564e155c67a6%22`,
  );
});

it('enforces its policy, and stores nothing that breaks it', async (t) => {
  const s3 = await useBucket(t);
  const Conditions: PresignedPostOptions['Conditions'] = [
    ['content-length-range', 2, 4],
    ['eq', '$Content-Type', 'text/plain'],
  ];
  const { url, fields } = await sign(s3, { Conditions, Fields: { 'Content-Type': 'text/plain' } });
  const refused = async (changes: Record<string, string | undefined>, file: string | undefined = 'abc') => {
    const changed = Object.entries({ ...fields, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return (await post(url, Object.fromEntries(changed), file)).code;
  };
  assert.equal(await refused({}, 'abcde'), 'EntityTooLarge');
  assert.equal(await refused({}, 'a'), 'EntityTooSmall');
  assert.equal(await refused({ 'Content-Type': 'text/html' }), 'AccessDenied');
  assert.equal(await refused({ key: 'other' }), 'AccessDenied');
  assert.equal(await refused({ 'x-amz-meta-extra': '1' }), 'AccessDenied');
  assert.equal(await refused({ 'X-Amz-Signature': '0'.repeat(64) }), 'SignatureDoesNotMatch');
  assert.equal(await refused({ key: undefined }), 'InvalidArgument');
  assert.equal(await refused({ 'x-amz-checksum-crc32': 'AAAAAA==' }), 'BadDigest');
  assert.equal((await post(url, {}, 'abc')).code, 'InvalidArgument');
  assert.equal((await post(url, { key: 'k' }, 'abc')).code, 'AccessDenied', 'nobody signed it');
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })), isSdkError('NotFound', 404));
  assert.equal((await post(url, { ...fields, 'x-amz-checksum-crc32': 'NSRBwg==' }, 'abc')).status, 204);
});

it('expires', async (t) => {
  let offsetMs = 0;
  const s3 = useSdk(t, await useEngine(t, { clock: () => Date.now() + offsetMs }));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const { url, fields } = await sign(s3);
  offsetMs = 601_000;
  assert.equal((await post(url, fields, 'x')).code, 'AccessDenied');
});

it('refuses bodies that are no form, without a file, or with fields that no header can hold', async (t) => {
  const s3 = await useBucket(t);
  const { url, fields } = await sign(s3, {
    Conditions: [['starts-with', '$x-amz-meta-a', '']],
    Fields: { 'x-amz-meta-a': 'x\r\ny: z' },
  });
  assert.equal((await post(url, fields, 'x')).code, 'InvalidArgument');
  const withoutFile = await post(url, fields, undefined);
  assert.equal(withoutFile.code, 'InvalidArgument');
  const send = async (body: string, contentType: string) => {
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': contentType } });
    return errorCode(await response.text());
  };
  assert.equal(await send('no form', 'multipart/form-data; boundary=x'), 'MalformedPOSTRequest');
  assert.equal(await send('no form', 'multipart/form-data'), 'MalformedPOSTRequest');
  assert.equal(await send('a=b', 'application/x-www-form-urlencoded'), 'PreconditionFailed');
  assert.equal((await post(url, { long: 'x'.repeat(30_000) }, 'x')).code, 'MaxPostPreDataLengthExceeded');
});
