// Plays one scenario, whole or with the service dying in it at one failpoint, lets everything come to rest, and holds what is there then
// against the eleven invariants and against what the scenario was promised.

import assert from 'node:assert/strict';
import { openProofBucket } from '../proof/invariants/proof-bucket.ts';
import { openProofDatabase } from '../proof/invariants/proof-database.ts';
import { assertInvariants } from '../proof/invariants.ts';
import type { Armed, Hits } from './failpoint-messages.ts';
import { scenarios } from './scenarios.ts';
import type { Stage } from './stage.ts';
import { dayMs, hourMs, minuteMs, World } from './world.ts';

interface Played {
  /** Whether the service died; without a failpoint never. */
  readonly died: boolean;
  /** What was reached, where it did not die. */
  readonly hits: Hits;
}

/**
 * Deadlines that pass before the world is looked at: reviews, an upload's day, what URLs may yet write. Then weeks, in which the service
 * compares bucket and database by itself and removes what the dead one left behind.
 */
const settlingMs = [11 * minuteMs, 11 * minuteMs, dayMs, hourMs, hourMs, hourMs, 8 * dayMs, 8 * dayMs, hourMs];

/** Throws when an invariant is broken, a promise is not kept, or the service fails in another way. */
export async function play(stage: Stage, name: string, armed?: Armed): Promise<Played> {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`There is no scenario ${name}.`);
  stage.proxy.fault = () => undefined;
  const world = await World.open(stage, (await scenario.options?.(stage)) ?? {}, { armed });
  try {
    world.cookie = await world.signIn();
    await scenario.play(world);
    const hits = await world.restart();
    await settle(world);
    return { died: world.ends > 0, hits };
  } catch (error) {
    throw new Error(
      `${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${world.complaints.slice(-5).join('\n')}`,
      {
        cause: error,
      },
    );
  } finally {
    await world.close();
  }
}

async function settle(world: World): Promise<void> {
  await world.tick();
  for (const durationMs of settlingMs) await world.pass(durationMs);
  await world.keepPromises();
  await check(world);
  assert.deepEqual(leftOver(world), [], 'The bucket holds what no file knows of.');
}

async function check(world: World): Promise<void> {
  const { engine, clock } = world.stage;
  const { endpoint, region, credentials } = engine;
  const bucket = openProofBucket({ endpoint, region, bucket: world.bucket, credentials, clock });
  const database = await openProofDatabase(world.options.database);
  try {
    const secret = Buffer.from(world.options.secretHex, 'hex');
    await assertInvariants({ database, bucket, secret, nowMs: clock(), settled: true });
  } finally {
    await database.close();
    bucket.close();
  }
}

/** Unfinished uploads: at rest there are none. */
function leftOver(world: World): readonly string[] {
  const { store } = world.stage.engine;
  if (store.getBucket(world.bucket) === undefined) return [];
  const page = { bucket: world.bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 1000 };
  return store.listUploads(page).uploads.map(({ key }) => key);
}
