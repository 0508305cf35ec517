import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { afterKey, afterPrefix, objectKey, parseUploadKey, uploadKey, uploadPrefix } from './index-keys.ts';

const key = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
    fc.string({ unit: fc.constantFrom('a', 'b', '/', '\0', '\x01'), minLength: 1, maxLength: 6 }),
  )
  .filter((text) => text.isWellFormed() && text.length > 0);

describe('index keys', () => {
  it('sort objects by the bytes of their keys', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const expected = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        assert.equal(Math.sign(objectKey(7, a).compare(objectKey(7, b))), expected);
        assert.ok(objectKey(7, a).compare(objectKey(8, b)) < 0);
      }),
    );
  });

  it('sort uploads by key, then by initiation, and give both back', () => {
    const upload = fc.tuple(key, fc.integer({ min: 1, max: 2 ** 47 }));
    fc.assert(
      fc.property(upload, upload, ([a, first], [b, second]) => {
        const expected = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)) || first - second);
        assert.equal(Math.sign(uploadKey(7, a, first).compare(uploadKey(7, b, second))), expected);
        const { keyBytes, uploadSequence } = parseUploadKey(uploadKey(7, a, first));
        assert.deepEqual([keyBytes.toString(), uploadSequence], [a, first]);
        assert.equal(
          uploadKey(7, a + b, 1)
            .subarray(0, 7 + Buffer.byteLength(a))
            .equals(uploadPrefix(7, a)),
          true,
        );
      }),
    );
  });

  it('are short enough for LMDB, whatever the key', () => {
    for (const longest of ['\0'.repeat(1024), '\u{10FFFF}'.repeat(256)]) {
      assert.ok(uploadKey(2 ** 47, longest, 2 ** 47).length <= 1978);
    }
  });

  it('are followed by their successors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (prefix, rest) => {
        fc.pre(prefix[0] !== 255);
        const whole = Buffer.concat([prefix, rest]);
        assert.ok(whole.compare(afterPrefix(Buffer.from(prefix))) < 0);
        assert.ok(whole.compare(afterKey(whole)) < 0);
        assert.ok(Buffer.concat([whole, Buffer.of(0, 0)]).compare(afterKey(whole)) > 0);
      }),
    );
  });
});
