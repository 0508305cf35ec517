import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { instrument, instrumentService } from './find-failpoints.ts';
import { die, randomOf } from './prove-failpoints.ts';
import { gapsOf, readReachedBy } from './reached-by.ts';
import { scenarios } from './scenarios.ts';
import { openStage } from './stage.ts';

/** Deaths of the short form; the long one, `npm run prove -- failpoints`, dies at every failpoint. */
const sampleSize = 5;

test('a failpoint stands behind every await, named after its function, and no line moves', () => {
  const { failpoints, text } = instrument(
    'tree/a.ts',
    `export const a = {
  get: async (id: string) => (await find(await idOf(id)))?.row,
};
async function all(): Promise<void> {
  for await (const row of rows()) use(row);
  await Promise.all(
    [1].map(async () => await one()),
  );
}`,
  );
  assert.deepEqual(failpoints, ['tree/a:get:1', 'tree/a:get:2', 'tree/a:all:1', 'tree/a:all:2', 'tree/a:all:3']);
  assert.equal(
    text,
    `export const a = {
  get: async (id: string) => (__stowageFailpointReached("tree/a:get:1", await (__stowageFailpointAhead("tree/a:get:1"), find(__stowageFailpointReached("tree/a:get:2", await (__stowageFailpointAhead("tree/a:get:2"), idOf(id)))))))?.row,
};
async function all(): Promise<void> {
  for await (const row of (__stowageFailpointAhead("tree/a:all:1"), rows())) {__stowageFailpointReached("tree/a:all:1", undefined);use(row);}
  __stowageFailpointReached("tree/a:all:2", await (__stowageFailpointAhead("tree/a:all:2"), Promise.all(
    [1].map(async () => __stowageFailpointReached("tree/a:all:3", await (__stowageFailpointAhead("tree/a:all:3"), one()))),
  )));
}`,
  );
});

test('every await that touches the database or S3 is reached by a scenario', async () => {
  const failpoints = (await instrumentService()).flatMap((file) => file.failpoints);
  assert.ok(failpoints.length > 500, `Only ${failpoints.length} failpoints were found.`);
  const { unreached, stale } = gapsOf(failpoints, await readReachedBy());
  const advice =
    'Run npm run prove -- failpoints --discover. If it still misses some, extend a scenario in tests/failpoints/scenarios.';
  assert.deepEqual(unreached, [], `No scenario is known to reach these. ${advice}`);
  assert.deepEqual(stale, [], `These are no longer in the code. ${advice}`);
});

test('the service dies at some of them and everything converges', async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const random = randomOf(seed);
  const stage = await openStage({ keepsReady: false });
  t.after(() => stage.close());
  const reachedBy = Object.entries(await readReachedBy());
  for (let count = 0; count < sampleSize; count++) {
    const [failpoint = '', reaching = []] = reachedBy[Math.floor(random() * reachedBy.length)] ?? [];
    const scenario = reaching.find((name) => scenarios[name]?.needs === undefined);
    if (scenario === undefined) continue;
    const death = { scenario, failpoint, place: random() < 0.5 ? 'before' : 'after', time: 1 } as const;
    assert.equal(await die(stage, death), undefined, `SEED=${seed}: ${failpoint} ${death.place} in ${scenario}`);
  }
});
