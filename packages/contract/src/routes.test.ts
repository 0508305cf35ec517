import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUploadRequestSchema, signPartsRequestSchema, uploadLimits } from './index.ts';
import { routeNames, routes } from './routes.ts';

test('no two routes have the same method and path, and only those with a body answer one', () => {
  const seen = routeNames.map((name) => `${routes[name].method} ${routes[name].path}`);
  assert.equal(new Set(seen).size, seen.length);
  for (const name of routeNames) {
    const { status, response, produces } = routes[name];
    assert.equal(response === undefined, status === 204 || status === 302 || produces !== undefined, name);
  }
});

test('what a client may ask for is bounded', () => {
  const accepts = (value: unknown): boolean => createUploadRequestSchema.safeParse(value).success;
  assert.ok(accepts({ name: 'ä'.repeat(512), sizeBytes: 0 }));
  assert.equal(accepts({ name: 'ä'.repeat(513), sizeBytes: 0 }), false);
  assert.equal(accepts({ name: 'a', sizeBytes: 0.5 }), false);
  assert.equal(accepts({ name: 'a', sizeBytes: 1, folder: Array(65).fill('x') }), false);
  const sign = (partNumbers: readonly number[]): boolean => signPartsRequestSchema.safeParse({ partNumbers }).success;
  assert.ok(sign(Array.from({ length: uploadLimits.maxPartsPerSigning }, (_, index) => index + 1)));
  assert.equal(sign(Array.from({ length: uploadLimits.maxPartsPerSigning + 1 }, (_, index) => index + 1)), false);
  assert.equal(sign([0]), false);
  assert.equal(sign([10_001]), false);
});
