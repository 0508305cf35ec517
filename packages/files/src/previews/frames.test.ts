import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFrameReader, frameHeader } from './frames.ts';

test('frames come out as they went in, however they are cut', () => {
  const property = fc.property(
    fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }),
    fc.integer({ min: 1, max: 20 }),
    (frames, cutBytes) => {
      const stream = Buffer.concat(frames.flatMap((frame) => [frameHeader(frame.length), Buffer.from(frame)]));
      const read: Buffer[] = [];
      const reader = createFrameReader(50, (frame) => read.push(frame));
      for (let start = 0; start < stream.length; start += cutBytes) reader(stream.subarray(start, start + cutBytes));
      assert.deepEqual(
        read,
        frames.map((frame) => Buffer.from(frame)),
      );
    },
  );
  fc.assert(property, { verbose: true });
});

test('a frame that is announced too large is refused before memory is taken', () => {
  const read = createFrameReader(10, () => assert.fail('no frame'));
  assert.throws(() => read(frameHeader(11)), /11 bytes was announced; at most 10/);
});
