import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openSealedText } from './sealed-text.ts';

const secret = new Uint8Array(32).fill(3);
const open = (purpose: string) => openSealedText({ secret, purpose, random: randomBytes });

test('what was sealed is opened for its place and purpose, and for nothing else', () => {
  const sealed = open('a').seal('text ä', 'ada');
  assert.equal(open('a').open(sealed, 'ada'), 'text ä');
  assert.equal(open('a').open(sealed, 'eve'), undefined);
  assert.equal(open('b').open(sealed, 'ada'), undefined);
  assert.notEqual(open('a').seal('text ä', 'ada'), sealed);
});

test('what was altered, cut or made up opens to nothing', () => {
  const box = open('a');
  const bytes = Buffer.from(box.seal('text', 'ada'), 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    assert.equal(box.open(altered.toString('base64url'), 'ada'), undefined);
  }
  for (const text of ['', 'x', bytes.subarray(0, 20).toString('base64url')])
    assert.equal(box.open(text, 'ada'), undefined);
});
