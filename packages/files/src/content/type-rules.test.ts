import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeType } from './type-rules.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const elf = Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(64)]);
const pdf = text('%PDF-1.7\n%âãÏÓ\n1 0 obj\n');
const zip = Buffer.from('504b0304140000000000000000000000000000000000000000000000000001000000', 'hex');

async function typeOf(name: string, declaredType: string, bytes: Uint8Array): Promise<string> {
  const verdict = await judgeType({ name, declaredType }, bytes);
  return verdict.accepted ? verdict.contentType : `rejected: ${verdict.reason}`;
}

test('a program is taken only under a name and type that say so', async () => {
  assert.equal(await typeOf('tool', 'application/octet-stream', elf), 'application/x-elf');
  assert.equal(await typeOf('lib.so.1.2', 'application/octet-stream', elf), 'application/x-elf');
  assert.match(await typeOf('report.pdf', 'application/pdf', elf), /^rejected: .*program/);
  assert.match(await typeOf('report.pdf', 'application/octet-stream', elf), /^rejected/);
  assert.match(await typeOf('tool', 'image/png', elf), /^rejected/);
  assert.match(
    await typeOf('invoice.exe.txt', 'text/plain', Buffer.concat([text('MZ'), Buffer.alloc(100)])),
    /^rejected/,
  );
});

test('what calls itself media and is something else is refused; what cannot be told is just bytes', async () => {
  assert.match(await typeOf('a.png', 'image/png', zip), /^rejected/);
  assert.match(await typeOf('a.mp4', 'video/mp4', pdf), /^rejected/);
  assert.equal(await typeOf('a.png', 'image/png', Buffer.from([0, 1, 2, 3])), 'application/octet-stream');
});

test('the sniffed type wins, but for formats kept in a general container', async () => {
  assert.equal(await typeOf('a.txt', 'text/plain', pdf), 'application/pdf');
  const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
  assert.equal(await typeOf('a.docx', docx, zip), docx);
  assert.equal(await typeOf('a.html', 'text/html', zip), 'application/zip');
});

test('text keeps the kind it was announced as, and is never taken for what it is not', async () => {
  assert.equal(await typeOf('a.csv', 'text/csv', text('a;b\n')), 'text/csv');
  assert.equal(await typeOf('a.json', 'application/json', text('{}')), 'application/json');
  assert.equal(await typeOf('a', 'application/octet-stream', text('grüße')), 'text/plain');
  assert.equal(await typeOf('a.txt', 'text/plain', Buffer.from([0x67, 0xfc, 0x6e])), 'application/octet-stream');
  assert.equal(await typeOf('empty', 'text/csv', new Uint8Array()), 'text/csv');
});
