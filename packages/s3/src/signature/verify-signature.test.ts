import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { S3Error } from '../errors.ts';
import { parseAuthentication } from './authentication.ts';
import { canonicalRequest, stringToSign } from './canonical-request.ts';
import { exampleCredentials, exampleNowMs, requestOf } from './requests.fixture.ts';
import { presignUrl, scopeOf, signRequest } from './sign-request.ts';
import type { SignedRequest } from './signed-request.ts';
import { SigningKeys } from './signing-keys.ts';
import { maxSkewMs, type VerifySignatureOptions, verifySignature } from './verify-signature.ts';

const { secretAccessKey } = exampleCredentials;
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function verify(request: SignedRequest, options: Partial<VerifySignatureOptions> = {}): void {
  const authentication = parseAuthentication(request);
  assert.notEqual(authentication.mechanism, 'anonymous');
  if (authentication.mechanism === 'anonymous') return;
  const signingKeys = new SigningKeys();
  verifySignature(request, authentication, { secretAccessKey, nowMs: exampleNowMs, signingKeys, ...options });
}

function refused(request: SignedRequest, options: Partial<VerifySignatureOptions> = {}): S3Error {
  try {
    verify(request, options);
  } catch (error) {
    assert.ok(error instanceof S3Error, String(error));
    return error;
  }
  assert.fail('the request was not refused');
}

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
}

// "Examples: Signature Calculations" of the S3 API reference, with their published signatures.
const published: readonly (readonly [what: string, request: SignedRequest])[] = [
  [
    'GET object with a range',
    requestOf('GET', 'https://examplebucket.s3.amazonaws.com/test.txt', {
      range: 'bytes=0-9',
      'x-amz-content-sha256': emptySha256,
      'x-amz-date': '20130524T000000Z',
      authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    }),
  ],
  [
    'PUT object',
    requestOf('PUT', 'https://examplebucket.s3.amazonaws.com/test$file.text', {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    }),
  ],
  [
    'GET bucket lifecycle',
    requestOf('GET', 'https://examplebucket.s3.amazonaws.com/?lifecycle', {
      'x-amz-content-sha256': emptySha256,
      'x-amz-date': '20130524T000000Z',
      authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    }),
  ],
  [
    'list objects',
    requestOf('GET', 'https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J', {
      'x-amz-content-sha256': emptySha256,
      'x-amz-date': '20130524T000000Z',
      authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    }),
  ],
  [
    'presigned GET',
    requestOf(
      'GET',
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    ),
  ],
  [
    'chunked PUT (seed signature)',
    requestOf('PUT', 'https://s3.amazonaws.com/examplebucket/chunkObject.txt', {
      'content-encoding': 'aws-chunked',
      'content-length': '66824',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-date': '20130524T000000Z',
      'x-amz-decoded-content-length': '66560',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      authorization: authorization(
        'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
        '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      ),
    }),
  ],
];

describe("AWS's published examples", () => {
  for (const [what, request] of published) {
    it(`${what} verifies`, () => verify(request, { region: 'us-east-1' }));
    it(`${what} with another secret does not`, () => {
      assert.equal(refused(request, { secretAccessKey: `${secretAccessKey}x` }).code, 'SignatureDoesNotMatch');
    });
  }

  it('are what our own signers make', () => {
    const common = { credentials: exampleCredentials, region: 'us-east-1', signingKeys: new SigningKeys() };
    const endpoint = 'https://examplebucket.s3.amazonaws.com';
    const put = signRequest({
      ...common,
      method: 'PUT',
      endpoint,
      path: '/test$file.text',
      headers: { Date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      payload: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      nowMs: exampleNowMs,
    });
    assert.match(put.headers.authorization ?? '', /98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/);
    assert.equal(put.url, `${endpoint}/test%24file.text`);
    const url = presignUrl({
      ...common,
      method: 'GET',
      endpoint,
      path: '/test.txt',
      expiresSeconds: 86_400,
      nowMs: exampleNowMs,
    });
    assert.match(url, /&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404$/);
  });
});

const signingKeys = new SigningKeys();
const nowMs = Date.UTC(2026, 10, 21, 12, 0, 0);

function signedPut(headers: Readonly<Record<string, string>> = {}): SignedRequest {
  const signed = signRequest({
    method: 'PUT',
    endpoint: 'http://127.0.0.1:9000',
    path: '/bucket/a key',
    headers,
    credentials: exampleCredentials,
    region: 'eu-west-1',
    nowMs,
    signingKeys,
  });
  return requestOf('PUT', signed.url, signed.headers);
}

function presigned(overrides: { expiresSeconds?: number; headers?: Record<string, string> } = {}): SignedRequest {
  const { expiresSeconds = 60, headers = {} } = overrides;
  const url = presignUrl({
    method: 'GET',
    endpoint: 'http://127.0.0.1:9000',
    path: '/bucket/a key',
    headers,
    credentials: exampleCredentials,
    region: 'eu-west-1',
    nowMs,
    signingKeys,
    expiresSeconds,
  });
  return requestOf('GET', url, headers);
}

describe('time', () => {
  it('lets a header-signed request be 15 minutes off, either way', () => {
    verify(signedPut(), { nowMs: nowMs + maxSkewMs });
    verify(signedPut(), { nowMs: nowMs - maxSkewMs });
    for (const offMs of [maxSkewMs + 1000, -maxSkewMs - 1000]) {
      const error = refused(signedPut(), { nowMs: nowMs + offMs });
      assert.equal(error.code, 'RequestTimeTooSkewed');
      assert.equal(error.details?.RequestTime, '20261121T120000Z');
      assert.equal(error.details?.MaxAllowedSkewMilliseconds, '900000');
    }
  });

  it('lets a URL live as long as it says, and not a second longer', () => {
    verify(presigned(), { nowMs: nowMs + 60_000 });
    const error = refused(presigned(), { nowMs: nowMs + 61_000 });
    assert.equal(error.code, 'AccessDenied');
    assert.equal(error.message, 'Request has expired');
    assert.deepEqual(error.details, {
      'X-Amz-Expires': '60',
      Expires: '2026-11-21T12:01:00Z',
      ServerTime: '2026-11-21T12:01:01Z',
    });
  });

  it('refuses a URL of the future', () => {
    verify(presigned(), { nowMs: nowMs - maxSkewMs });
    const error = refused(presigned(), { nowMs: nowMs - maxSkewMs - 1000 });
    assert.deepEqual([error.code, error.message], ['AccessDenied', 'Request is not yet valid']);
  });
});

describe('scope', () => {
  it('refuses another region and names the right one', () => {
    const header = refused(signedPut(), { nowMs, region: 'us-east-1' });
    assert.equal(header.code, 'AuthorizationHeaderMalformed');
    assert.equal(header.details?.Region, 'us-east-1');
    const query = refused(presigned(), { nowMs, region: 'us-east-1' });
    assert.equal(query.code, 'AuthorizationQueryParametersError');
    assert.equal(query.details?.Region, 'us-east-1');
    verify(signedPut(), { nowMs, region: 'eu-west-1' });
  });

  it('takes other services only when told to, with the hash of the body', () => {
    const signed = signRequest({
      method: 'POST',
      endpoint: 'http://127.0.0.1:9000',
      path: '/',
      credentials: exampleCredentials,
      region: 'eu-west-1',
      service: 'sts',
      payload: emptySha256,
      nowMs,
      signingKeys,
    });
    const request = requestOf('POST', `${signed.url}`, signed.headers);
    assert.equal(refused(request, { nowMs }).code, 'AuthorizationHeaderMalformed');
    verify(request, { nowMs, services: ['s3', 'sts'] });
  });
});

describe('what must be signed', () => {
  it('refuses an x-amz- header that is not', () => {
    const put = signedPut();
    const error = refused({ ...put, headers: { ...put.headers, 'x-amz-acl': 'public-read' } }, { nowMs });
    assert.equal(error.code, 'AccessDenied');
    assert.equal(error.details?.HeadersNotSigned, 'x-amz-acl');
    const get = presigned();
    const query = refused({ ...get, headers: { ...get.headers, 'x-amz-acl': 'private' } }, { nowMs });
    assert.equal(query.code, 'AccessDenied');
  });

  it('refuses a request whose host is not', () => {
    const put = signedPut();
    const header = put.headers.authorization?.replace('host;', '');
    const error = refused({ ...put, headers: { ...put.headers, authorization: header } }, { nowMs });
    assert.equal(error.details?.HeadersNotSigned, 'host');
  });

  it('refuses a URL used without the header it signs', () => {
    const request = presigned({ headers: { 'x-amz-server-side-encryption': 'AES256' } });
    verify(request, { nowMs });
    const { 'x-amz-server-side-encryption': _, ...headers } = request.headers;
    assert.equal(refused({ ...request, headers }, { nowMs }).code, 'SignatureDoesNotMatch');
  });
});

describe('SignatureDoesNotMatch', () => {
  it('shows what the server signed, and no secret', () => {
    const request = { ...signedPut(), method: 'DELETE' };
    const error = refused(request, { nowMs });
    assert.equal(error.code, 'SignatureDoesNotMatch');
    const details = error.details ?? {};
    assert.equal(details.AWSAccessKeyId, exampleCredentials.accessKeyId);
    assert.match(details.StringToSign ?? '', /^AWS4-HMAC-SHA256\n20261121T120000Z\n/);
    assert.match(details.StringToSignBytes ?? '', /^41 57 53 34 2d [0-9a-f ]+[0-9a-f]$/);
    assert.match(details.CanonicalRequest ?? '', /^DELETE\n\/bucket\/a%20key\n/);
    assert.match(details.CanonicalRequestBytes ?? '', /^44 45 4c 45 54 45 0a /);
    assert.ok(!JSON.stringify(details).includes(secretAccessKey));
  });

  it('answers one changed bit anywhere', () => {
    const request = presigned({ headers: { 'x-amz-meta-a': 'some value' } });
    const authentication = parseAuthentication(request);
    assert.equal(authentication.mechanism, 'query');
    const texts = [request.rawPath, request.headers['x-amz-meta-a'] ?? '', ...request.query.map(([, value]) => value)];
    fc.assert(
      fc.property(fc.nat(texts.length - 1), fc.nat(), fc.integer({ min: 0, max: 6 }), (which, at, bit) => {
        const text = texts[which] ?? '';
        const index = at % text.length;
        const flipped = String.fromCharCode(text.charCodeAt(index) ^ (1 << bit));
        // The first character of a path is always a slash.
        if (which === 0 && index === 0) return;
        const changed = text.slice(0, index) + flipped + text.slice(index + 1);
        const altered: SignedRequest = {
          ...request,
          rawPath: which === 0 ? changed : request.rawPath,
          headers: which === 1 ? { ...request.headers, 'x-amz-meta-a': changed } : request.headers,
          query: request.query.map(([name, value], position) => [name, position === which - 2 ? changed : value]),
        };
        // An escape may be spelled in two ways (%2f, %2F) and a header's blanks in many: then it is the same request.
        if (which === 0 && decodeUri(changed) === decodeUri(text)) return;
        if (which === 1 && changed.trim().replace(/\s+/g, ' ') === text) return;
        refused(altered, { nowMs });
      }),
      { numRuns: 500 },
    );
  });

  it('answers a signature in upper case, or with characters that only look alike in Latin-1', () => {
    const request = signedPut();
    const header = request.headers.authorization ?? '';
    const signature = header.slice(-64);
    for (const other of [
      signature.toUpperCase(),
      signature.replace(/./, (c) => String.fromCharCode(c.charCodeAt(0) + 0x100)),
    ]) {
      const headers = { ...request.headers, authorization: header.slice(0, -64) + other };
      assert.equal(refused({ ...request, headers }, { nowMs }).code, 'SignatureDoesNotMatch');
    }
  });
});

describe('clients that sign in their own way', () => {
  it('may sign the path as they send it', () => {
    // A key that begins with a slash: old Java clients send it as %2F, and sign that.
    const asSent = signedByHand({ rawPath: '/bucket/%2Fkey', signedPath: '/bucket/%2Fkey' });
    verify(asSent, { nowMs });
    assert.equal(refused({ ...asSent, rawPath: '/bucket//key' }, { nowMs }).code, 'SignatureDoesNotMatch');
  });

  it('may send other escapes than they sign', () => {
    for (const rawPath of ['/bucket/%2Fk%65y(1)+%c3%a9', '/bucket//key%281%29%2b%C3%A9', '/bucket//key(1)+\xc3\xa9']) {
      verify(signedByHand({ rawPath, signedPath: '/bucket//key%281%29%2B%C3%A9' }), { nowMs });
    }
  });

  it('may send text beyond ASCII as UTF-8 or as Latin-1', () => {
    const request = signedPut({ 'x-amz-meta-name': 'Zoë' });
    verify(request, { nowMs });
    const asUtf8 = Buffer.from('Zoë', 'utf8').toString('latin1');
    verify({ ...request, headers: { ...request.headers, 'x-amz-meta-name': asUtf8 } }, { nowMs });
  });

  it('may date by the Date header alone', () => {
    for (const date of ['Sat, 21 Nov 2026 12:00:00 GMT', '20261121T120000Z']) {
      verify(signedByHand({ headers: { date } }), { nowMs });
    }
  });

  it('may leave the hash of the body to the server, when they speak to STS', () => {
    const request = signedByHand({ service: 'sts', payload: emptySha256, headers: { date: '20261121T120000Z' } });
    const services = ['sts'];
    verify(request, { nowMs, services, payloadSha256: emptySha256 });
    assert.equal(refused(request, { nowMs, services }).code, 'SignatureDoesNotMatch');
  });
});

/** A request signed step by step, as signers other than ours do it. */
function signedByHand(options: {
  readonly rawPath?: string;
  readonly signedPath?: string;
  readonly service?: string;
  readonly payload?: string;
  readonly headers?: Readonly<Record<string, string>>;
}): SignedRequest {
  const { rawPath = '/', signedPath = rawPath, service = 's3', payload = 'UNSIGNED-PAYLOAD' } = options;
  const headers: Record<string, string> = { host: 'localhost', ...options.headers };
  if (options.headers === undefined) headers['x-amz-date'] = '20261121T120000Z';
  if (service === 's3') headers['x-amz-content-sha256'] = payload;
  const signedHeaders = Object.keys(headers).sort().join(';');
  const scope = scopeOf({ region: 'eu-west-1', service }, '20261121T120000Z');
  const canonical = canonicalRequest({ method: 'GET', path: signedPath, query: '', headers, signedHeaders, payload });
  const key = signingKeys.get(exampleCredentials.accessKeyId, secretAccessKey, scope);
  const signature = key.sign(stringToSign('20261121T120000Z', scope.text, canonical));
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${exampleCredentials.accessKeyId}/${scope.text}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { method: 'GET', rawPath, query: [], headers };
}

function decodeUri(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
