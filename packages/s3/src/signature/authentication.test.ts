import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S3Error } from '../errors.ts';
import { parseAuthentication } from './authentication.ts';
import { requestOf } from './requests.fixture.ts';
import type { SignedRequest } from './signed-request.ts';

const signature = 'a'.repeat(64);
const credential = 'AKID/20261121/us-east-1/s3/aws4_request';
const header = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
const headers = { authorization: header, 'x-amz-date': '20261121T120000Z', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
const base = 'http://localhost:9000/bucket/key';

const queryParameters: Readonly<Record<string, string>> = {
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': credential,
  'X-Amz-Date': '20261121T120000Z',
  'X-Amz-Expires': '60',
  'X-Amz-SignedHeaders': 'host',
  'X-Amz-Signature': signature,
};

function queryOf(changes: Readonly<Record<string, string | undefined>> = {}): SignedRequest {
  const pairs = Object.entries({ ...queryParameters, ...changes });
  const query = pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return { ...requestOf('GET', base), query };
}

function headerOf(changes: Readonly<Record<string, string | undefined>>): SignedRequest {
  return { ...requestOf('GET', base), headers: { host: 'localhost', ...headers, ...changes } };
}

function refusal(request: SignedRequest): S3Error {
  try {
    parseAuthentication(request);
  } catch (error) {
    assert.ok(error instanceof S3Error, String(error));
    return error;
  }
  assert.fail('the request was not refused');
}

describe('parseAuthentication', () => {
  it('reads a signed header', () => {
    assert.deepEqual(parseAuthentication(requestOf('GET', base, headers)), {
      mechanism: 'header',
      accessKeyId: 'AKID',
      scope: { date: '20261121', region: 'us-east-1', service: 's3', text: '20261121/us-east-1/s3/aws4_request' },
      signedHeaders: 'host;x-amz-date',
      signature,
      timestamp: '20261121T120000Z',
      timestampMs: Date.UTC(2026, 10, 21, 12),
      payload: { kind: 'unsigned', text: 'UNSIGNED-PAYLOAD' },
      sessionToken: undefined,
    });
  });

  it('reads a presigned query', () => {
    const read = parseAuthentication(queryOf({ 'X-Amz-Security-Token': 'token' }));
    assert.equal(read.mechanism, 'query');
    if (read.mechanism !== 'query') return;
    assert.equal(read.expiresSeconds, 60);
    assert.equal(read.sessionToken, 'token');
    assert.deepEqual(read.payload, { kind: 'unsigned', text: 'UNSIGNED-PAYLOAD' });
  });

  it("takes a query-signed request's hash of the body from a signed header, else from the query", () => {
    const request = queryOf({ 'X-Amz-Content-Sha256': 'b'.repeat(64) });
    const withHeader = { ...request, headers: { ...request.headers, 'x-amz-content-sha256': 'c'.repeat(64) } };
    assert.equal(parseAuthentication(withHeader).payload.text, 'b'.repeat(64));
    const signed = queryOf({ 'X-Amz-SignedHeaders': 'host;x-amz-content-sha256' });
    assert.equal(parseAuthentication({ ...signed, headers: withHeader.headers }).payload.text, 'c'.repeat(64));
  });

  it('knows an anonymous request, also one with an empty Authorization header', () => {
    assert.deepEqual(parseAuthentication(requestOf('GET', `${base}?versionId=1`)), {
      mechanism: 'anonymous',
      payload: { kind: 'absent', text: '' },
    });
    assert.equal(parseAuthentication(requestOf('GET', base, { authorization: '' })).mechanism, 'anonymous');
    const chunked = requestOf('PUT', base, { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' });
    assert.deepEqual(parseAuthentication(chunked).payload, {
      kind: 'chunked',
      mode: 'unsigned-trailer',
      text: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    });
  });

  const refused: readonly (readonly [what: string, request: SignedRequest, code: string, message: RegExp])[] = [
    ['Signature V2', headerOf({ authorization: 'AWS AKID:c2ln' }), 'InvalidRequest', /Please use AWS4-HMAC-SHA256\.$/],
    ['a torn Signature V2', headerOf({ authorization: 'AWS HAHAHA' }), 'InvalidArgument', /AwsAccessKeyId:signature/],
    [
      'Signature V2 in the query',
      requestOf('GET', `${base}?AWSAccessKeyId=AKID&Expires=1&Signature=c2ln`),
      'InvalidRequest',
      /Please use AWS4-HMAC-SHA256\.$/,
    ],
    ['Signature V4A', headerOf({ authorization: 'AWS4-ECDSA-P256-SHA256 x' }), 'InvalidRequest', /not supported/],
    ['another scheme', headerOf({ authorization: 'Bearer abc' }), 'InvalidArgument', /Unsupported Authorization Type/],
    [
      'two mechanisms',
      { ...headerOf({}), query: queryOf().query },
      'InvalidArgument',
      /Only one auth mechanism allowed/,
    ],
    ['no date', headerOf({ 'x-amz-date': undefined }), 'AccessDenied', /valid Date or x-amz-date header$/],
    ['an empty date', headerOf({ 'x-amz-date': '' }), 'AccessDenied', /valid Date or x-amz-date header$/],
    ['a bad date', headerOf({ 'x-amz-date': 'Bad Date' }), 'AccessDenied', /valid Date or x-amz-date header$/],
    [
      'a date before the epoch',
      headerOf({ 'x-amz-date': 'Tue, 07 Jul 1950 21:53:04 GMT' }),
      'AccessDenied',
      /valid Date or x-amz-date header$/,
    ],
    ['a day that is none', headerOf({ 'x-amz-date': '20260231T120000Z' }), 'AccessDenied', /valid Date/],
    ['no hash', headerOf({ 'x-amz-content-sha256': undefined }), 'InvalidRequest', /x-amz-content-sha256$/],
    ['a wrong hash', headerOf({ 'x-amz-content-sha256': 'abc' }), 'InvalidArgument', /or a valid sha256 value/],
    [
      'a V4A chunked body',
      headerOf({ 'x-amz-content-sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' }),
      'NotImplemented',
      /AWS4-HMAC-SHA256/,
    ],
    [
      'a header of nothing but the algorithm',
      headerOf({ authorization: 'AWS4-HMAC-SHA256' }),
      'AuthorizationHeaderMalformed',
      /requires Credential/,
    ],
    ['no equals sign', headerOf({ authorization: `${header},x` }), 'AuthorizationHeaderMalformed', /"x" is malformed/],
    [
      'a component given twice',
      headerOf({ authorization: `${header},Signature=b` }),
      'AuthorizationHeaderMalformed',
      /given twice/,
    ],
    [
      'no signed headers',
      headerOf({ authorization: header.replace('host;x-amz-date', '') }),
      'AuthorizationHeaderMalformed',
      /SignedHeaders/,
    ],
    [
      'signed headers in upper case',
      headerOf({ authorization: header.replace('host;x-amz-date', 'Host') }),
      'AuthorizationHeaderMalformed',
      /lower-case/,
    ],
    [
      'a credential of four parts',
      headerOf({ authorization: header.replace('/s3', '') }),
      'AuthorizationHeaderMalformed',
      /expecting "<YOUR-AKID>\/YYYYMMDD/,
    ],
    [
      'another terminal',
      headerOf({ authorization: header.replace('aws4_request', 'aws5_request') }),
      'AuthorizationHeaderMalformed',
      /terminal/,
    ],
    [
      "a scope of another day than the request's",
      headerOf({ 'x-amz-date': '20261122T000000Z' }),
      'AuthorizationHeaderMalformed',
      /not the same as X-Amz-Date/,
    ],
    [
      'an algorithm unknown to the query',
      queryOf({ 'X-Amz-Algorithm': 'AWS4-HMAC-SHA1' }),
      'AuthorizationQueryParametersError',
      /only supports/,
    ],
    ['a date in words', queryOf({ 'X-Amz-Date': 'today' }), 'AuthorizationQueryParametersError', /yyyyMMdd/],
    ['an Expires in words', queryOf({ 'X-Amz-Expires': 'abc' }), 'AuthorizationQueryParametersError', /be a number/],
    ['a negative Expires', queryOf({ 'X-Amz-Expires': '-1' }), 'AuthorizationQueryParametersError', /positive/],
    ['an Expires of nothing', queryOf({ 'X-Amz-Expires': '0' }), 'AuthorizationQueryParametersError', /positive/],
    [
      'an Expires of more than a week',
      queryOf({ 'X-Amz-Expires': '604801' }),
      'AuthorizationQueryParametersError',
      /less than a week.*604800/,
    ],
  ];
  for (const [what, request, code, message] of refused) {
    it(`refuses ${what}: ${code}`, () => {
      const error = refusal(request);
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }

  it('takes a presigned URL with a parameter torn off for a broken one, never for an anonymous one', () => {
    for (const name of Object.keys(queryParameters)) {
      assert.equal(refusal(queryOf({ [name]: undefined })).code, 'AuthorizationQueryParametersError', name);
    }
  });

  it('refuses a parameter given twice', () => {
    const request = queryOf();
    const query = [...request.query, ['X-Amz-Signature', signature] as const];
    assert.equal(refusal({ ...request, query }).code, 'AuthorizationQueryParametersError');
  });

  it("does not repeat another service's token in its answer", () => {
    assert.ok(!JSON.stringify(refusal(headerOf({ authorization: 'Bearer topsecret' })).details).includes('topsecret'));
  });
});
