import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { count } from './count.ts';
import { formatMoment, formatSpan } from './time.ts';

describe('formatMoment', () => {
  const now = new Date(2026, 10, 20, 15, 0).getTime();
  const at = (...parts: [number, number, number, number, number]): string => new Date(...parts).toISOString();
  const cases: readonly [string, string][] = [
    [at(2026, 10, 20, 15, 0), 'now'],
    [at(2026, 10, 20, 14, 55), '5 minutes ago'],
    [at(2026, 10, 20, 9, 5), '9:05 AM'],
    [at(2026, 10, 19, 23, 59), 'yesterday'],
    [at(2026, 2, 3, 12, 0), 'Mar 3'],
    [at(2025, 2, 3, 12, 0), 'Mar 3, 2025'],
  ];
  // Newer Unicode data put a narrow no-break space before AM.
  const plain = (text: string): string => text.replaceAll('\u202f', ' ');
  for (const [iso, text] of cases) it(text, () => assert.equal(plain(formatMoment(iso, now, 'en')), text));
});

it('formatSpan rounds up and never says zero', () => {
  const spans = [0, 7.2, 59, 61, 3599, 3601].map((seconds) => formatSpan(seconds, 'en'));
  assert.deepEqual(spans, ['1 sec', '8 sec', '59 sec', '2 min', '60 min', '2 hr']);
});

it('count knows one from many', () => {
  assert.deepEqual([count(0, 'file'), count(1, 'file'), count(2, 'file')], ['0 files', '1 file', '2 files']);
});
