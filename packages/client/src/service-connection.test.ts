// A key that no header can carry is refused at once, and not tried again as if the network were away.

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
