import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shownSize } from './shown-size.ts';

describe('shownSize', () => {
  const cases: readonly [number, string][] = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [1530, '1.53 kB'],
    [15_300, '15.3 kB'],
    [999_600, '1 MB'],
    [300_000_000, '300 MB'],
    [5e12, '5 TB'],
  ];
  for (const [bytes, text] of cases) it(`${bytes} is ${text}`, () => assert.equal(shownSize(bytes, 'en'), text));
  it('speaks other languages', () => assert.equal(shownSize(1530, 'de'), '1,53 kB'));
  it('has rates', () => assert.equal(shownSize(12_340_000, 'en', '-per-second'), '12.3 MB/s'));
});
