// Previews of what is no plain image, through the whole service: what is shown is always a new picture, never the file.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Sharp, SharpOptions } from 'sharp';
import { type LameEndpoint, startLameEndpoint } from './lame-endpoint.ts';
import { dayMs, hourMs, ServiceFixture } from './service-fixture.ts';

// sharp is the file service's dependency, not the repository's.
const require = createRequire(new URL('../../packages/files/package.json', import.meta.url));
const sharp = require('sharp') as (input?: Uint8Array | SharpOptions, options?: SharpOptions) => Sharp;
const run = promisify(execFile);
const redImage = { create: { width: 64, height: 48, channels: 3, background: 'red' } } as const;

async function isInstalled(program: string): Promise<boolean> {
  return run(program, ['--help']).then(
    () => true,
    // Some of them answer `--help` with a code of their own; not being there is ENOENT.
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
}

test('an SVG with a script is given back as a download, and shown as a picture without one', async (t) => {
  const files = await ServiceFixture.open(t);
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60" onload="alert(1)"><script>alert(1)</script><rect width="90" height="60" fill="blue"/></svg>',
  );
  const { id, state } = await files.upload('logo.svg', 'image/svg+xml', svg);
  assert.equal(state, 'ready');
  const entry = await files.call('getFile', { id });
  assert.deepEqual([entry.previews, entry.width, entry.height], [['thumbnail'], 90, 60]);
  const shown = await files.respond('getPreview', { id });
  const response = await fetch(shown.headers.get('location') ?? '');
  assert.equal(response.headers.get('content-type'), 'image/webp');
  const preview = Buffer.from(await response.arrayBuffer());
  assert.equal((await sharp(preview).metadata()).format, 'webp');
  assert.equal(preview.includes('script'), false);
});

test('a photo of a telephone (HEIC) has its preview where heif-convert is installed', async (t) => {
  if (!(await isInstalled('heif-enc'))) return t.skip('heif-enc and heif-convert (libheif-examples) are not installed');
  const files = await ServiceFixture.open(t);
  const folder = await mkdtemp(join(tmpdir(), 'stowage-heic-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'a.png'), await sharp(redImage).png().toBuffer());
  await run('heif-enc', ['-o', join(folder, 'a.heic'), join(folder, 'a.png')]);
  const { id, state } = await files.upload('IMG_0001.HEIC', 'image/heic', await readFile(join(folder, 'a.heic')));
  const entry = await files.call('getFile', { id });
  assert.deepEqual([state, entry.contentType, entry.previews], ['ready', 'image/heic', ['thumbnail']]);
});

test('a picture of AVIF has its preview', async (t) => {
  const files = await ServiceFixture.open(t);
  const avif = await sharp(redImage).avif({ effort: 0 }).toBuffer();
  const { id } = await files.upload('a.avif', 'image/avif', avif);
  const entry = await files.call('getFile', { id });
  assert.deepEqual([entry.contentType, entry.previews, entry.width], ['image/avif', ['thumbnail'], 64]);
});

test('of images whose metadata is taken out no more bytes are in memory at once than the largest may have', async (t) => {
  const photo = await sharp(redImage)
    .withExif({ IFD0: { Artist: 'somebody' } })
    .jpeg()
    .toBuffer();
  for (const images of [1, 3]) {
    const lame = Promise.withResolvers<LameEndpoint>();
    const files = await ServiceFixture.open(t, {
      policies: { default: { stripMetadata: true } },
      limits: { jobConcurrency: 4, previewSourceBytes: images * photo.length },
      through: async ({ endpoint }) => {
        lame.resolve(await startLameEndpoint(t, endpoint));
        return (await lame.promise).endpoint;
      },
    });
    let reading = 0;
    let most = 0;
    (await lame.promise).hinder = ({ method, url, headers }) => {
      // Whole, and what was sent: what is made of it has the number of a try in its key.
      if (method !== 'GET' || headers.range !== undefined || !/\/[0-9A-Z]{26}\.[0-9a-f]{32}\b/.test(url))
        return undefined;
      reading += 1;
      most = Math.max(most, reading);
      return sleep(60).then(() => {
        reading -= 1;
      });
    };
    const sent: string[] = [];
    for (let count = 0; count < 4; count++) {
      const { id } = await files.sendFile(`${count}.jpg`, 'image/jpeg', photo);
      await files.call('completeUpload', { id });
      sent.push(id);
    }
    await files.tick();
    for (const id of sent) assert.equal(files.row(id).state, 'ready');
    assert.ok(most <= images && (images === 1 || most > 1), `${most} images were read at once; ${images} may be.`);
  }
});

test('where the policy wants it, a photo is served without what the camera wrote, upright, and its original goes', async (t) => {
  const files = await ServiceFixture.open(t, { policies: { default: { stripMetadata: true } } });
  const secret = 'Hauptstrasse 5';
  const photo = await sharp({ create: { width: 120, height: 60, channels: 3, background: '#4080c0' } })
    .withExif({ IFD0: { Artist: secret }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  assert.ok(photo.includes(secret));
  const { id, state } = await files.upload('photo.jpg', 'image/jpeg', photo);
  assert.equal(state, 'ready');
  const served = await files.download(id);
  assert.ok(served.length < photo.length && !served.includes(secret));
  const entry = await files.call('getFile', { id });
  assert.deepEqual([entry.sizeBytes, entry.width, entry.height], [served.length, 60, 120]);
  assert.equal((await sharp(served).metadata()).orientation, 6);
  assert.equal(files.keys('files/').length, 2, 'the original stays while its URL is good');
  files.advance(2 * hourMs);
  await files.tick();
  assert.deepEqual(files.keys('files/'), [files.row(id).objectKey]);
  assert.deepEqual(await files.download(id), served);

  const plain = await files.upload('plain.jpg', 'image/jpeg', served);
  assert.deepEqual([plain.state, await files.download(plain.id)], ['ready', served]);
  const tiff = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .tiff()
    .toBuffer();
  const refused = await files.upload('scan.tiff', 'image/tiff', tiff);
  assert.equal(refused.state, 'rejected');
  assert.match(refused.reason ?? '', /cannot be done for image\/tiff/);

  await files.call('deleteFile', { id });
  files.advance(40 * dayMs);
  await files.tick();
  assert.equal(
    files.keys().some((key) => key.includes(id)),
    false,
  );
});
