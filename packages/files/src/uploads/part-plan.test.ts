import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadMeans } from '@stowage/contract';
import fc from 'fast-check';
import { type Capability, expectedCapabilities } from '../bucket/capabilities.ts';
import { isFilesError } from '../files-error.ts';
import { defaultLimits } from '../limits.ts';
import { partSize, planParts, planUpload } from './part-plan.ts';

const mib = 1024 * 1024;
const gib = 1024 * mib;
const every: readonly UploadMeans[] = ['put', 'form', 'multipart'];

/** Amazon S3, without what is named, in a bucket that keeps versions or not. */
function plan(
  sizeBytes: number,
  over: {
    accepts?: readonly UploadMeans[];
    allowed?: readonly UploadMeans[];
    lacks?: readonly Capability[];
    versions?: boolean;
  } = {},
) {
  const { accepts = every, allowed = every, lacks = [], versions = false } = over;
  const found = { ...expectedCapabilities('aws'), versions };
  for (const name of lacks) found[name] = false;
  return planUpload({ sizeBytes, accepts, allowed, found }, defaultLimits);
}

test('up to the threshold by one PUT, above it in parts', () => {
  assert.equal(plan(0).strategy, 'put');
  assert.equal(plan(16 * mib).strategy, 'put');
  const { strategy, partSizeBytes, partCount } = plan(16 * mib + 1);
  assert.deepEqual([strategy, partSizeBytes, partCount], ['multipart', 8 * mib, 3]);
});

test('what client and policy leave decides', () => {
  assert.equal(plan(1, { accepts: ['form', 'multipart'] }).strategy, 'form');
  assert.equal(plan(1, { accepts: ['multipart'] }).strategy, 'multipart');
  assert.equal(plan(5 * gib, { accepts: ['put'] }).strategy, 'put');
  assert.equal(plan(1, { allowed: ['form'] }).strategy, 'form');
  const impossible = [
    () => plan(5 * gib + 1, { accepts: ['put', 'form'] }),
    () => plan(1, { accepts: ['put'], allowed: ['form'] }),
    () => plan(0, { accepts: ['multipart'] }),
  ];
  for (const ask of impossible) assert.throws(ask, (error) => isFilesError(error) && error.code === 'invalid-request');
});

test('the cheapest seal that was proven is taken, and without any nothing is', () => {
  assert.equal(plan(1).sealedBy, 'if-none-match');
  assert.equal(plan(17 * mib).sealedBy, 'service-only');
  for (const lacking of ['conditionalPut', 'conditionalPutRace', 'conditionalPutSigned'] as const) {
    assert.equal(plan(1, { lacks: [lacking], versions: true }).sealedBy, 'version-id');
    assert.equal(plan(1, { lacks: [lacking] }).sealedBy, 'promotion');
  }
  assert.equal(plan(1, { accepts: ['form'], versions: true }).sealedBy, 'version-id');
  assert.equal(plan(1, { accepts: ['form'] }).sealedBy, 'promotion');
  const lacks = ['conditionalPut', 'copy'] as const;
  assert.equal(plan(1, { lacks }).strategy, 'multipart', 'another way that can be sealed is taken first');
  assert.throws(
    () => plan(1, { accepts: ['put'], lacks }),
    (error) =>
      isFilesError(error) && error.code === 'storage-unavailable' && /needs conditionalPut/.test(error.detail ?? ''),
  );
});

test('parts of every size that is taken are within S3’s bounds and add up', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: defaultLimits.maxFileSizeBytes }), (sizeBytes) => {
      const { partSizeBytes, partCount } = planParts(sizeBytes, defaultLimits);
      assert.ok(partCount >= 1 && partCount <= 10_000);
      assert.ok(partSizeBytes >= 5 * mib && partSizeBytes <= 5 * gib);
      const last = partSize(sizeBytes, partSizeBytes, partCount);
      assert.ok(last > 0 && last <= partSizeBytes);
      assert.equal((partCount - 1) * partSizeBytes + last, sizeBytes);
    }),
    { verbose: true },
  );
});
