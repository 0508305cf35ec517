import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError } from './command-error.ts';
import { environmentHelp, readEnvironment } from './environment.ts';

test('nothing set means nothing said', () => {
  assert.deepEqual(readEnvironment({ PATH: '/bin', STOWAGE_PORT: '' }), { plain: false });
});

test('every variable becomes its value', () => {
  const read = readEnvironment({
    STOWAGE_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    STOWAGE_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCY',
    STOWAGE_DATA: '/srv/data',
    STOWAGE_HOST: '0.0.0.0',
    STOWAGE_PORT: '8080',
    STOWAGE_DURABILITY: 'interval=50',
    STOWAGE_LOG_FORMAT: 'json',
    STOWAGE_LOG_LEVEL: 'debug',
    NO_COLOR: '1',
  });
  assert.deepEqual(read, {
    rootKey: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCY' },
    data: '/srv/data',
    host: '0.0.0.0',
    port: 8080,
    durability: { level: 'interval', intervalMs: 50 },
    logFormat: 'json',
    logLevel: 'debug',
    plain: true,
  });
});

test('half a key is refused', () => {
  for (const name of ['STOWAGE_ACCESS_KEY_ID', 'STOWAGE_SECRET_ACCESS_KEY']) {
    assert.throws(() => readEnvironment({ [name]: 'long-enough' }), /only one is set/);
  }
});

test('everything wrong is in one message', () => {
  const wrong = Object.fromEntries(Object.keys(environmentHelp).map((name) => [name, '\u0000 no']));
  assert.throws(
    () => readEnvironment(wrong),
    (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exit, 'usage');
      for (const name of Object.keys(environmentHelp)) assert.ok(error.message.includes(`${name}: `), name);
      return true;
    },
  );
});
