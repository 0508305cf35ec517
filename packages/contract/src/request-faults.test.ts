import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Route } from './index.ts';
import { requestFaults, secretFields } from './request-faults.ts';
import { routeNames, routes } from './routes.ts';

test('every field whose name says that it is a secret is one whose value is not shown', () => {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('properties' in node) for (const name of Object.keys(Object(node.properties))) names.add(name);
    Object.values(node).forEach(walk);
  };
  for (const name of routeNames) {
    const { body, query }: Route = routes[name];
    for (const schema of [body, query]) if (schema !== undefined) walk(z.toJSONSchema(schema, { io: 'input' }));
  }
  const telling = [...names].filter((name) => /pass|secret|token|code|current|key/i.test(name));
  assert.deepEqual(telling.sort(), [...secretFields].sort());
});

test('of very many faults so many are told as anybody will read, and quickly', () => {
  const item = z.strictObject({ name: z.string(), contentType: z.string().exactOptional() });
  const schema = z.strictObject({ items: z.array(item) });
  const wrong = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`contenttype${index}`, 'x']));
  const value = { items: Array.from({ length: 100 }, () => wrong), ['x'.repeat(100_000)]: '\u202e' };
  const { error } = schema.safeParse(value);
  assert.ok(error);
  const startMs = performance.now();
  const faults = requestFaults({ schema, value, error, place: 'body' });
  assert.ok(performance.now() - startMs < 1_000);
  assert.equal(faults.length, 100);
  assert.ok(faults.every(({ path, message }) => path.length < 200 && message.length < 300));
});
