import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyLine } from './logging.ts';

const base = { level: 'warn', time: '2026-01-02T03:04:05.678Z', part: 'engine', msg: 'a message' };

test('a line for the eye', () => {
  const line = prettyLine(JSON.stringify({ ...base, requestId: 'R1', status: 503 }), false);
  assert.equal(line, '03:04:05.678 warn  engine  "a message"  requestId=R1  status=503\n');
});

test('what a client chose cannot steer the terminal, nor break the line', () => {
  const line = prettyLine(JSON.stringify({ ...base, path: '/b/\u001b[2J\n\u202edone\u0000' }), false);
  assert.equal(line.split('\n').length, 2);
  assert.doesNotMatch(line.slice(0, -1), /\p{C}/u);
});
