import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SigningKey } from './signing-key.ts';

describe('SigningKey', () => {
  it('signs as createHmac does, whatever the key and the text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.string({ unit: 'binary', maxLength: 2000 }), (bytes, text) => {
        assert.equal(new SigningKey(bytes).sign(text), createHmac('sha256', bytes).update(text, 'utf8').digest('hex'));
      }),
    );
  });

  it('signs again as before, with other keys in between and texts of any length', () => {
    const one = new SigningKey(Buffer.from('one'));
    const other = new SigningKey(Buffer.from('other'));
    const texts = ['', 'short', 'é'.repeat(200), 'long'.repeat(20_000), 'short'];
    for (const text of texts) {
      const expected = createHmac('sha256', 'one').update(text, 'utf8').digest('hex');
      assert.equal(one.sign(text), expected);
      assert.notEqual(other.sign(text), expected);
      assert.equal(one.sign(text), expected);
    }
  });

  it('takes no key that HMAC would have to hash first', () => {
    assert.throws(() => new SigningKey(new Uint8Array(65)), RangeError);
  });
});
