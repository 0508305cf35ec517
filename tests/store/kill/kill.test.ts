// STOWAGE_CRASH_ROUNDS sets how often (default 2); `npm run crash -- --kill=50` does the same and tells of it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runKillRounds } from './kill-rounds.ts';

const rounds = Number(process.env.STOWAGE_CRASH_ROUNDS ?? 2);

describe('an engine that is killed', () => {
  it(`keeps every acknowledged write through ${rounds} rounds of kill -9 under load over HTTP`, async () => {
    const { acknowledged, faults } = await runKillRounds({ rounds, tell: () => undefined });
    assert.deepEqual(faults, []);
    assert.ok(acknowledged > rounds * 5, `only ${acknowledged} writes were acknowledged`);
  });
});
