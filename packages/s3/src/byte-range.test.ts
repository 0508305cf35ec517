import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatContentRange, parseCopySourceRange, parseRange } from './byte-range.ts';

test('a range is clamped to the object', () => {
  assert.deepEqual(parseRange('bytes=0-4', 10), { start: 0, end: 4 });
  assert.deepEqual(parseRange('bytes=4-', 10), { start: 4, end: 9 });
  assert.deepEqual(parseRange('bytes=4-99999999999999999999', 10), { start: 4, end: 9 });
  assert.deepEqual(parseRange('bytes=-3', 10), { start: 7, end: 9 });
  assert.deepEqual(parseRange('bytes=-30', 10), { start: 0, end: 9 });
  assert.deepEqual(parseRange('Bytes = 9-9 ', 10), { start: 9, end: 9 });
  assert.equal(formatContentRange({ start: 4, end: 9 }, 10), 'bytes 4-9/10');
});

test('what cannot be satisfied is refused with the size', () => {
  for (const [header, size] of [
    ['bytes=10-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-5', 0],
  ] as const) {
    assert.throws(() => parseRange(header, size), {
      code: 'InvalidRange',
      status: 416,
      details: { RangeRequested: header, ActualObjectSize: String(size) },
    });
  }
});

test('what is malformed, of another unit or a list is ignored', () => {
  for (const header of ['bytes=5-3', 'bytes=-', 'bytes=a-b', 'items=0-1', 'bytes=0-1,3-4', '', 'bytes', 'bytes=1--2']) {
    assert.equal(parseRange(header, 10), undefined, header);
  }
  assert.equal(parseRange(undefined, 10), undefined);
});

test("the range of a copy's source is strict", () => {
  assert.equal(parseCopySourceRange(undefined, 5), undefined);
  assert.deepEqual(parseCopySourceRange('bytes=0-4', 5), { start: 0, end: 4 });
  assert.throws(() => parseCopySourceRange('bytes=0-5', 5), { code: 'InvalidRange' });
  for (const header of [
    '0-2',
    'bytes=0',
    'bytes=hello-world',
    'bytes=0-bar',
    'bytes=hello-',
    'bytes=0-2,3-5',
    'bytes=-2',
    'bytes=2-1',
  ]) {
    assert.throws(() => parseCopySourceRange(header, 5), { code: 'InvalidArgument' }, header);
  }
});
