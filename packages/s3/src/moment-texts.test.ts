import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { httpDateText, isoTimeText } from './moment-texts.ts';

describe('the texts of a moment', () => {
  const year9999 = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

  it('are those that Date writes, for any moment of any day', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e12, max: year9999 }), { minLength: 1 }), (moments) => {
        for (const moment of moments) {
          assert.equal(httpDateText(moment), new Date(moment).toUTCString());
          assert.equal(isoTimeText(moment), new Date(moment).toISOString());
        }
      }),
    );
  });

  it('change at midnight', () => {
    const midnight = Date.UTC(2026, 10, 22);
    assert.equal(isoTimeText(midnight - 1), '2026-11-21T23:59:59.999Z');
    assert.equal(isoTimeText(midnight), '2026-11-22T00:00:00.000Z');
    assert.equal(httpDateText(midnight - 1), 'Sat, 21 Nov 2026 23:59:59 GMT');
    assert.equal(httpDateText(midnight), 'Sun, 22 Nov 2026 00:00:00 GMT');
  });

  it('take fractions of a millisecond as Date does', () => {
    assert.equal(isoTimeText(1_700_000_000_123.9), new Date(1_700_000_000_123.9).toISOString());
  });

  it('are refused for what is no moment', () => {
    assert.throws(() => isoTimeText(Number.NaN), RangeError);
    assert.throws(() => isoTimeText(1e18), RangeError);
  });
});
