// The official SDK signs, we verify: whole requests as its own pipeline makes them, caught where they would be sent.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { S3Error } from '../errors.ts';
import { type Authentication, parseAuthentication } from './authentication.ts';
import { parsePostAuthentication, postObjectKey, readPostFields } from './post-form.ts';
import { exampleCredentials, requestOf } from './requests.fixture.ts';
import { presignUrl } from './sign-request.ts';
import type { SignedRequest } from './signed-request.ts';
import { SigningKeys } from './signing-keys.ts';
import { verifyPostPolicy } from './verify-post-policy.ts';
import { type ChunkSigning, verifySignature } from './verify-signature.ts';

/** The part of the SDK's own request that is looked at here. */
interface SentRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

class RequestCaught extends Error {}

/** The SDK logs that it could not send: of course it could not. */
const ignore = (): undefined => undefined;

const signingKeys = new SigningKeys();
const { accessKeyId, secretAccessKey } = exampleCredentials;
const credentials = { accessKeyId, secretAccessKey, sessionToken: 'token/with+signs==' };

function clientOf(forcePathStyle: boolean): { readonly client: S3Client; readonly sent: SentRequest[] } {
  const sent: SentRequest[] = [];
  const client = new S3Client({
    region: 'eu-west-1',
    endpoint: 'http://storage.localhost:9000',
    forcePathStyle,
    credentials,
    maxAttempts: 1,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    requestHandler: {
      handle(request: SentRequest): Promise<never> {
        sent.push(request);
        return Promise.reject(new RequestCaught('caught'));
      },
    },
  });
  return { client, sent };
}

async function caught(sent: SentRequest[], work: Promise<unknown>): Promise<SignedRequest> {
  await assert.rejects(work, /caught/);
  const request = sent.pop();
  assert.ok(request !== undefined);
  const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((one: string) => [name, one] as const),
  );
  return { method: request.method, rawPath: request.path, query, headers: lowerCase(request.headers) };
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function verify(request: SignedRequest): { readonly authentication: Authentication; readonly signing: ChunkSigning } {
  const authentication = parseAuthentication(request);
  assert.notEqual(authentication.mechanism, 'anonymous');
  if (authentication.mechanism === 'anonymous') throw new Error('anonymous');
  const options = { secretAccessKey, nowMs: Date.now(), region: 'eu-west-1', signingKeys };
  return { authentication, signing: verifySignature(request, authentication, options) };
}

function refuses(request: SignedRequest): void {
  assert.throws(() => verify(request), S3Error);
}

const nastyKeys = [
  'plain.txt',
  'a b+c&d=e?f#g%h',
  '%2F%252F',
  '/starts//with/../slashes/./and/ends/',
  '..',
  'quotes\'"(){}[]!*~`^|\\<>',
  'Grüße/日本語/🗂️',
  '\t\n\x7f',
];

// Of any length, because the SDK drops nothing from a key; without lone surrogates, which it refuses.
const anyKey = fc.oneof(fc.constantFrom(...nastyKeys), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }));
const headerText = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/, { maxLength: 60 });

describe("the AWS SDK's signed requests", () => {
  for (const forcePathStyle of [true, false]) {
    const { client, sent } = clientOf(forcePathStyle);
    const style = forcePathStyle ? 'path style' : 'virtual-host style';

    it(`PUT verifies for any key and metadata, ${style}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          anyKey,
          fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/), headerText),
          async (key, metadata) => {
            const input = { Bucket: 'bucket', Key: key, Body: 'body', Metadata: metadata, ContentType: 'text/plain' };
            const request = await caught(sent, client.send(new PutObjectCommand(input)));
            verify(request);
            refuses({ ...request, method: 'POST' });
            refuses({ ...request, rawPath: `${request.rawPath}x` });
          },
        ),
        { numRuns: 40 },
      );
    });

    it(`listing verifies for any prefix, ${style}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), async (prefix, after) => {
          const input = { Bucket: 'bucket', Prefix: prefix, StartAfter: after, Delimiter: '/', MaxKeys: 7 };
          verify(await caught(sent, client.send(new ListObjectsV2Command(input))));
        }),
        { numRuns: 40 },
      );
    });
  }

  it('copy and part upload verify', async () => {
    const { client, sent } = clientOf(true);
    const copy = { Bucket: 'bucket', Key: 'to', CopySource: 'bucket/fr%20om?versionId=a' };
    verify(await caught(sent, client.send(new CopyObjectCommand(copy))));
    const part = { Bucket: 'bucket', Key: 'k', UploadId: 'a+b/c==', PartNumber: 3, Body: 'part' };
    verify(await caught(sent, client.send(new UploadPartCommand(part))));
  });

  it('a stream is announced as aws-chunked with an unsigned trailer', async () => {
    const { client, sent } = clientOf(true);
    const body = Readable.from([Buffer.from('body')], { objectMode: false });
    const input = { Bucket: 'bucket', Key: 'k', Body: body, ContentLength: 4 };
    const { authentication } = verify(await caught(sent, client.send(new PutObjectCommand(input))));
    assert.equal(authentication.payload.text, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
    assert.equal(authentication.mechanism === 'header' && authentication.sessionToken, credentials.sessionToken);
  });
});

describe("the AWS SDK's presigned URLs", () => {
  const { client } = clientOf(true);

  it('verify for any key and response header', async () => {
    await fc.assert(
      fc.asyncProperty(anyKey, headerText, async (key, disposition) => {
        const command = new GetObjectCommand({
          Bucket: 'bucket',
          Key: key,
          ResponseContentDisposition: `attachment; filename="${disposition}"`,
        });
        const url = await getSignedUrl(client, command, { expiresIn: 60 });
        const { authentication } = verify(requestOf('GET', url));
        assert.equal(authentication.mechanism === 'query' && authentication.sessionToken, credentials.sessionToken);
        refuses(requestOf('PUT', url));
        refuses(requestOf('GET', url.replace('X-Amz-Expires=60', 'X-Amz-Expires=61')));
      }),
      { numRuns: 40 },
    );
  });

  it('verify for PUT, with the headers that they sign', async () => {
    const command = new PutObjectCommand({
      Bucket: 'bucket',
      Key: 'k',
      ContentType: 'image/png',
      ServerSideEncryption: 'AES256',
    });
    const url = await getSignedUrl(client, command, { expiresIn: 60, signableHeaders: new Set(['content-type']) });
    const headers = { 'content-type': 'image/png', 'x-amz-server-side-encryption': 'AES256' };
    verify(requestOf('PUT', url, headers));
    refuses(requestOf('PUT', url, { ...headers, 'content-type': 'text/html' }));
    refuses(requestOf('PUT', url, { 'content-type': 'image/png' }));
  });

  it('are the same as ours', async () => {
    const nowMs = Date.UTC(2026, 10, 21, 12);
    const ours = presignUrl({
      method: 'GET',
      endpoint: 'http://storage.localhost:9000',
      path: '/bucket/a key/ü',
      query: [
        ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'],
        ['x-amz-checksum-mode', 'ENABLED'],
        ['x-id', 'GetObject'],
      ],
      credentials,
      region: 'eu-west-1',
      expiresSeconds: 60,
      nowMs,
      signingKeys,
    });
    const command = new GetObjectCommand({ Bucket: 'bucket', Key: 'a key/ü' });
    const theirs = await getSignedUrl(client, command, { expiresIn: 60, signingDate: new Date(nowMs) });
    const parameters = (url: string): readonly (readonly [string, string])[] => [...new URL(url).searchParams].sort();
    assert.deepEqual(parameters(ours), parameters(theirs));
    assert.equal(new URL(ours).pathname, new URL(theirs).pathname);
  });
});

describe("the AWS SDK's presigned POST forms", () => {
  const { client } = clientOf(true);

  it('verify, and stay within their conditions', async () => {
    const { fields } = await createPresignedPost(client, {
      Bucket: 'bucket',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
      Key: 'user/${filename}',
      Conditions: [['content-length-range', 1, 1000]],
      Fields: { acl: 'private', 'Content-Type': 'image/png' },
      Expires: 60,
    });
    const options = { secretAccessKey, nowMs: Date.now(), region: 'eu-west-1', bucket: 'bucket', signingKeys };
    const judge = (changes: Readonly<Record<string, string>>, overrides: object = {}): unknown => {
      const form = readPostFields(Object.entries({ ...fields, ...changes }));
      const authentication = parsePostAuthentication(form);
      if (authentication.mechanism !== 'post-v4') assert.fail(authentication.mechanism);
      const key = postObjectKey(form, 'photo.png');
      return verifyPostPolicy(form, authentication, { ...options, key, ...overrides });
    };
    assert.deepEqual(judge({}), { contentLengthRange: { minBytes: 1, maxBytes: 1000 } });
    for (const [changes, overrides] of [
      [{ acl: 'public-read' }],
      [{ 'x-amz-meta-more': 'x' }],
      [{ key: 'other/x' }],
      [{}, { bucket: 'other' }],
      [{}, { nowMs: Date.now() + 61_000 }],
    ] as const) {
      assert.throws(() => judge(changes, overrides), { code: 'AccessDenied' });
    }
    assert.throws(() => judge({}, { secretAccessKey: 'other' }), { code: 'SignatureDoesNotMatch' });
    assert.throws(() => judge({}, { region: 'us-east-1' }), { code: 'AuthorizationQueryParametersError' });
  });
});
