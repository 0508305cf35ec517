// npm run crash: the power-loss simulator. Histories of mixed work on a simulated disk, cut off at points that a seed chooses,
// each held against a model after every recovery (docs/durability.md).
//   npm run crash                          1,000 histories from a random seed
//   npm run crash -- --histories=10000     more
//   npm run crash -- --seed=N              one history again, with all that happened in it when it fails
//   npm run crash -- --seed=N --histories=M
//   npm run crash -- --mutations           each invariant switched off in turn: some history must notice, and which did is
//                                          kept in tests/mutations/caught-by.json; with --seed=N, looked for from there
//   npm run crash -- --kill=50             so many rounds of kill -9 of an engine under load, with one and two workers in turn
//   npm run crash -- --kill=50 --workers=3 with so many in every round
// Ends with code 1 when something was lost, or when a mutation went unnoticed.

import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { catchAllMutations } from '../tests/mutations/catch-all-mutations.ts';
import { renderKillRounds, runKillRounds } from '../tests/store/kill/kill-rounds.ts';
import { missedCuts, renderCoverage } from '../tests/store/power-loss/coverage.ts';
import { type HistoriesOutcome, runHistories } from '../tests/store/power-loss/run-histories.ts';
import { readOptions } from './script-options.ts';

const USUAL_HISTORIES = 1000;
const MAX_SEED = 2 ** 40;
const MAX_PROCESSES = 4;
/** A history takes some 20 ms; this is for a machine that has other things to do. */
const HISTORY_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 30_000;
/** Failed histories that are shown. */
const MAX_SHOWN = 5;

async function main(): Promise<number> {
  const { values } = readOptions(import.meta, {
    seed: { type: 'number' },
    histories: { type: 'number' },
    kill: { type: 'number' },
    workers: { type: 'number' },
    mutations: { type: 'boolean' },
  });
  const { seed, workers } = values;
  if (values.kill !== undefined) return kill({ rounds: values.kill, ...(workers === undefined ? {} : { workers }) });
  if (values.mutations) return catchAllMutations({ firstSeed: seed ?? 1, tell: (line) => console.log(line) });
  const usual = seed === undefined ? USUAL_HISTORIES : 1;
  return simulate(seed ?? randomInt(MAX_SEED), values.histories ?? usual);
}

async function simulate(firstSeed: number, count: number): Promise<number> {
  const startedMs = performance.now();
  const processes = Math.min(MAX_PROCESSES, availableParallelism(), count);
  const timeoutMs = START_TIMEOUT_MS + count * HISTORY_TIMEOUT_MS;
  const outcome = await runHistories({ firstSeed, count, processes, timeoutMs, traces: count === 1 });
  report(outcome, (performance.now() - startedMs) / 1000, count);
  if (outcome.failures.length > 0) return 1;
  console.log(`✔ Nothing acknowledged was lost. Seeds ${firstSeed} to ${firstSeed + count - 1}.`);
  return 0;
}

function report({ summary, failures }: HistoriesOutcome, seconds: number, count: number): void {
  const { histories, acknowledged, kinds, refusals, cuts } = summary;
  if (count > 1) console.log(renderCoverage(cuts));
  const missed = missedCuts(cuts);
  if (missed.length > 0 && count >= USUAL_HISTORIES) console.log(`Not met in this run: ${missed.join(', ')}.`);
  console.log(`Kinds: ${list(kinds)}. Refused: ${list(refusals)}.`);
  const perSecond = (histories / seconds).toFixed(0);
  console.log(`${histories} histories, ${acknowledged} acknowledged writes, ${seconds.toFixed(1)} s, ${perSecond}/s.`);
  for (const { seed, kind, fault, trace } of failures.slice(0, MAX_SHOWN)) {
    if (trace !== undefined) console.error(trace.join('\n'));
    console.error(`\n✖ seed ${seed} (${kind}): ${fault}\n  again, with a trace: npm run crash -- --seed=${seed}`);
  }
  if (failures.length > MAX_SHOWN) {
    const others = failures.slice(MAX_SHOWN).map(({ seed }) => seed);
    console.error(`… and ${others.length} more histories failed: ${others.join(', ')}.`);
  }
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

async function kill(options: { readonly rounds: number; readonly workers?: number }): Promise<number> {
  const outcome = await runKillRounds({ ...options, tell: (line) => console.log(line) });
  console.log(renderKillRounds(outcome));
  return outcome.faults.length === 0 ? 0 : 1;
}

process.exitCode = await main();
