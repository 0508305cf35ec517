import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultLimits } from './limits.ts';
import { partSize, planParts } from './part-plan.ts';

const mib = 1024 * 1024;

test('up to the threshold by one PUT, above it in parts', () => {
  assert.equal(planParts(0, defaultLimits).strategy, 'put');
  assert.equal(planParts(16 * mib, defaultLimits).strategy, 'put');
  assert.deepEqual(planParts(16 * mib + 1, defaultLimits), {
    strategy: 'multipart',
    partSizeBytes: 8 * mib,
    partCount: 3,
  });
});

test('parts of every size that is taken are within S3’s bounds and add up', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16 * mib + 1, max: defaultLimits.maxFileSizeBytes }), (sizeBytes) => {
      const { partSizeBytes, partCount } = planParts(sizeBytes, defaultLimits);
      assert.ok(partSizeBytes !== null && partCount !== null);
      assert.ok(partCount >= 1 && partCount <= 10_000);
      assert.ok(partSizeBytes >= 5 * mib && partSizeBytes <= 5 * 1024 * mib);
      const last = partSize(sizeBytes, partSizeBytes, partCount);
      assert.ok(last > 0 && last <= partSizeBytes);
      assert.equal((partCount - 1) * partSizeBytes + last, sizeBytes);
    }),
    { verbose: true },
  );
});
