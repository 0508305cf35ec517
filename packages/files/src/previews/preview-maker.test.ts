import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { defaultLimits } from '../limits.ts';
import { openPreviewMaker, type PreviewLimits, type PreviewSource } from './preview-maker.ts';

const source = (bytes: Uint8Array, contentType = 'image/png'): PreviewSource => ({
  contentType,
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
      width: 2500,
      height: 2500,
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
  const portable = Buffer.from('P5 1 1 255\nx');
  assert.match(await reasonFor(portable, {}), /unsupported/);
});

async function previewOf(bytes: Uint8Array): Promise<{ readonly size: number[]; readonly pixel: number[] }> {
  const maker = openPreviewMaker(defaultLimits);
  try {
    const result = await maker.make(source(bytes, 'image/svg+xml'));
    assert.ok(result?.made, JSON.stringify(result));
    const { data, info } = await sharp(result.picture).raw().toBuffer({ resolveWithObject: true });
    return { size: [info.width, info.height], pixel: [...data.subarray(0, 3)] };
  } finally {
    maker.close();
  }
}

test('of an SVG only its own shapes are drawn: scripts, files and other places are nothing to it', async (t) => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const folder = await mkdtemp(join(tmpdir(), 'stowage-svg-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const red = join(folder, 'red.png');
  await sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff0000' } }).toFile(red);
  const hostile = `<?xml version="1.0"?>
<?xml-stylesheet href="http://127.0.0.1:${address.port}/a.css"?>
<!DOCTYPE svg [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="20">
  <style>@import url("http://127.0.0.1:${address.port}/b.css");</style>
  <rect width="40" height="20" fill="#0000ff"/>
  <image xlink:href="file://${red}" width="40" height="20"/>
  <image href="http://127.0.0.1:${address.port}/c.png" width="40" height="20"/>
  <script>document.documentElement.setAttribute('fill', 'red')</script>
</svg>`;
  const { size, pixel } = await previewOf(Buffer.from(hostile));
  assert.deepEqual(size, [40, 20]);
  const [redPart = 255, , bluePart = 0] = pixel;
  assert.ok(redPart < 30 && bluePart > 220, `the first pixel is ${pixel}`);
  assert.equal(asked, 0);
});

test('an SVG that unfolds without end, or is larger than any screen, is given up', async () => {
  const laughs = Array.from({ length: 9 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`).join(
    '',
  );
  const svg = (rest: string, size = 9): Buffer =>
    Buffer.from(
      `${rest}<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><text>${rest === '' ? '' : '&l9;'}</text></svg>`,
    );
  const unfolding = svg(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "ha">${laughs}]>`);
  assert.notEqual(await reasonFor(unfolding, { previewTimeMs: 5_000 }), 'made');
  assert.match(await reasonFor(svg('', 30_000), {}), /pixel limit|exceeds/);
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
    assert.deepEqual(one.pixels, { width: 30, height: 20 });
    assert.deepEqual(one.picture, two.picture);
    assert.equal(await maker.make({ ...source(image), open: async () => undefined }), undefined);
  } finally {
    maker.close();
  }
  await assert.rejects(maker.make(source(image)), /closed/);
});
