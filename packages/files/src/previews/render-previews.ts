// The process that makes previews: one image in, one small picture out, by the frames of frames.ts. It runs apart because image
// decoders are what hostile files aim at: it has no keys, no database and no environment, and it may be ended at any moment.
// It ends itself when its input ends or its memory grows past the limit.

import sharp from 'sharp';
import { createFrameReader, frameHeader } from './frames.ts';
import { memoryExitCode, type PreviewAnswer, type PreviewSettings } from './preview-answer.ts';

/** How often the memory is looked at. */
const memoryCheckMs = 50;

// The one argument was written by preview-maker.ts.
const settings = JSON.parse(process.argv[2] ?? '{}') as PreviewSettings;

// Everything is blocked but the formats that previews are made of; PDF and the rarer ones never reach a decoder. Of SVG, librsvg runs no
// script, and fetches nothing where it is not told a place to begin from; the libvips that comes with sharp reads HEIF for AVIF alone.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadNsgif',
    'VipsForeignLoadHeif',
    'VipsForeignLoadTiff',
    'VipsForeignLoadSvg',
  ],
});
sharp.cache(false);
sharp.concurrency(1);

setInterval(() => {
  if (process.memoryUsage.rss() > settings.memoryBytes) process.exit(memoryExitCode);
}, memoryCheckMs).unref();

async function render(source: Buffer): Promise<{ readonly answer: PreviewAnswer; readonly picture: Buffer }> {
  try {
    const image = sharp(source, { limitInputPixels: settings.maxPixels, sequentialRead: true, failOn: 'error' });
    const { autoOrient } = await image.metadata();
    const picture = await image
      .autoOrient()
      .resize({ width: settings.edgePixels, height: settings.edgePixels, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer();
    return { answer: { made: true, width: autoOrient.width, height: autoOrient.height }, picture };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { answer: { made: false, reason }, picture: Buffer.alloc(0) };
  }
}

async function respond(source: Buffer): Promise<void> {
  const { answer, picture } = await render(source);
  const text = Buffer.from(JSON.stringify(answer));
  process.stdout.write(Buffer.concat([frameHeader(text.length), text, frameHeader(picture.length), picture]));
}

// The service sends the next image when it has the answer to the last one.
const read = createFrameReader(settings.sourceBytes, (source) => void respond(source));
process.stdin.on('data', read);
process.stdin.on('end', () => process.exit(0));
