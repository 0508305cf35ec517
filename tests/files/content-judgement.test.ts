// What arrives against what becomes of it: files made to deceive, from their real bytes to what a browser is told. The table is
// content-rules.ts; docs/content.md says it in words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContentFinding, FileState } from '@stowage/contract';
import { elf, machO, pngChunk, pngOf, shellScript, windowsProgram, zipOf } from './hostile-bytes.ts';
import { mib, requestOf, ServiceFixture, sendBytes } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);
const page = text('<!doctype html><html><body><script>document.title = "owned"</script></body></html>');
const pdf = text('%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n');
const zeros = Buffer.alloc(mib);
/** A GIF of one pixel that is also `GIF89a/*…*\/=1;alert(1)`. */
const gifScript = Buffer.concat([
  text('GIF89a/*'),
  Buffer.from('0100800000ffffff00000021f90401000000002c00000000010001000002024401003b', 'hex'),
  text('*/=1;alert(1)'),
]);

/** An archive as 42.zip is one: archives of archives, each level the same file over and over. */
function nestedBomb(levels: number): Buffer {
  let bytes: Buffer = zeros;
  for (let level = 0; level < levels; level++) {
    const name = level === 0 ? '0.dll' : `lib ${level}.zip`;
    bytes = zipOf(Array.from({ length: 16 }, (_, index) => ({ name: `${index} ${name}`, bytes })));
  }
  return bytes;
}

interface Arrival {
  readonly title: string;
  readonly name: string;
  readonly declared: string;
  readonly bytes: Buffer;
  readonly state: FileState;
  /** Of the reason, where it is refused. */
  readonly reason?: RegExp;
  readonly contentType?: string;
  readonly marks?: readonly ContentFinding[];
  /** What a browser is told when it asks to show the file in place. */
  readonly told?: { readonly type: string; readonly disposition: 'inline' | 'attachment' };
}

const download = { type: 'application/octet-stream', disposition: 'attachment' } as const;
const downloadOf = (type: string) => ({ type, disposition: 'attachment' }) as const;

const arrivals: readonly Arrival[] = [
  ...[
    { kind: 'PE', bytes: windowsProgram() },
    { kind: 'ELF', bytes: elf },
    { kind: 'Mach-O', bytes: machO },
    { kind: 'a script', bytes: shellScript },
  ].map(({ kind, bytes }) => ({
    title: `${kind} renamed to an image`,
    name: 'holiday.jpg',
    declared: 'image/jpeg',
    bytes,
    state: 'rejected' as const,
    reason: /program/,
  })),
  {
    title: 'a program that hides its ending',
    name: 'invoice.pdf.exe',
    declared: 'application/octet-stream',
    bytes: windowsProgram(),
    state: 'rejected',
    reason: /program/,
  },
  {
    title: 'a program that reads `invoiceexe.pdf`',
    name: 'invoice\u202efdp.exe',
    declared: 'application/octet-stream',
    bytes: windowsProgram(),
    state: 'rejected',
    reason: /program/,
  },
  {
    title: 'a program under its own name',
    name: 'setup.exe',
    declared: 'application/octet-stream',
    bytes: windowsProgram(),
    state: 'ready',
    contentType: 'application/x-msdownload',
    told: download,
  },
  {
    title: 'a script under its own name',
    name: 'backup.sh',
    declared: 'application/x-sh',
    bytes: shellScript,
    state: 'ready',
    contentType: 'application/x-sh',
    told: download,
  },
  {
    title: 'a PNG with a page behind its end',
    name: 'cat.png',
    declared: 'image/png',
    bytes: Buffer.concat([pngOf(1), page]),
    state: 'ready',
    contentType: 'image/png',
    marks: ['active-content'],
    told: downloadOf('image/png'),
  },
  {
    title: 'a PNG with a page in a chunk, announced as a page',
    name: 'cat.html',
    declared: 'text/html',
    bytes: pngOf(1, [pngChunk('tEXt', Buffer.concat([text('Comment\0'), page]))]),
    state: 'ready',
    contentType: 'image/png',
    marks: ['active-content'],
    told: downloadOf('image/png'),
  },
  {
    title: 'a PNG that is nothing else',
    name: 'dot.png',
    declared: 'image/png',
    bytes: pngOf(1),
    state: 'ready',
    contentType: 'image/png',
    told: { type: 'image/png', disposition: 'inline' },
  },
  {
    title: 'a GIF that is a script',
    name: 'dot.gif',
    declared: 'image/gif',
    bytes: gifScript,
    state: 'ready',
    contentType: 'image/gif',
    marks: ['active-content'],
    told: downloadOf('image/gif'),
  },
  {
    title: 'a PDF that is an archive',
    name: 'paper.pdf',
    declared: 'application/pdf',
    bytes: Buffer.concat([pdf, zipOf([{ name: 'a.txt', bytes: text('a') }])]),
    state: 'ready',
    contentType: 'application/pdf',
    marks: ['second-format'],
    told: downloadOf('application/pdf'),
  },
  {
    title: 'a PDF that is an archive that is a bomb',
    name: 'paper.pdf',
    declared: 'application/pdf',
    bytes: Buffer.concat([pdf, zipOf([{ name: 'a.txt', bytes: zeros, claimedBytes: 4_000_000_000 }])]),
    state: 'rejected',
    reason: /unpack to \d+ times/,
  },
  {
    title: 'an image of 50,000 × 50,000 pixels in a few bytes',
    name: 'bomb.png',
    declared: 'image/png',
    bytes: pngOf(50_000),
    state: 'rejected',
    reason: /2500000000 pixels; at most 1000000000/,
  },
  {
    title: 'archives in archives, as in 42.zip',
    name: '42.zip',
    declared: 'application/zip',
    bytes: nestedBomb(3),
    state: 'rejected',
    reason: /the same over and over/,
  },
  {
    title: 'an archive that unpacks to far more than its size',
    name: 'flat.zip',
    declared: 'application/zip',
    bytes: zipOf([{ name: '0', bytes: zeros, claimedBytes: 0xfffffffe }]),
    state: 'rejected',
    reason: /unpack to \d+ times its size/,
  },
  {
    title: 'the same with numbers of ZIP64',
    name: 'wide.zip',
    declared: 'application/zip',
    bytes: zipOf([{ name: '0', bytes: zeros, claimedBytes: 2 ** 45 }], { zip64: true }),
    state: 'rejected',
    reason: /unpack to 35184372088832 bytes, and at most/,
  },
  {
    title: 'an archive whose entries lie over each other',
    name: 'quilt.zip',
    declared: 'application/zip',
    bytes: zipOf(Array.from({ length: 9 }, (_, index) => ({ name: `${index}`, bytes: zeros, claimedAt: 0 }))),
    state: 'rejected',
    reason: /lie over each other/,
  },
  {
    title: 'an encrypted archive',
    name: 'secret.zip',
    declared: 'application/zip',
    bytes: zipOf([{ name: 'a.txt', bytes: text('a'), encrypted: true }]),
    state: 'ready',
    contentType: 'application/zip',
    marks: ['encrypted-archive'],
    told: download,
  },
  {
    title: 'an archive that holds an archive',
    name: 'both.zip',
    declared: 'application/zip',
    bytes: zipOf([{ name: 'inner.zip', bytes: zipOf([{ name: 'a.txt', bytes: text('a') }]) }]),
    state: 'ready',
    contentType: 'application/zip',
    marks: ['nested-archive'],
    told: download,
  },
  {
    title: 'an archive that is cut in its directory',
    name: 'cut.zip',
    declared: 'application/zip',
    bytes: Buffer.concat([
      zipOf([{ name: 'a.txt', bytes: text('a') }]).subarray(0, 40),
      zipOf([{ name: 'b.txt', bytes: text('b') }]).subarray(-22),
    ]),
    state: 'ready',
    contentType: 'application/zip',
    marks: ['unreadable-archive'],
    told: download,
  },
  {
    title: 'an archive of nothing but files',
    name: 'plain.zip',
    declared: 'application/zip',
    bytes: zipOf([
      { name: 'zeros', bytes: zeros },
      { name: 'a.txt', bytes: text('a') },
    ]),
    state: 'ready',
    contentType: 'application/zip',
    told: download,
  },
  {
    title: 'an SVG with a script',
    name: 'logo.svg',
    declared: 'image/svg+xml',
    bytes: text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'),
    state: 'ready',
    contentType: 'image/svg+xml',
    marks: ['active-content'],
    told: download,
  },
  {
    title: 'a page announced as an image',
    name: 'cat.png',
    declared: 'image/png',
    bytes: page,
    state: 'ready',
    contentType: 'text/plain',
    told: { type: 'text/plain; charset=utf-8', disposition: 'inline' },
  },
  {
    title: 'an archive announced as a film',
    name: 'film.mp4',
    declared: 'video/mp4',
    bytes: zipOf([{ name: 'a.txt', bytes: text('a') }]),
    state: 'rejected',
    reason: /announced as video\/mp4, but its bytes are application\/zip/,
  },
];

test('each file ends where the table says, and a browser is told no more than is safe', async (t) => {
  const files = await ServiceFixture.open(t);
  for (const { title, name, declared, bytes, state, reason = /^$/, contentType, marks, told } of arrivals) {
    await t.test(title, async () => {
      const upload = await files.upload(name, declared, bytes);
      assert.equal(upload.state, state, upload.reason);
      assert.match(upload.reason ?? '', reason);
      if (state !== 'ready') {
        await files.refused('wrong-state', 'getContent', { id: upload.id });
        return;
      }
      const entry = await files.call('getFile', { id: upload.id });
      assert.equal(entry.contentType, contentType);
      assert.deepEqual(entry.marks ?? [], marks ?? []);
      const shown = await fetch(await files.contentUrl(upload.id, { disposition: 'inline' }));
      assert.equal(shown.headers.get('content-type'), told?.type);
      assert.match(shown.headers.get('content-disposition') ?? '', new RegExp(`^${told?.disposition};`));
      assert.deepEqual(Buffer.from(await shown.arrayBuffer()), bytes, 'what is given back is what came');
    });
  }
});

test('a policy may take what is refused by default, and refuse what is only marked', async (t) => {
  const files = await ServiceFixture.open(t, {
    policies: {
      default: { content: { 'encrypted-archive': 'reject', 'active-content': 'reject' } },
      scans: { content: { 'image-bomb': 'mark', 'archive-bomb': 'mark' } },
    },
  });
  const send = async (name: string, contentType: string, bytes: Buffer, category: string): Promise<string> => {
    const upload = await files.announce({ name, contentType, category, sizeBytes: bytes.length });
    assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
    await files.call('completeUpload', { id: upload.id });
    await files.tick();
    return upload.id;
  };
  const encrypted = zipOf([{ name: 'a.txt', bytes: text('a'), encrypted: true }]);
  assert.equal(files.row(await send('a.zip', 'application/zip', encrypted, 'default')).state, 'rejected');
  const double = Buffer.concat([pngOf(1), page]);
  assert.equal(files.row(await send('a.png', 'image/png', double, 'default')).state, 'rejected');
  const kept = await files.call('getFile', { id: await send('big.png', 'image/png', pngOf(50_000), 'scans') });
  assert.deepEqual([kept.state, kept.marks, kept.previews], ['ready', ['image-bomb'], []]);
  const bomb = await files.call('getFile', { id: await send('42.zip', 'application/zip', nestedBomb(3), 'scans') });
  assert.deepEqual([bomb.state, bomb.marks], ['ready', ['archive-bomb', 'nested-archive']]);
});

test('a name of 300 characters from right to left, with line ends and quotes, ends as one safe line', async (t) => {
  const files = await ServiceFixture.open(t);
  const name = `\u202e"${'شروط'.repeat(75).slice(0, 280)}"\r\nSet-Cookie: a=1\r\n\r\n<script>.txt`.slice(0, 320);
  const { id } = await files.upload(name, 'text/plain', text('x'));
  assert.equal((await files.call('getFile', { id })).name, name);
  const response = await fetch(await files.contentUrl(id, { disposition: 'inline' }));
  assert.equal(response.headers.get('set-cookie'), null);
  const header = response.headers.get('content-disposition') ?? '';
  assert.match(header, /^inline; filename="[^"\\]*(\\.[^"\\]*)*"; filename\*=UTF-8''[A-Za-z0-9%!#$&+.^_`|~-]+$/);
  const saved = decodeURIComponent(/UTF-8''(.*)$/.exec(header)?.[1] ?? '');
  assert.doesNotMatch(saved, /[\r\n\u202e]/);
  assert.ok(saved.length >= 300 && saved.endsWith('<script>.txt'), saved);
});

test('a text shows how it begins, and is found by it, once it is ready and whatever it is renamed to', async (t) => {
  const files = await ServiceFixture.open(t);
  const words = `Dear  reader,\n\n\tthe quokka ${'sat and ate '.repeat(100)}`;
  const { id } = await files.sendFile('letter.txt', 'text/plain', text(words));
  await files.call('completeUpload', { id });
  const search = async (): Promise<readonly string[]> =>
    (await files.call('search', { query: { q: 'quokka' } })).files.map((file) => file.id);
  assert.deepEqual(await search(), []);
  await files.tick();
  const { excerpt = '' } = await files.call('getFile', { id });
  assert.equal(excerpt.length, 500);
  assert.ok(excerpt.startsWith('Dear reader, the quokka sat'), excerpt);
  assert.deepEqual(await search(), [id]);
  await files.call('changeFile', { id, body: { name: 'post.txt' } });
  assert.deepEqual(await search(), [id]);
});
