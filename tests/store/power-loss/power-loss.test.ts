// Other histories each time; the seed of one that fails is printed, and `npm run crash -- --seed=N` tells what happened in it.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { type HistoriesOptions, runHistories } from './run-histories.ts';
import type { FailedHistory } from './simulation-process.ts';

const maxSeed = 2 ** 40;
const count = 200;
const timeoutMs = 200_000;

/** Histories that have found something that no other test of its own could be written for. */
const found = {
  'a list of removed segments whose folder could not be synced, while a segment was begun': 377208782413,
  'a full segment that could not be synced, while a checkpoint was under way': 700000002845,
  'a segment whose first batch could not be synced, before the process ended and then the power': 284315769066,
  'a large body that took the room which was given up for deletes': 900000002038,
} as const;

function told(failures: readonly FailedHistory[]): string {
  return failures.map(({ seed, fault }) => `npm run crash -- --seed=${seed}\n${fault}`).join('\n\n');
}

async function run(options: Omit<HistoriesOptions, 'timeoutMs'>): Promise<number> {
  const { failures, summary } = await runHistories({ ...options, timeoutMs });
  assert.ok(failures.length === 0, told(failures));
  return summary.acknowledged;
}

describe('power loss', () => {
  it(`keeps what was acknowledged through ${count} histories`, async (context) => {
    const firstSeed = randomInt(maxSeed);
    context.diagnostic(`seeds from ${firstSeed}`);
    const acknowledged = await run({ firstSeed, count, processes: 2 });
    assert.ok(acknowledged > count * 10, `only ${acknowledged} writes were acknowledged`);
  });

  it('repeats a history by its seed', async () => {
    await run({ firstSeed: 1, count: 15, repeats: true });
  });

  for (const [what, firstSeed] of Object.entries(found)) {
    it(`keeps it beside ${what}`, async () => {
      await run({ firstSeed, count: 1 });
    });
  }
});
