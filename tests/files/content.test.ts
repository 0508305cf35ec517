// What the bytes are, against what was announced; and previews of real images, under limits.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import type { Sharp, SharpOptions } from 'sharp';
import { bucket, ServiceFixture, smallParts } from './service-fixture.ts';

// sharp is the file service's dependency, not the repository's.
const require = createRequire(new URL('../../packages/files/package.json', import.meta.url));
const sharp = require('sharp') as (input?: Uint8Array | SharpOptions, options?: SharpOptions) => Sharp;

/** A PNG of so many pixels square, one bit each: 400 million pixels are 50 KiB. */
function pngOfWhite(edgePixels: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(edgePixels, 0);
  header.writeUInt32BE(edgePixels, 4);
  header[8] = 1; // Bits a pixel; greyscale, no interlace.
  const rows = Buffer.alloc((1 + Math.ceil(edgePixels / 8)) * edgePixels);
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.byteLength, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const magic = Buffer.from('89504e470d0a1a0a', 'hex');
  const end = new Uint8Array();
  return Buffer.concat([magic, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', end)]);
}

let fixture: ServiceFixture;
let close: () => Promise<void>;
before(async () => {
  ({ fixture, close } = await ServiceFixture.openShared({ limits: { ...smallParts, previewTimeMs: 15_000 } }));
});
after(() => close());

/** Enough of a Windows program to be told by. */
function windowsProgram(): Uint8Array {
  const bytes = Buffer.alloc(512);
  bytes.write('MZ');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80);
  return bytes;
}

test('a program under the name of an image is rejected, and its bytes go', async () => {
  const { client: api } = fixture;
  const file = await api.store('holiday.jpg', windowsProgram(), 'image/jpeg');
  assert.equal(file.state, 'rejected');
  assert.match(file.reason ?? '', /program .*x-msdownload/);
  await api.refused('wrong-state', 'GET', `/v1/files/${file.id}/content`);
  await api.refused('wrong-state', 'GET', `/v1/files/${file.id}/previews/thumbnail`);
  await api.ask(204, 'DELETE', `/v1/files/${file.id}`);
  fixture.advance(60 * 60_000);
  await api.service.tick();
  assert.equal(
    fixture.keys().some((key) => key.includes(file.id)),
    false,
  );
});

test('a program under its own name is taken', async () => {
  const file = await fixture.client.store('setup.exe', windowsProgram());
  assert.equal(file.state, 'ready');
  assert.equal(file.contentType, 'application/x-msdownload');
});

test('what the bytes are wins over what was claimed', async () => {
  const { client: api } = fixture;
  const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  assert.equal((await api.store('picture.bin', png)).contentType, 'image/png');
  assert.equal((await api.store('noise.jpg', randomBytes(100), 'image/jpeg')).contentType, 'application/octet-stream');
  const page = await api.store('page.txt', new TextEncoder().encode('<script>alert(1)</script>'), 'text/html');
  const shown = await fetch(await api.redirect(`/v1/files/${page.id}/content?disposition=inline`));
  assert.match(shown.headers.get('content-disposition') ?? '', /^attachment/, 'HTML is never shown in place');
  assert.equal(shown.headers.get('content-type'), 'application/octet-stream');
  await shown.body?.cancel();
});

test('an object of another size than announced is rejected', async () => {
  const { client: api } = fixture;
  const upload = await api.create('swapped.txt', new Uint8Array(10), 'text/plain');
  assert.ok(upload.request);
  // By the bucket's own keys, around the signed URL.
  const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, region, credentials } = fixture.engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const Key = decodeURIComponent(new URL(upload.request.url).pathname.replace(`/${bucket}/`, ''));
  await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: new Uint8Array(11) }));
  client.destroy();
  await api.complete(upload.id);
  await api.service.tick();
  const file = await api.file(upload.id);
  assert.equal(file.state, 'rejected');
  assert.match(file.reason ?? '', /holds 11 bytes, but 10/);
});

test('a photo gets an upright preview and its pixels', async () => {
  const { client: api } = fixture;
  const photo = await sharp({ create: { width: 1200, height: 600, channels: 3, background: '#4080c0' } })
    .jpeg()
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const file = await api.store('photo.jpg', photo, 'image/jpeg');
  assert.equal(file.state, 'ready');
  assert.deepEqual(file.previews, ['thumbnail']);
  assert.deepEqual([file.width, file.height], [600, 1200], 'orientation 6 stands on its side');
  const response = await fetch(await api.redirect(`/v1/files/${file.id}/previews/thumbnail`));
  assert.equal(response.headers.get('content-type'), 'image/webp');
  const preview = await sharp(new Uint8Array(await response.arrayBuffer())).metadata();
  assert.deepEqual([preview.width, preview.height], [160, 320]);
  assert.equal(preview.exif, undefined, 'nothing of where it was taken');
  await api.refused('not-found', 'GET', `/v1/files/${file.id}/previews/poster`);
});

test('a pixel bomb has no preview, costs no memory, and the next image has one', async () => {
  const { client: api } = fixture;
  const bomb = pngOfWhite(20_000);
  const beforeBytes = process.memoryUsage.rss();
  const file = await api.store('bomb.png', bomb, 'image/png');
  assert.equal(file.state, 'ready');
  assert.deepEqual(file.previews, []);
  assert.ok(process.memoryUsage.rss() - beforeBytes < 200 * 1024 * 1024);
  const broken = await api.store('broken.png', bomb.subarray(0, 200), 'image/png');
  assert.deepEqual(broken.previews, []);
  const png = await sharp({ create: { width: 40, height: 30, channels: 4, background: 'red' } })
    .png()
    .toBuffer();
  const small = await api.store('small.png', png, 'image/png');
  assert.deepEqual(small.previews, ['thumbnail']);
  assert.deepEqual([small.width, small.height], [40, 30]);
});
