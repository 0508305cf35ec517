import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilesError } from '../files-error.ts';
import { openReadiness } from './readiness.ts';

const isDown = (error: unknown): boolean =>
  isFilesError(error) && error.code === 'database-unavailable' && error.retryAfterSeconds !== undefined;

test('who asks while the database is silent is told so in time, and all share one look', async () => {
  let looks = 0;
  const answer = Promise.withResolvers<void>();
  const requireReady = openReadiness({
    timeoutMs: 30,
    ping: () => {
      looks += 1;
      return looks === 1 ? answer.promise : Promise.resolve();
    },
  });
  await Promise.all(Array.from({ length: 20 }, () => assert.rejects(requireReady(), isDown)));
  await assert.rejects(requireReady(), isDown);
  assert.equal(looks, 1);
  answer.reject(new Error('gone'));
  await assert.rejects(requireReady(), isDown);
  await requireReady();
  assert.equal(looks, 2);
});
