import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { isStrippable, stripMetadata } from './strip-metadata.ts';

const secret = 'Hauptstrasse 5';
const picture = (): Sharp =>
  sharp({
    create: {
      width: 60,
      height: 40,
      channels: 3,
      background: 'green',
      noise: { type: 'gaussian', mean: 99, sigma: 30 },
    },
  }).withExif({
    IFD0: { Artist: secret, Orientation: '6' },
    IFD3: { GPSLatitude: '51/1 30/1 0/1' },
  });

for (const { contentType, make } of [
  { contentType: 'image/jpeg', make: () => picture().withMetadata({ orientation: 6 }).jpeg() },
  { contentType: 'image/jpeg', make: () => picture().withMetadata({ orientation: 6 }).jpeg({ progressive: true }) },
  { contentType: 'image/png', make: () => picture().withMetadata({ orientation: 6 }).png() },
  { contentType: 'image/webp', make: () => picture().withMetadata({ orientation: 6 }).webp() },
  { contentType: 'image/gif', make: () => picture().gif() },
]) {
  test(`${contentType} is left with its picture and its turn alone`, async () => {
    const made = await make().toBuffer();
    // A GIF has no EXIF.
    assert.ok(contentType === 'image/gif' || made.includes(secret));
    const bytes = Buffer.concat([made, Buffer.from(secret)]);
    const result = stripMetadata(contentType, bytes);
    assert.ok(result.stripped);
    const stripped = Buffer.from(result.bytes);
    assert.equal(stripped.includes(secret), false);
    const [before, after] = await Promise.all([sharp(bytes).metadata(), sharp(stripped).metadata()]);
    assert.equal(after.orientation ?? 1, before.orientation ?? 1);
    if (contentType !== 'image/gif') assert.equal(after.orientation, 6);
    assert.ok((after.exif?.length ?? 0) <= 40, 'nothing but the turn');
    assert.equal(after.xmp, undefined);
    assert.deepEqual(await sharp(stripped).raw().toBuffer(), await sharp(bytes).raw().toBuffer());
    const again = stripMetadata(contentType, stripped);
    assert.ok(again.stripped);
    assert.deepEqual(Buffer.from(again.bytes), stripped);
  });
}

test('what is cut off, or not of its format, is not stripped', async () => {
  const bytes = await picture().jpeg().toBuffer();
  for (let sizeBytes = 0; sizeBytes < bytes.length - 2; sizeBytes += 7)
    assert.equal(stripMetadata('image/jpeg', bytes.subarray(0, sizeBytes)).stripped, false, `${sizeBytes} bytes`);
  assert.equal(stripMetadata('image/png', bytes).stripped, false);
  assert.equal(stripMetadata('image/gif', bytes).stripped, false);
  assert.equal(isStrippable('image/tiff'), false);
});
