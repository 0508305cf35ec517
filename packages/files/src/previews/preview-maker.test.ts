import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { defaultLimits } from '../limits.ts';
import { openPreviewMaker, type PreviewLimits, type PreviewSource } from './preview-maker.ts';

const source = (bytes: Uint8Array): PreviewSource => ({
  sizeBytes: bytes.byteLength,
  open: async () =>
    (async function* () {
      yield bytes;
    })(),
});

async function reasonFor(bytes: Uint8Array, limits: Partial<PreviewLimits>): Promise<string> {
  const maker = openPreviewMaker({ ...defaultLimits, ...limits });
  try {
    const result = await maker.make(source(bytes));
    return result === undefined || result.made ? 'made' : result.reason;
  } finally {
    maker.close();
  }
}

test('each limit ends the work with its reason', async () => {
  const image = await sharp({ create: { width: 3000, height: 2000, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  assert.equal(await reasonFor(image, {}), 'made');
  assert.match(await reasonFor(image, { previewPixels: 1_000_000 }), /pixel limit/);
  assert.match(await reasonFor(image, { previewSourceBytes: 100 }), /previews are made up to 100/);
  assert.match(await reasonFor(image, { previewTimeMs: 1 }), /longer than 1 ms/);
  const noise = await sharp({
    create: {
      width: 6000,
      height: 6000,
      channels: 3,
      background: 'red',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .webp({ quality: 1, effort: 0 })
    .toBuffer();
  assert.match(await reasonFor(noise, { previewMemoryBytes: 64 * 1024 * 1024 }), /more memory/);
});

test('formats that are not on the list never reach a decoder', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  assert.match(await reasonFor(svg, {}), /unsupported/);
});

test('a source that breaks off throws, and the next image is made by a new process', async () => {
  const image = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const maker = openPreviewMaker(defaultLimits);
  try {
    await assert.rejects(maker.make({ ...source(image), sizeBytes: image.byteLength + 1 }), /gave \d+ bytes of/);
    const [one, two] = await Promise.all([maker.make(source(image)), maker.make(source(image))]);
    assert.ok(one?.made && two?.made);
    assert.deepEqual([one.width, one.height], [30, 20]);
    assert.deepEqual(one.picture, two.picture);
    assert.equal(await maker.make({ sizeBytes: 1, open: async () => undefined }), undefined);
  } finally {
    maker.close();
  }
  await assert.rejects(maker.make(source(image)), /closed/);
});
