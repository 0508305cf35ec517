// What listings give and take: url encoding and continuation tokens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeContinuationToken, encodeContinuationToken } from './continuation-token.ts';
import { encodeListed, parseEncodingType } from './list-encoding.ts';

test('encoding-type=url', () => {
  assert.equal(parseEncodingType(undefined), undefined);
  assert.equal(parseEncodingType('url'), 'url');
  assert.throws(() => parseEncodingType('base64'), { code: 'InvalidArgument' });
  assert.equal(encodeListed('foo+1/a b/é~', 'url'), 'foo%2B1/a%20b/%C3%A9%7E');
  assert.equal(encodeListed('foo+1/a b', undefined), 'foo+1/a b');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((key) => key.isWellFormed()),
      (key) => {
        const encoded = encodeListed(key, 'url');
        assert.match(encoded, /^[A-Za-z0-9/_.*%-]*$/);
        // Clients decode it as a URL or as a form: both must give the key.
        assert.equal(decodeURIComponent(encoded), key);
        assert.equal(new URLSearchParams(`k=${encoded}`).get('k'), key);
      },
    ),
  );
});

test('continuation tokens go there and back', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }).filter((key) => key.isWellFormed()),
      (key) => {
        assert.equal(decodeContinuationToken(encodeContinuationToken(key)), key);
      },
    ),
  );
  for (const token of [
    '',
    'x',
    'foo',
    '!!!',
    `${encodeContinuationToken('a')}=`,
    encodeContinuationToken('a'.repeat(1025)),
    'AWE ',
  ]) {
    assert.throws(() => decodeContinuationToken(token), { code: 'InvalidArgument' }, token);
  }
});
