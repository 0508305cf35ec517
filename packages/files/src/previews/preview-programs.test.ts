// With the real programs where they are installed; without them these tests say so and pass by.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { defaultLimits } from '../limits.ts';
import { openPreviewMaker, type PreviewSource } from './preview-maker.ts';
import { findPreviewPrograms } from './preview-programs.ts';

const run = promisify(execFile);
const programs = await findPreviewPrograms(defaultLimits);

const source = (bytes: Uint8Array, contentType: string): PreviewSource => ({
  contentType,
  sizeBytes: bytes.byteLength,
  open: async () =>
    (async function* () {
      yield bytes;
    })(),
});

/** One page, 200 × 100 points, filled with blue, with what else its catalog is to hold. */
function pdfOf(catalog = ''): Buffer {
  const content = '0 0 1 rg 0 0 200 100 re f';
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
  ];
  return Buffer.from(
    `%PDF-1.7\n${objects.map((object, index) => `${index + 1} 0 obj\n${object}\nendobj\n`).join('')}trailer << /Root 1 0 R /Size 5 >>\n%%EOF\n`,
  );
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-programs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function firstPixel(picture: Uint8Array): Promise<readonly number[]> {
  return [...(await sharp(picture).removeAlpha().raw().toBuffer()).subarray(0, 3)];
}

test('a PDF shows its first page, and runs nothing', async (t) => {
  if (!programs.draws('application/pdf')) return t.skip('pdftoppm (poppler-utils) is not installed');
  const maker = openPreviewMaker(defaultLimits, programs);
  t.after(() => maker.close());
  const script = '/OpenAction << /S /JavaScript /JS (while(true){}) >>';
  const result = await maker.make(source(pdfOf(script), 'application/pdf'));
  assert.ok(result?.made, JSON.stringify(result));
  assert.equal(result.pixels, undefined);
  const { width, height } = await sharp(result.picture).metadata();
  assert.deepEqual([width, height], [320, 160]);
  const [red = 255, , blue = 0] = await firstPixel(result.picture);
  assert.ok(red < 30 && blue > 220);
  const broken = await maker.make(source(Buffer.from('%PDF-1.7\nnothing'), 'application/pdf'));
  assert.ok(broken !== undefined && !broken.made);
});

test('a film shows a frame; one that is a list of other files shows nothing', async (t) => {
  if (!programs.draws('video/mp4')) return t.skip('ffmpeg is not installed');
  const folder = await folderFor(t);
  const path = join(folder, 'blue.mp4');
  const input = ['-f', 'lavfi', '-i', 'color=c=blue:size=640x360:duration=0.2:rate=10', '-c:v', 'mpeg4', path];
  await run('ffmpeg', ['-nostdin', '-v', 'error', ...input]);
  const maker = openPreviewMaker(defaultLimits, programs);
  t.after(() => maker.close());
  const result = await maker.make(source(await readFile(path), 'video/mp4'));
  assert.ok(result?.made, JSON.stringify(result));
  const [red = 255, , blue = 0] = await firstPixel(result.picture);
  assert.ok(red < 60 && blue > 190);
  const list = Buffer.from(`#EXTM3U\n#EXTINF:1,\nfile://${path}\n#EXT-X-ENDLIST\n`);
  const listed = await maker.make(source(list, 'video/mp4'));
  assert.ok(listed !== undefined && !listed.made);
});

test('a photo of a telephone (HEIC) is shown, and one that is broken is not', async (t) => {
  if (!programs.draws('image/heic')) return t.skip('heif-convert (libheif-examples) is not installed');
  const folder = await folderFor(t);
  const path = join(folder, 'blue.heic');
  await sharp({ create: { width: 640, height: 480, channels: 3, background: 'blue' } }).toFile(
    join(folder, 'blue.png'),
  );
  await run('heif-enc', ['-q', '80', '-o', path, join(folder, 'blue.png')]);
  const photo = await readFile(path);
  const maker = openPreviewMaker(defaultLimits, programs);
  t.after(() => maker.close());
  const result = await maker.make(source(photo, 'image/heic'));
  assert.ok(result?.made, JSON.stringify(result));
  const { width, height, format } = await sharp(result.picture).metadata();
  assert.deepEqual([width, height, format], [320, 240, 'webp']);
  const [red = 255, , blue = 0] = await firstPixel(result.picture);
  assert.ok(red < 60 && blue > 190);
  const broken = await maker.make(source(photo.subarray(0, photo.length / 2), 'image/heic'));
  assert.ok(broken !== undefined && !broken.made);
});

test('a program that does not end, or writes without end, is ended', async (t) => {
  if (process.platform === 'win32') return t.skip('the stand-in for a program is a shell script');
  for (const { script, reason } of [
    { script: 'sleep 60', reason: /longer than 1500 ms/ },
    { script: 'exec cat /dev/zero', reason: /more than 8388608 bytes/ },
    { script: 'exit 3', reason: /code 3/ },
  ]) {
    const folder = await folderFor(t);
    await writeFile(join(folder, 'pdftoppm'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'pdftoppm'), 0o755);
    const limits = { ...defaultLimits, previewTimeMs: 1_500 };
    const standIn = await findPreviewPrograms(limits, [folder]);
    const maker = openPreviewMaker(limits, standIn);
    t.after(() => maker.close());
    const result = await maker.make(source(pdfOf(), 'application/pdf'));
    assert.ok(result !== undefined && !result.made);
    assert.match(result.reason, reason);
  }
});

test('where no program is, nothing is drawn', async (t) => {
  const none = await findPreviewPrograms(defaultLimits, [await folderFor(t)]);
  assert.equal(none.draws('application/pdf'), false);
  assert.equal(none.draws('video/mp4'), false);
});
