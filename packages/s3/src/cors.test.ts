import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corsHeaders, matchCors, parseRequestHeaderNames } from './cors.ts';
import {
  type CorsRule,
  readCorsConfigurationDocument,
  writeCorsConfigurationDocument,
} from './documents/cors-configuration.ts';

function rule(changes: Partial<CorsRule> = {}): CorsRule {
  return { allowedMethods: ['GET'], allowedOrigins: ['*'], allowedHeaders: [], exposeHeaders: [], ...changes };
}

const document = (rules: string): Uint8Array => Buffer.from(`<CORSConfiguration>${rules}</CORSConfiguration>`);

test('a document is read as it was written', () => {
  const rules = [
    rule({ id: 'a & b', allowedMethods: ['PUT', 'HEAD'], allowedOrigins: ['https://*.example.com', 'http://x'] }),
    rule({ allowedHeaders: ['x-amz-*', '*'], exposeHeaders: ['ETag'], maxAgeSeconds: 0 }),
  ];
  assert.deepEqual(readCorsConfigurationDocument(Buffer.from(writeCorsConfigurationDocument(rules))), rules);
});

test('what AWS refuses is refused', () => {
  const good = '<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>';
  const wrap = (content: string): Uint8Array => document(`<CORSRule>${content}</CORSRule>`);
  assert.equal(readCorsConfigurationDocument(document(`<CORSRule>${good}</CORSRule>`.repeat(100))).length, 100);
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [document(''), 'MalformedXML'],
    [wrap('<AllowedMethod>GET</AllowedMethod>'), 'MalformedXML'],
    [wrap('<AllowedOrigin>*</AllowedOrigin>'), 'MalformedXML'],
    [wrap(`${good}<Foo/>`), 'MalformedXML'],
    [wrap(`${good}<MaxAgeSeconds>x</MaxAgeSeconds>`), 'MalformedXML'],
    [wrap(`${good}<AllowedMethod>OPTIONS</AllowedMethod>`), 'InvalidRequest'],
    [wrap(`${good}<AllowedMethod>get</AllowedMethod>`), 'InvalidRequest'],
    [wrap(`${good}<AllowedOrigin>http://*.*</AllowedOrigin>`), 'InvalidRequest'],
    [wrap(`${good}<AllowedHeader>*-*</AllowedHeader>`), 'InvalidRequest'],
    [wrap(`${good}<ExposeHeader>x-*</ExposeHeader>`), 'InvalidRequest'],
    [wrap(`${good}<ExposeHeader>a&#13;&#10;b</ExposeHeader>`), 'InvalidRequest'],
    [wrap(`${good}<ID>${'i'.repeat(256)}</ID>`), 'InvalidRequest'],
    [document(`<CORSRule>${good}</CORSRule>`.repeat(101)), 'InvalidRequest'],
    [document(`<CORSRule>${good}${' '.repeat(65_536)}</CORSRule>`), 'MaxMessageLengthExceeded'],
  ];
  for (const [bytes, code] of cases) assert.throws(() => readCorsConfigurationDocument(bytes), { code });
});

test('the first rule that fits origin, method and headers counts', () => {
  const rules = [
    rule({ allowedOrigins: ['*suffix'] }),
    rule({ allowedOrigins: ['start*end'], maxAgeSeconds: 5 }),
    rule({ allowedOrigins: ['https://app'], allowedMethods: ['PUT'], allowedHeaders: ['X-Amz-*'] }),
  ];
  const matched = (origin: string, method = 'GET', requestHeaders: string[] = []): number => {
    const found = matchCors(rules, { origin, method, requestHeaders });
    return found === undefined ? -1 : rules.indexOf(found);
  };
  assert.equal(matched('foo.suffix'), 0);
  assert.equal(matched('foo.suffix.get'), -1);
  assert.equal(matched('startend'), 1);
  assert.equal(matched('start1end'), 1);
  assert.equal(matched('0start12end'), -1);
  assert.equal(matched('starend'), -1);
  assert.equal(matched('https://app'), -1);
  assert.equal(matched('https://app', 'PUT', ['x-amz-date', 'X-AMZ-ACL']), 2);
  assert.equal(matched('https://app', 'PUT', ['content-type']), -1);
  assert.equal(matched('HTTPS://APP', 'PUT'), -1);
});

test('the headers of the answer', () => {
  const request = {
    origin: 'https://app',
    method: 'PUT',
    requestHeaders: parseRequestHeaderNames('Content-Type, X-Id,'),
  };
  assert.deepEqual(corsHeaders(rule({ exposeHeaders: ['ETag'] }), { ...request, requestHeaders: [] }), [
    'access-control-allow-origin',
    '*',
    'access-control-allow-methods',
    'GET',
    'access-control-expose-headers',
    'ETag',
    'vary',
    'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  ]);
  assert.deepEqual(corsHeaders(rule({ allowedOrigins: ['https://*'], maxAgeSeconds: 9 }), request), [
    'access-control-allow-origin',
    'https://app',
    'access-control-allow-methods',
    'GET',
    'access-control-allow-credentials',
    'true',
    'access-control-allow-headers',
    'content-type, x-id',
    'access-control-max-age',
    '9',
    'vary',
    'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  ]);
});
