// The short form of the model proof (npm run prove -- model): random sequences of commands on a real service, each step held against
// a model, the eleven invariants proven after each sequence. Every run takes other seeds; SEED repeats one.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { startPostgres } from '../servers/postgres-server.ts';
import { renderFailure, runSequences, type SequencesOptions } from './model/run-sequences.ts';

const sequences = Number(process.env.SEQUENCES ?? 60);
/** So many are run however long they take: fewer would prove next to nothing. */
const fewestSequences = Math.min(20, sequences);
/** Others that have not begun by then are left out, and the test says so: a loaded machine must not hold up all others. */
const enoughMs = 15_000;
const timeoutMs = 120_000;
const postgres = await startPostgres();

test('no sequence of commands breaks an invariant, on SQLite', { timeout: timeoutMs }, (t) => live(t, {}));

test('no sequence of commands breaks an invariant, on PostgreSQL with two instances', {
  timeout: timeoutMs,
  skip: postgres.found ? false : postgres.reason,
}, async (t) => {
  assert.ok(postgres.found);
  await live(t, { instances: 2, database: { url: await postgres.createDatabase() } });
});

async function live(t: TestContext, over: Pick<SequencesOptions, 'database' | 'instances'>): Promise<void> {
  const firstSeed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${firstSeed}`);
  const untilMs = performance.now() + enoughMs;
  let held = 0;
  const outcome = await runSequences({
    ...over,
    firstSeed,
    count: sequences,
    goesOn: () => held < fewestSequences || performance.now() < untilMs,
    onSequence: (done) => {
      held = done;
    },
  });
  if (outcome.failure !== undefined) assert.fail(renderFailure(outcome.failure));
  t.diagnostic(`${outcome.sequences} of ${sequences} sequences, ${outcome.coverage.commands} commands`);
  assert.ok(outcome.sequences >= fewestSequences, `only ${outcome.sequences} of at least ${fewestSequences} were run`);
}
