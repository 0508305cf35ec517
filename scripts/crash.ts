// npm run crash: the power-loss simulator. Histories of mixed work on a simulated disk, cut off at points that a seed chooses,
// each held against a model after every recovery (docs/durability.md).
//   npm run crash                          1,000 histories from a random seed
//   npm run crash -- --histories=10000     more
//   npm run crash -- --seed=N              one history again, with all that happened in it when it fails
//   npm run crash -- --seed=N --histories=M

import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { missedCuts, renderCoverage } from '../tests/store/power-loss/coverage.ts';
import { type HistoriesOutcome, runHistories } from '../tests/store/power-loss/run-histories.ts';

const USUAL_HISTORIES = 1000;
const MAX_SEED = 2 ** 40;
const MAX_PROCESSES = 4;
/** A history takes some 20 ms; this is for a machine that has other things to do. */
const HISTORY_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 30_000;
/** Failed histories that are shown. */
const MAX_SHOWN = 5;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seed: { type: 'string' }, histories: { type: 'string' } } });
  const firstSeed = values.seed === undefined ? randomInt(MAX_SEED) : Number(values.seed);
  const usual = values.seed === undefined ? USUAL_HISTORIES : 1;
  const count = values.histories === undefined ? usual : Number(values.histories);
  if (!Number.isSafeInteger(firstSeed) || firstSeed < 0 || !Number.isSafeInteger(count) || count < 1) {
    console.error(`--seed and --histories take whole numbers; got ${values.seed} and ${values.histories}.`);
    return 2;
  }
  return simulate(firstSeed, count);
}

async function simulate(firstSeed: number, count: number): Promise<number> {
  const startedMs = performance.now();
  const processes = Math.min(MAX_PROCESSES, availableParallelism(), count);
  const timeoutMs = START_TIMEOUT_MS + count * HISTORY_TIMEOUT_MS;
  const outcome = await runHistories({ firstSeed, count, processes, timeoutMs, traces: count === 1 });
  const seconds = (performance.now() - startedMs) / 1000;
  report(outcome, seconds);
  if (outcome.failures.length > 0) return 1;
  console.log(`✔ Nothing acknowledged was lost. Seeds ${firstSeed} to ${firstSeed + count - 1}.`);
  return 0;
}

function report({ summary, failures }: HistoriesOutcome, seconds: number): void {
  const { histories, acknowledged, kinds, refusals, cuts } = summary;
  const perSecond = (histories / seconds).toFixed(0);
  console.log(renderCoverage(cuts));
  const missed = missedCuts(cuts);
  if (missed.length > 0) console.log(`Not met in this run: ${missed.join(', ')}.`);
  console.log(`Kinds: ${list(kinds)}. Refused: ${list(refusals)}.`);
  console.log(`${histories} histories, ${acknowledged} acknowledged writes, ${seconds.toFixed(1)} s, ${perSecond}/s.`);
  for (const { seed, kind, fault, trace } of failures.slice(0, MAX_SHOWN)) {
    if (trace !== undefined) console.error(trace.join('\n'));
    console.error(`\n✖ seed ${seed} (${kind}): ${fault}\n  again, with a trace: npm run crash -- --seed=${seed}`);
  }
  if (failures.length > MAX_SHOWN) console.error(`… and ${failures.length - MAX_SHOWN} more histories failed.`);
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

process.exitCode = await main();
