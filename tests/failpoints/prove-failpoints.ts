// The long form: plays every scenario to find which failpoints it reaches, and then lets the service die at every failpoint there is.
//   npm run prove -- failpoints [--only=TEXT] [--seed=N] [--rounds=N] [--lanes=N] [--discover]
// The first round dies behind each await the first time that it is reached, in the scenario that takes least; each further one in
// a random scenario, at a random time, before or behind it.

import { availableParallelism } from 'node:os';
import { readOptions } from '../../scripts/script-options.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import type { Armed } from './failpoint-messages.ts';
import { instrumentService } from './find-failpoints.ts';
import { play } from './play.ts';
import { gapsOf, type ReachedBy, readReachedBy, writeReachedBy } from './reached-by.ts';
import { scenarios } from './scenarios.ts';
import { openStage, type Stage } from './stage.ts';
import { unreachable } from './unreachable.ts';

/** One death that is to be died. */
interface Death extends Armed {
  readonly scenario: string;
}

/** How often each failpoint was reached, by scenario. */
type Counts = ReadonlyMap<string, Readonly<Record<string, number>>>;

const maxLanes = 3;
const reportEvery = 50;

export async function proveFailpoints(args: readonly string[]): Promise<number> {
  const { values } = readOptions(
    import.meta,
    {
      only: { type: 'string', default: '' },
      seed: { type: 'number', default: Date.now() % 1_000_000 },
      rounds: { type: 'number', default: 1 },
      lanes: { type: 'number', default: Math.min(maxLanes, availableParallelism()) },
      discover: { type: 'boolean' },
    },
    { args },
  );
  const startedMs = performance.now();
  const failpoints = (await instrumentService()).flatMap((file) => file.failpoints);
  console.log(`${failpoints.length} failpoints, ${Object.keys(scenarios).length} scenarios, --seed=${values.seed}`);
  const lanes = await Promise.all(Array.from({ length: values.lanes }, () => openStage({ keepsReady: true })));
  try {
    const counts = await discover(lanes);
    const reachedBy = await keepReachedBy(failpoints, counts);
    const { unreached } = gapsOf(failpoints, reachedBy);
    for (const name of unreached) console.log(`✖ ${name}: no scenario reaches it`);
    if (values.discover) return unreached.length === 0 ? 0 : 1;
    const random = randomOf(values.seed);
    const deaths = Array.from({ length: values.rounds }, (_, round) =>
      deathsOf({ round, reachedBy, counts, only: values.only, random }),
    ).flat();
    const failures = await dieAll(lanes, deaths, startedMs);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(
      `${deaths.length} deaths at ${new Set(deaths.map(({ failpoint }) => failpoint)).size} of ${failpoints.length} failpoints in ${seconds} s, ` +
        `${failures} failed, ${unreached.length} unreached, ${Object.keys(unreachable).length} cannot be reached.`,
    );
    return failures + unreached.length === 0 ? 0 : 1;
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

async function discover(lanes: readonly Stage[]): Promise<Counts> {
  const counts = new Map<string, Readonly<Record<string, number>>>();
  const waiting = (await playable()).values();
  await Promise.all(
    lanes.map(async (stage) => {
      for (const name of waiting) {
        try {
          counts.set(name, (await play(stage, name)).hits);
        } catch (error) {
          console.log(`✖ without a death: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }),
  );
  return counts;
}

/** Scenarios whose programs are there. */
async function playable(): Promise<readonly string[]> {
  const all = Object.entries(scenarios);
  const needed = all.some(([, { needs }]) => needs === 'postgres');
  const postgres = needed ? await startPostgres() : undefined;
  if (postgres?.found === false) console.log(`Without PostgreSQL: ${postgres.reason}.`);
  return all.filter(([, { needs }]) => needs === undefined || postgres?.found === true).map(([name]) => name);
}

/** The table made anew; of scenarios that could not be played it keeps what it knew. */
async function keepReachedBy(failpoints: readonly string[], counts: Counts): Promise<ReachedBy> {
  const before = await readReachedBy();
  const cheapest = [...counts].toSorted(([, one], [, other]) => total(one) - total(other));
  const found: Record<string, readonly string[]> = {};
  for (const failpoint of failpoints) {
    const reaching = cheapest.flatMap(([name, hits]) => (hits[failpoint] === undefined ? [] : [name]));
    const kept = (before[failpoint] ?? []).filter((name) => isKept(name, counts));
    if (reaching.length + kept.length > 0) found[failpoint] = [...new Set([...reaching, ...kept])];
  }
  await writeReachedBy(found);
  return found;
}

function isKept(name: string, counts: Counts): boolean {
  const scenario = scenarios[name];
  return scenario !== undefined && (!counts.has(name) || scenario.racing === true);
}

function total(hits: Readonly<Record<string, number>>): number {
  return Object.values(hits).reduce((sum, count) => sum + count, 0);
}

interface DeathsOptions {
  readonly round: number;
  readonly reachedBy: ReachedBy;
  readonly counts: Counts;
  readonly only: string;
  readonly random: () => number;
}

function deathsOf({ round, reachedBy, counts, only, random }: DeathsOptions): Death[] {
  return Object.entries(reachedBy).flatMap(([failpoint, reaching]): Death[] => {
    const known = reaching.filter((name) => counts.has(name));
    const scenario = known[round === 0 ? 0 : Math.floor(random() * known.length)];
    if (scenario === undefined || !failpoint.includes(only)) return [];
    if (round === 0) return [{ scenario, failpoint, place: 'after', time: 1 }];
    const time = 1 + Math.floor(random() * (counts.get(scenario)?.[failpoint] ?? 1));
    return [{ scenario, failpoint, place: random() < 0.5 ? 'before' : 'after', time }];
  });
}

async function dieAll(lanes: readonly Stage[], deaths: readonly Death[], startedMs: number): Promise<number> {
  const waiting = deaths.values();
  let done = 0;
  let failures = 0;
  await Promise.all(
    lanes.map(async (stage) => {
      for (const death of waiting) {
        const fault = await die(stage, death);
        done += 1;
        if (fault !== undefined) {
          failures += 1;
          console.log(`✖ ${death.failpoint} ${death.place} (${death.time}) in ${death.scenario}: ${fault}`);
        }
        if (done % reportEvery === 0) {
          console.log(`${done} of ${deaths.length} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
        }
      }
    }),
  );
  return failures;
}

/** What was wrong after it, if anything. */
export async function die(stage: Stage, { scenario, ...armed }: Death): Promise<string | undefined> {
  try {
    const { died } = await play(stage, scenario, armed);
    return died ? undefined : 'was not reached this time';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Park and Miller's: numbers from 0 to 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
