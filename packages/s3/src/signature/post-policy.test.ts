// The forms are those of AWS's example and of the cases that the public S3 test suite tries.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { parsePostAuthentication, postObjectKey, readPostFields } from './post-form.ts';
import {
  type ContentLengthRange,
  checkContentLength,
  maxPolicyCharacters,
  maxPolicyConditions,
} from './post-policy.ts';
import { exampleCredentials } from './requests.fixture.ts';
import { signPostPolicy } from './sign-post-policy.ts';
import { SigningKeys } from './signing-keys.ts';
import { verifyPostPolicy } from './verify-post-policy.ts';

const { accessKeyId, secretAccessKey } = exampleCredentials;
const nowMs = Date.UTC(2026, 10, 21, 12);
const expiration = '2026-11-21T13:00:00Z';
const signingKeys = new SigningKeys();

type Form = Readonly<Record<string, string>>;

function judge(
  form: Form,
  overrides: { bucket?: string; nowMs?: number; fileName?: string; region?: string } = {},
): ContentLengthRange | undefined {
  const fields = readPostFields(Object.entries(form));
  const authentication = parsePostAuthentication(fields);
  if (authentication.mechanism === 'anonymous') assert.fail('the form is anonymous');
  const key = postObjectKey(fields, overrides.fileName ?? 'foo.txt');
  const { bucket = 'bucket', region } = overrides;
  const options = { secretAccessKey, nowMs: overrides.nowMs ?? nowMs, bucket, key, region, signingKeys };
  return verifyPostPolicy(fields, authentication, options).contentLengthRange;
}

/** A form whose policy is signed the old way, as old pages do. */
function version2(policy: unknown, form: Form = {}): Form {
  const text = typeof policy === 'string' ? policy : Buffer.from(JSON.stringify(policy)).toString('base64');
  const signature = createHmac('sha1', secretAccessKey).update(text).digest('base64');
  const fields = { key: 'foo.txt', AWSAccessKeyId: accessKeyId, acl: 'private', 'Content-Type': 'text/plain' };
  return { ...fields, signature, policy: text, ...form };
}

const conditions: readonly unknown[] = [
  { bucket: 'bucket' },
  ['starts-with', '$key', 'foo'],
  { acl: 'private' },
  ['starts-with', '$Content-Type', 'text/plain'],
  ['content-length-range', 0, 1024],
];

describe("AWS's published example", () => {
  // Line ends are part of what was signed.
  const policy = Buffer.from(
    [
      '{ "expiration": "2015-12-30T12:00:00.000Z",',
      '  "conditions": [',
      '    {"bucket": "sigv4examplebucket"},',
      '    ["starts-with", "$key", "user/user1/"],',
      '    {"acl": "public-read"},',
      '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
      '    ["starts-with", "$Content-Type", "image/"],',
      '    {"x-amz-meta-uuid": "14365123651274"},',
      '    {"x-amz-server-side-encryption": "AES256"},',
      '    ["starts-with", "$x-amz-meta-tag", ""],',
      '',
      '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
      '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
      '    {"x-amz-date": "20151229T000000Z" }',
      '  ]',
      '}',
    ].join('\r\n'),
  ).toString('base64');
  const form: Form = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
    key: 'user/user1/${filename}',
    acl: 'public-read',
    success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
    'Content-Type': 'image/jpeg',
    'x-amz-meta-uuid': '14365123651274',
    'x-amz-server-side-encryption': 'AES256',
    'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Date': '20151229T000000Z',
    'x-amz-meta-tag': '',
    Policy: policy,
    'X-Amz-Signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  };
  const options = { bucket: 'sigv4examplebucket', nowMs: Date.UTC(2015, 11, 29), region: 'us-east-1' };

  it('verifies', () => assert.equal(judge(form, options), undefined));

  it('does not with another bucket, later, or changed', () => {
    assert.throws(() => judge(form, { ...options, bucket: 'other' }), { code: 'AccessDenied' });
    assert.throws(() => judge(form, { ...options, nowMs: Date.UTC(2015, 11, 31) }), { code: 'AccessDenied' });
    assert.throws(() => judge({ ...form, 'x-amz-meta-uuid': '1' }, options), { code: 'AccessDenied' });
    assert.throws(() => judge({ ...form, Policy: `${policy} ` }, options), { code: 'SignatureDoesNotMatch' });
  });
});

describe('a form that keeps to its policy', () => {
  const good: readonly (readonly [what: string, conditions: readonly unknown[], form: Form])[] = [
    ['as it is', conditions, {}],
    ['with fields that are ignored', conditions, { 'x-ignore-foo': 'bar' }],
    ['with a checksum', conditions, { 'x-amz-checksum-sha256': 'aTL9MeXa9HObn6eP93eygxsJlcwdCwCTysgGAZAgE7w=' }],
    ['with metadata', [...conditions, ['starts-with', '$x-amz-meta-foo', 'bar']], { 'x-amz-meta-foo': 'barclamp' }],
    ['with numbers as text', [...conditions.slice(0, 4), ['content-length-range', '0', '1024']], {}],
    [
      'in any case',
      [{ bUcKeT: 'bucket' }, ['StArTs-WiTh', '$KeY', 'foo'], { AcL: 'private' }, ['eq', '$CoNtEnT-TyPe', 'text/plain']],
      {},
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
    ["with the file's name for a key", conditions, { key: '${filename}' }],
    ['with odd characters', [...conditions, ['starts-with', '$key', '\\$foo']].toSpliced(1, 1), { key: '\\$foo.txt' }],
  ];
  for (const [what, list, form] of good) {
    it(what, () => void judge(version2({ expiration, conditions: list }, form)));
  }

  it('also with milliseconds in its expiration', () => {
    assert.deepEqual(judge(version2({ expiration: '2026-11-21T13:00:00.000Z', conditions })), {
      minBytes: 0,
      maxBytes: 1024,
    });
  });

  it('and leaves the narrowest of its ranges to be enforced', () => {
    const ranges = [...conditions, ['content-length-range', 10, 5000]];
    assert.deepEqual(judge(version2({ expiration, conditions: ranges })), { minBytes: 10, maxBytes: 1024 });
  });
});

describe('a form that does not', () => {
  const bad: readonly (readonly [what: string, form: Form, code: string, message: RegExp])[] = [
    [
      'expired',
      version2({ expiration: '2026-11-21T11:59:59Z', conditions }),
      'AccessDenied',
      /^Invalid according to Policy: Policy expired\.$/,
    ],
    [
      'a condition that fails',
      version2({ expiration, conditions }, { acl: 'public-read' }),
      'AccessDenied',
      /Policy Condition failed: \["eq","\$acl","private"\]/,
    ],
    [
      'a field that is missing',
      version2({ expiration, conditions: [...conditions, ['starts-with', '$x-amz-meta-foo', 'bar']] }),
      'AccessDenied',
      /Condition failed/,
    ],
    [
      'a field with another value',
      version2({ expiration, conditions: [...conditions, ['eq', '$x-amz-meta-foo', '']] }, { 'x-amz-meta-foo': 'x' }),
      'AccessDenied',
      /Condition failed/,
    ],
    [
      'a field that no condition names',
      version2({ expiration, conditions }, { 'x-amz-meta-foo': 'bar' }),
      'AccessDenied',
      /Extra input fields: x-amz-meta-foo/,
    ],
    [
      'no condition on the bucket',
      version2({ expiration, conditions: conditions.slice(1) }),
      'AccessDenied',
      /Extra input fields: bucket/,
    ],
    [
      'another bucket, whatever the form says',
      version2({ expiration, conditions: [{ bucket: 'other' }, ...conditions.slice(1)] }, { bucket: 'other' }),
      'AccessDenied',
      /Condition failed/,
    ],
    ['another key', version2({ expiration, conditions }, { key: 'bar' }), 'AccessDenied', /Condition failed/],
    ['a wrong signature', version2({ expiration, conditions }, { signature: 'AAAA' }), 'SignatureDoesNotMatch', /./],
    [
      'a date in words',
      version2({ expiration: '2026-11-21 13:00:00+00:00', conditions }),
      'InvalidPolicyDocument',
      /'expiration'/,
    ],
    ['an expiration that is a number', version2({ expiration: 1, conditions }), 'InvalidPolicyDocument', /expiration/],
    ['a day that is none', version2({ expiration: '2026-13-41T13:00:00Z', conditions }), 'InvalidPolicyDocument', /./],
    ['no expiration', version2({ conditions }), 'InvalidPolicyDocument', /missing expiration/],
    ['EXPIRATION', version2({ EXPIRATION: expiration, conditions }), 'InvalidPolicyDocument', /missing expiration/],
    ['no conditions', version2({ expiration }), 'InvalidPolicyDocument', /missing conditions/],
    ['CONDITIONS', version2({ expiration, CONDITIONS: conditions }), 'InvalidPolicyDocument', /missing conditions/],
    ['conditions that are no list', version2({ expiration, conditions: {} }), 'InvalidPolicyDocument', /List/],
    ['an empty condition', version2({ expiration, conditions: [{}] }), 'InvalidPolicyDocument', /exactly one/],
    ['a condition of two', version2({ expiration, conditions: [{ a: '1', b: '2' }] }), 'InvalidPolicyDocument', /one/],
    ['a number for a value', version2({ expiration, conditions: [{ a: 1 }] }), 'InvalidPolicyDocument', /string/],
    ['half a range', version2({ expiration, conditions: [['content-length-range', 0]] }), 'InvalidPolicyDocument', /./],
    [
      'a negative range',
      version2({ expiration, conditions: [['content-length-range', -1, 0]] }),
      'InvalidPolicyDocument',
      /content-length-range/,
    ],
    [
      'an unknown operation',
      version2({ expiration, conditions: [['ends', '$a', 'b']] }),
      'InvalidPolicyDocument',
      /ends/,
    ],
    ['a field without $', version2({ expiration, conditions: [['eq', 'a', 'b']] }), 'InvalidPolicyDocument', /\$field/],
    [
      'too many conditions',
      version2({ expiration, conditions: Array.from({ length: maxPolicyConditions + 1 }, () => ({ a: 'b' })) }),
      'InvalidPolicyDocument',
      /allowed/,
    ],
    ['too long a policy', version2('a'.repeat(maxPolicyCharacters + 1)), 'InvalidPolicyDocument', /characters/],
    ['no base64', version2('{}'), 'InvalidPolicyDocument', /base64/],
    ['no JSON', version2(Buffer.from('{').toString('base64')), 'InvalidPolicyDocument', /JSON/],
    ['no UTF-8', version2(Buffer.from('{"a":"\xff"}', 'latin1').toString('base64')), 'InvalidPolicyDocument', /JSON/],
    ['no object', version2([]), 'InvalidPolicyDocument', /object/],
  ];
  for (const [what, form, code, message] of bad) {
    it(`${what}: ${code}`, () => assert.throws(() => judge(form), { code, message }));
  }
});

describe('the fields of a form', () => {
  const without = (name: string): Form => {
    const form: Record<string, string> = { ...version2({ expiration, conditions }) };
    delete form[name];
    return form;
  };

  it('must be there', () => {
    for (const name of ['key', 'signature', 'AWSAccessKeyId', 'policy']) {
      assert.throws(() => judge(without(name)), { code: 'InvalidArgument', message: new RegExp(`'${name}'`) });
    }
  });

  it('must not be there twice, in any case', () => {
    assert.throws(() => judge({ ...version2({ expiration, conditions }), KEY: 'foo' }), { code: 'InvalidArgument' });
  });

  it('must not sign in two ways', () => {
    const form = { ...version2({ expiration, conditions }), 'x-amz-signature': 'a' };
    assert.throws(() => judge(form), { code: 'InvalidArgument' });
  });

  it('without policy and signature are anonymous', () => {
    const fields = readPostFields([['key', 'foo']]);
    assert.deepEqual(parsePostAuthentication(fields), { mechanism: 'anonymous' });
  });

  it("put the last segment of the file's name into the key", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
    const fields = readPostFields([['Key', 'a/${filename}/${filename}']]);
    assert.equal(postObjectKey(fields, 'C:\\Program Files\\x $& y.txt'), 'a/x $& y.txt/x $& y.txt');
    assert.equal(postObjectKey(fields, '/home/x'), 'a/x/x');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
    const nameOnly = readPostFields([['key', '${filename}']]);
    assert.throws(() => postObjectKey(nameOnly, 'folder/'), { code: 'InvalidArgument' });
  });
});

describe('signPostPolicy', () => {
  const form = signPostPolicy({
    bucket: 'bucket',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
    key: 'in/${filename}',
    fields: { 'Content-Type': 'image/png', success_action_status: '201' },
    conditions: [
      ['content-length-range', 1, 1000],
      ['starts-with', '$x-amz-meta-note', ''],
    ],
    expiresAtMs: nowMs + 60_000,
    credentials: { ...exampleCredentials, sessionToken: 'token' },
    region: 'eu-west-1',
    nowMs,
    signingKeys,
  });

  it('makes a form that verifies', () => {
    assert.deepEqual(judge(form, { region: 'eu-west-1' }), { minBytes: 1, maxBytes: 1000 });
    judge({ ...form, 'x-amz-meta-note': 'anything' });
    const read = parsePostAuthentication(readPostFields(Object.entries(form)));
    assert.equal(read.mechanism === 'post-v4' && read.sessionToken, 'token');
  });

  it('whose every field is fixed', () => {
    for (const [name, value] of Object.entries(form)) {
      if (name === 'bucket') continue; // The URL's bucket counts, and it is tried above.
      assert.throws(() => judge({ ...form, [name]: `x${value}` }), name);
    }
    assert.throws(() => judge({ ...form, 'x-amz-acl': 'public-read' }), { code: 'AccessDenied' });
    assert.throws(() => judge(form, { nowMs: nowMs + 61_000 }), { code: 'AccessDenied' });
    assert.throws(() => judge(form, { region: 'us-east-1' }), { code: 'AuthorizationQueryParametersError' });
  });
});

describe('checkContentLength', () => {
  it('takes both ends of the range, and nothing beyond', () => {
    const range = { minBytes: 10, maxBytes: 20 };
    checkContentLength(undefined, 0);
    checkContentLength(range, 10);
    checkContentLength(range, 20);
    assert.throws(() => checkContentLength(range, 9), { code: 'EntityTooSmall' });
    assert.throws(() => checkContentLength(range, 21), { code: 'EntityTooLarge' });
  });
});
