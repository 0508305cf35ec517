// What a file service cannot be without, looked at before anything is opened: who calls from JavaScript, or forgot a variable of the
// environment, is told of all that is missing or wrong at once. What only a room can judge (limits, policies), that room judges.

import type { FileServiceOptions } from './file-service-options.ts';

const minSecretBytes = 32;

/** @throws RangeError which names each option that is missing or unusable, what came and what was expected. */
export function requireOptions(options: FileServiceOptions): void {
  const given: unknown = options;
  const wrong: string[] = [];
  const expect = (name: string, value: unknown, isGood: (value: unknown) => boolean, expected: string): void => {
    if (!isGood(value)) wrong.push(`${name}: ${describe(name, value)} came; expected ${expected}.`);
  };

  const s3 = part(given, 's3');
  expect('s3', s3, isObject, '{ endpoint, region, bucket, credentials, forcePathStyle }');
  if (isObject(s3)) {
    expect('s3.endpoint', part(s3, 'endpoint'), isWebAddress, 'http:// or https://, host and port');
    expect('s3.region', part(s3, 'region'), isText, 'a name, e.g. "us-east-1"');
    expect('s3.bucket', part(s3, 'bucket'), isText, 'a name');
    const keys = part(s3, 'credentials');
    expect('s3.credentials', keys, isObject, '{ accessKeyId, secretAccessKey }');
    if (isObject(keys)) {
      expect('s3.credentials.accessKeyId', part(keys, 'accessKeyId'), isText, 'the id of a key');
      expect('s3.credentials.secretAccessKey', part(keys, 'secretAccessKey'), isText, 'its secret');
    }
    expect('s3.forcePathStyle', part(s3, 'forcePathStyle'), isBoolean, 'true or false; only Amazon S3 wants false');
  }
  const database = part(given, 'database');
  const isDatabase = (value: unknown) => isText(part(value, 'path')) || isText(part(value, 'url'));
  expect('database', database, isDatabase, "{ path } of SQLite's file, or { url } of PostgreSQL");
  expect(
    'secret',
    part(given, 'secret'),
    isSecret,
    `a Uint8Array of at least ${minSecretBytes} bytes, always the same`,
  );
  const publicUrl = part(given, 'publicUrl');
  if (publicUrl !== undefined) expect('publicUrl', publicUrl, isWebAddress, 'e.g. "https://files.example.com"');
  if (wrong.length > 0) throw new RangeError(`The file service lacks what it needs:\n${wrong.join('\n')}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function part(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isWebAddress(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}

function isSecret(value: unknown): boolean {
  return value instanceof Uint8Array && value.byteLength >= minSecretBytes;
}

/** What came, as far as it may be shown: nothing of secrets and of addresses, which may hold one. */
function describe(name: string, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === '') return 'an empty text';
  if (value instanceof Uint8Array) return `a Uint8Array of ${value.byteLength} bytes`;
  const mayBeShown = /endpoint|publicUrl/.test(name) && typeof value === 'string' && !value.includes('@');
  if (mayBeShown) return JSON.stringify(value);
  return value === null ? 'null' : `a value of type ${typeof value}`;
}
