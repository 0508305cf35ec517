// A key that no header can carry, and an address that none can be, are refused at once, and not tried again as if the network
// were away.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createServiceConnection } from './service-connection.ts';

it('a key with a line end is refused where it is given, without being repeated', () => {
  for (const apiKey of ['sk_hint\nsk_secret', 'sk_secret ', '']) {
    assert.throws(
      () => createServiceConnection({ baseUrl: '', apiKey, fetch }),
      (error: unknown) => error instanceof TypeError && !error.message.includes('secret '),
    );
  }
});

it('an empty key says that it is empty', () => {
  assert.throws(() => createServiceConnection({ baseUrl: '', apiKey: '', fetch }), /empty: is STOWAGE_API_KEY set\?/);
});

it('an address that cannot be one is refused where it is given, and no password is shown', () => {
  const unusable = [
    '127.0.0.1:3000',
    'localhost:3000',
    'files.example.com',
    '//files.example.com',
    'ftp://files.example.com',
    'http://',
    'https://user:word@files.example.com',
    'user:word@files.example.com',
    'https://files.example.com/?a=b',
    'https://files.example.com/#a',
    ' /files',
  ];
  for (const baseUrl of unusable) {
    assert.throws(
      () => createServiceConnection({ baseUrl, apiKey: undefined, fetch }),
      (error: unknown) =>
        error instanceof TypeError &&
        /^baseUrl: ".+" came, and .+ Expected http:\/\/ or https:\/\//.test(error.message) &&
        !error.message.includes('word@'),
      baseUrl,
    );
  }
});

it('an address is taken with and without a path, and so is a path of the page’s own origin', () => {
  const root = (baseUrl: string) => createServiceConnection({ baseUrl, apiKey: undefined, fetch }).url('/v1/files');
  assert.equal(root('https://files.example.com'), 'https://files.example.com/v1/files');
  assert.equal(root('HTTP://127.0.0.1:3000/'), 'http://127.0.0.1:3000/v1/files');
  assert.equal(root('https://example.com/files//'), 'https://example.com/files/v1/files');
  assert.equal(root('/files/'), '/files/v1/files');
  assert.equal(root('/'), '/v1/files');
  assert.equal(root(''), '/v1/files');
});

it('where there is no page, a missing address is told, and waiting does not help', async () => {
  const service = createServiceConnection({ baseUrl: '', apiKey: undefined, fetch });
  await assert.rejects(service.call({ method: 'GET', path: '/v1/session' }), {
    name: 'ClientError',
    retryable: false,
    message: /give baseUrl/,
  });
});
