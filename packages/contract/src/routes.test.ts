import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUploadRequestSchema, signPartsRequestSchema, uploadLimits } from './index.ts';
import { problemsOf } from './routes/route.ts';
import { routeNames, routes } from './routes.ts';

test('no two routes have the same method and path, and only those with a body answer one', () => {
  const seen = routeNames.map((name) => `${routes[name].method} ${routes[name].path}`);
  assert.equal(new Set(seen).size, seen.length);
  for (const name of routeNames) {
    const { status, response, produces } = routes[name];
    assert.equal(response === undefined, status === 204 || status === 302 || produces !== undefined, name);
  }
});

test('what a route may refuse follows from its row, and a row names only what does not', () => {
  for (const name of routeNames) {
    const route = routes[name];
    const following = new Set<string>(problemsOf({ ...route, problems: [] }));
    const twice = route.problems.filter((code, index, all) => following.has(code) || all.indexOf(code) !== index);
    assert.deepEqual(twice, [], name);
    const codes = problemsOf(route);
    assert.deepEqual(codes, [...new Set(codes)], name);
    assert.equal(codes.includes('cross-site'), route.method !== 'GET', name);
    assert.equal(codes.includes('request-too-large'), route.body !== undefined, name);
    assert.equal(codes.includes('forbidden'), route.requires !== null || route.access === 'person', name);
  }
  assert.ok(!problemsOf(routes.getSession).includes('forbidden'));
  assert.ok(problemsOf(routes.listSessions).includes('forbidden'), 'which is for people, not for keys');
  assert.ok(problemsOf(routes.getArchive).includes('bytes-missing'));
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
