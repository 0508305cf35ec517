import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from './http-date.ts';

const example = Date.UTC(1994, 10, 6, 8, 49, 37);

test('the three forms of RFC 9110 name one moment', () => {
  assert.equal(formatHttpDate(example + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), example);
  assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), example);
  assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994'), example);
});

test('the date that boto3 writes is read', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 -0000'), example);
});

test('what is no date is none', () => {
  for (const text of [
    '',
    'now',
    '0',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37 CET',
  ]) {
    assert.equal(parseHttpDate(text), undefined, text);
  }
});

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
      assert.equal(parseHttpDate(formatHttpDate(date.getTime())), Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
});
