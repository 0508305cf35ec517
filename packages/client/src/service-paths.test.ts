// The paths written out in this package are the contract's.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { routeNames, routes } from '@stowage/contract';
import { servicePaths } from './service-paths.ts';

it('every path of the client is a route of the contract', () => {
  const known = new Set(routeNames.map((name) => routes[name].path.replaceAll(/\{\w+\}/g, '*')));
  for (const [name, path] of Object.entries(servicePaths)) {
    const written = (path as (...parts: string[]) => string)('*', '*').replaceAll('%2A', '*');
    assert.ok(known.has(written), `${name}: ${written} is not in the contract`);
  }
});

it('ids are escaped', () => {
  assert.equal(servicePaths.file('a/../b'), '/v1/files/a%2F..%2Fb');
});
