// Whatever comes, a parser answers or throws an S3Error: nothing else, and never endlessly.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { S3Error } from '../errors.ts';
import { parseAuthentication } from './authentication.ts';
import { createChunkDecoder } from './chunk-decoder.ts';
import { parsePostAuthentication, postObjectKey, readPostFields } from './post-form.ts';
import { exampleCredentials, exampleNowMs, requestOf } from './requests.fixture.ts';
import { scopeOf } from './sign-request.ts';
import { SigningKeys } from './signing-keys.ts';
import { verifyPostPolicy } from './verify-post-policy.ts';
import { verifySignature } from './verify-signature.ts';

const { secretAccessKey } = exampleCredentials;
const signingKeys = new SigningKeys();

function answersOrRefuses(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
  }
}

// Any UTF-16, lone surrogates included, and pieces of the real thing.
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    'AWS4-HMAC-SHA256',
    'host',
    'x-amz-date',
    '20130524T000000Z',
    '604800',
    '-1',
    'constructor',
    '__proto__',
  ),
  fc.constantFrom('AKIA/20130524/us-east-1/s3/aws4_request', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'UNSIGNED-PAYLOAD'),
);

const parameterNames = fc.constantFrom(
  ...['Algorithm', 'Credential', 'Signature', 'Date', 'SignedHeaders', 'Expires', 'Content-Sha256'].map(
    (name) => `X-Amz-${name}`,
  ),
);

const headerNames = fc.constantFrom(
  'authorization',
  'x-amz-date',
  'date',
  'x-amz-content-sha256',
  'x-amz-meta-a',
  'host',
);

const authorizationHeader = fc
  .array(fc.tuple(fc.constantFrom('Credential=', 'SignedHeaders=', 'Signature=', ''), anyText), { maxLength: 4 })
  .map((parts) => `AWS4-HMAC-SHA256 ${parts.map((part) => part.join('')).join(', ')}`);

const request = fc.record({
  method: anyText,
  rawPath: anyText,
  query: fc.array(fc.tuple(fc.oneof(parameterNames, anyText), anyText), { maxLength: 10 }),
  headers: fc.dictionary(headerNames, fc.oneof(anyText, authorizationHeader)),
});

const policyText = fc.oneof(
  anyText,
  fc.json().map((json) => Buffer.from(json).toString('base64')),
  fc
    .array(fc.oneof(fc.jsonValue(), fc.array(anyText), fc.dictionary(anyText, anyText)))
    .map((conditions) => JSON.stringify({ expiration: '2030-01-01T00:00:00Z', conditions }))
    .map((json) => Buffer.from(json).toString('base64')),
);

describe('hostile input', () => {
  it('in requests', () => {
    fc.assert(
      fc.property(request, (hostile) => {
        answersOrRefuses(() => {
          const authentication = parseAuthentication(hostile);
          if (authentication.mechanism === 'anonymous') return;
          const options = {
            secretAccessKey,
            nowMs: exampleNowMs,
            signingKeys,
            services: [authentication.scope.service],
          };
          verifySignature(hostile, authentication, options);
          assert.fail('a random request verified');
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('in requests that are right but for one value', () => {
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=${'a'.repeat(64)}`,
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    };
    const right = requestOf('GET', 'http://localhost/bucket/key?a=b', headers);
    fc.assert(
      fc.property(headerNames, anyText, anyText, anyText, (name, value, queryName, rawPath) => {
        const hostile = {
          ...right,
          rawPath: `/${rawPath}`,
          query: [[queryName, value] as const],
          headers: { ...right.headers, [name]: value },
        };
        answersOrRefuses(() => {
          const authentication = parseAuthentication(hostile);
          if (authentication.mechanism === 'anonymous') return;
          verifySignature(hostile, authentication, { secretAccessKey, nowMs: exampleNowMs, signingKeys });
          assert.fail('a random signature verified');
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('in chunked bodies', () => {
    const pieces = fc.oneof(
      fc.uint8Array(),
      fc
        .constantFrom(
          '0\r\n',
          '3\r\nabc\r\n',
          '\r\n',
          '\n',
          'x-amz-checksum-crc32:a\r\n',
          ':',
          ';chunk-signature=',
          'ffff',
        )
        .map((text) => Buffer.from(text)),
    );
    const scope = scopeOf({ region: 'us-east-1' }, '20130524T000000Z');
    const key = signingKeys.get('AKIA', secretAccessKey, scope);
    const signing = { key, seedSignature: '', scope: scope.text, timestamp: '20130524T000000Z' };
    fc.assert(
      fc.property(fc.array(pieces), fc.nat(10), fc.boolean(), (body, decodedLength, signed) => {
        const common = { decodedLength, declaredTrailers: ['x-amz-checksum-crc32'] };
        const decoder = createChunkDecoder(
          signed ? { ...common, mode: 'signed-trailer', signing } : { ...common, mode: 'unsigned-trailer' },
        );
        answersOrRefuses(() => {
          const decoded = body.flatMap((piece) => decoder.push(piece).map((view) => view.length));
          decoder.finish();
          assert.equal(
            decoded.reduce((sum, length) => sum + length, 0),
            decodedLength,
          );
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('in POST forms', () => {
    const name = fc.oneof(
      anyText,
      fc.constantFrom('key', 'policy', 'signature', 'AWSAccessKeyId', 'x-amz-signature', 'x-amz-credential', 'acl'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, anyText)), policyText, anyText, (pairs, policy, fileName) => {
        answersOrRefuses(() => {
          const signature = createHmac('sha1', secretAccessKey).update(policy).digest('base64');
          const signed = [
            ['policy', policy] as const,
            ['signature', signature] as const,
            ['awsaccesskeyid', 'A'] as const,
          ];
          for (const form of [pairs, [...signed, ['key', 'k'] as const], [...signed, ...pairs]]) {
            answersOrRefuses(() => {
              const fields = readPostFields(form);
              const authentication = parsePostAuthentication(fields);
              const key = postObjectKey(fields, fileName);
              if (authentication.mechanism === 'anonymous') return;
              const options = { secretAccessKey, nowMs: exampleNowMs, signingKeys, bucket: 'bucket', key };
              verifyPostPolicy(fields, authentication, options);
            });
          }
        });
      }),
      { numRuns: 500 },
    );
  });
});
