import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ifRangeHolds,
  judgeCopySource,
  judgeRead,
  parseCopySourceConditions,
  parseReadConditions,
  parseWriteConditions,
} from './conditions.ts';
import { formatHttpDate } from './http-date.ts';

const object = { etag: 'abc', lastModifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
const same = formatHttpDate(object.lastModifiedMs);
const before = formatHttpDate(object.lastModifiedMs - 1000);
const after = formatHttpDate(object.lastModifiedMs + 1000);

function read(headers: Record<string, string>): string {
  const conditions = parseReadConditions(headers);
  if (conditions === undefined) return 'none';
  try {
    return judgeRead(conditions, object);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('conditions of a read', () => {
  assert.equal(read({}), 'none');
  assert.equal(read({ 'if-match': '"abc"' }), 'send');
  assert.equal(read({ 'if-match': 'abc' }), 'send');
  assert.equal(read({ 'if-match': '*' }), 'send');
  assert.equal(read({ 'if-match': '"x", "abc"' }), 'send');
  assert.equal(read({ 'if-match': '"x,abc"' }), 'PreconditionFailed');
  assert.equal(read({ 'if-match': 'W/"abc"' }), 'PreconditionFailed');
  assert.equal(read({ 'if-none-match': 'W/"abc"' }), 'not-modified');
  assert.equal(read({ 'if-none-match': '*' }), 'not-modified');
  assert.equal(read({ 'if-none-match': '"x"' }), 'send');
  assert.equal(read({ 'if-modified-since': before }), 'send');
  assert.equal(read({ 'if-modified-since': same }), 'not-modified');
  assert.equal(read({ 'if-unmodified-since': same }), 'send');
  assert.equal(read({ 'if-unmodified-since': before }), 'PreconditionFailed');
  assert.equal(read({ 'if-unmodified-since': 'yesterday' }), 'send');
});

test('an ETag outweighs a date, as RFC 9110 and S3 say', () => {
  assert.equal(read({ 'if-match': '"abc"', 'if-unmodified-since': before }), 'send');
  assert.equal(read({ 'if-none-match': '"abc"', 'if-modified-since': before }), 'not-modified');
  assert.equal(read({ 'if-none-match': '"x"', 'if-modified-since': after }), 'send');
});

test('a copy source has no 304', () => {
  const conditions = parseCopySourceConditions({ 'x-amz-copy-source-if-none-match': '"abc"', 'if-match': '"x"' });
  assert.ok(conditions);
  assert.throws(() => judgeCopySource(conditions, object), {
    code: 'PreconditionFailed',
    details: { Condition: 'x-amz-copy-source-If-None-Match' },
  });
  judgeCopySource(conditions, { ...object, etag: 'other' });
});

test('conditions of a write are read, not judged', () => {
  assert.equal(parseWriteConditions({ 'content-type': 'x' }), undefined);
  assert.deepEqual(parseWriteConditions({ 'if-none-match': '*' }), { ifNoneMatch: '*' });
  assert.deepEqual(parseWriteConditions({ 'if-match': ' "abc" ' }), { ifMatch: 'abc' });
  assert.deepEqual(parseWriteConditions({ 'x-amz-if-match-last-modified-time': same, 'x-amz-if-match-size': '7' }), {
    ifMatchLastModifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    ifMatchSizeBytes: 7,
  });
  assert.throws(() => parseWriteConditions({ 'x-amz-if-match-size': '-1' }), { code: 'InvalidArgument' });
  assert.throws(() => parseWriteConditions({ 'x-amz-if-match-last-modified-time': '?' }), { code: 'InvalidArgument' });
});

test('If-Range', () => {
  assert.ok(ifRangeHolds(undefined, object));
  assert.ok(ifRangeHolds('"abc"', object));
  assert.ok(ifRangeHolds(same, object));
  assert.ok(!ifRangeHolds('W/"abc"', object));
  assert.ok(!ifRangeHolds(after, object));
});
