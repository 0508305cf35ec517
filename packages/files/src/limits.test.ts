import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLimits, defaultLimits, type FilesLimits } from './limits.ts';

test('the defaults are within their own ranges', () => {
  assert.deepEqual(chooseLimits(), defaultLimits);
});

test('a limit that would stop the service, or stop nothing, is refused by its name', () => {
  const nonsense: Partial<FilesLimits>[] = [
    { jobConcurrency: 0 },
    { bucketTimeoutMs: 0 },
    { bucketTimeoutMs: 2 ** 31 },
    { requestsPerSecond: 0 },
    { uploadLifeMs: 0 },
    { minPartSizeBytes: 1 },
    { reconcileRuns: 0 },
    { scanMaxBytes: -1 },
    { trashRetentionMs: 0.5 },
  ];
  for (const given of nonsense) {
    const [name = ''] = Object.keys(given);
    assert.throws(() => chooseLimits(given), { name: 'RangeError', message: new RegExp(`^The limit ${name} is `) });
  }
});

test('limits that contradict one another are refused, with both names', () => {
  assert.throws(() => chooseLimits({ urlLifeMs: 60_000, uploadLifeMs: 30_000 }), /urlLifeMs .* uploadLifeMs/);
  assert.throws(() => chooseLimits({ bucketTotalMs: 1_000 }), /bucketTimeoutMs .* bucketTotalMs/);
});
