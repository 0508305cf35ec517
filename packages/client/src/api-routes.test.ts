import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeNames, routes } from '@stowage/contract';
import { apiRoutes } from './api-routes.ts';

test('each route lies where the contract says', () => {
  const told = Object.fromEntries(routeNames.map((name) => [name, [routes[name].method, routes[name].path]]));
  assert.deepEqual(apiRoutes, told);
});
