// The process in which histories run, one after the other, in time that is virtual. Its one argument says which. It prints a
// line of JSON for each history that failed, and a summary at its end. Started by run-histories.ts.

import { writeSync } from 'node:fs';
import type { HistoryKind } from './circumstances.ts';
import type { HistoryResult } from './history.ts';
import { installVirtualTime } from './virtual-time.ts';

export interface SimulationOrder {
  readonly firstSeed: number;
  readonly count: number;
  /** Leaves out the histories of all other kinds. Absent: none. */
  readonly kind?: HistoryKind;
  /** Whether the first failure ends it. */
  readonly stopsAtFailure: boolean;
  /** Whether to tell of a failed history what happened in it. */
  readonly traces: boolean;
  /** Whether to run each history twice, and to hold the two against each other. */
  readonly repeats: boolean;
}

/** Counts of what happened, by name. */
export type Counts = Readonly<Record<string, number>>;

export interface FailedHistory {
  readonly seed: number;
  readonly kind: string;
  readonly fault: string;
  /** Absent when it was not asked for. */
  readonly trace?: readonly string[];
}

export interface SimulationSummary {
  readonly histories: number;
  readonly acknowledged: number;
  readonly kinds: Counts;
  readonly refusals: Counts;
  /** By phase, class and moment, joined by `|`. */
  readonly cuts: Counts;
}

export type SimulationMessage = { readonly failure: FailedHistory } | { readonly summary: SimulationSummary };

async function main(order: SimulationOrder): Promise<void> {
  installVirtualTime();
  // Only now: what it imports may take hold of timers.
  const { runHistory, kindOf } = await import('./history.ts');
  const kinds = new Map<string, number>();
  const refusals = new Map<string, number>();
  const cuts = new Map<string, number>();
  let acknowledged = 0;
  let histories = 0;
  for (let seed = order.firstSeed; seed < order.firstSeed + order.count; seed += 1) {
    if (order.kind !== undefined && kindOf(seed) !== order.kind) continue;
    const result = order.repeats ? await runTwice(runHistory, seed) : await runHistory(seed);
    histories += 1;
    acknowledged += result.acknowledged;
    add(kinds, result.kind);
    for (const [code, count] of result.refusals) add(refusals, code, count);
    for (const { phase, cutClass, moment } of result.cuts) add(cuts, `${phase}|${cutClass}|${moment}`);
    if (result.fault === undefined) continue;
    const { kind, fault } = result;
    const trace: string[] = [];
    if (order.traces) await runHistory(seed, trace);
    print({ failure: { seed, kind, fault, ...(order.traces ? { trace } : undefined) } });
    if (order.stopsAtFailure) break;
  }
  print({
    summary: { histories, acknowledged, kinds: toRecord(kinds), refusals: toRecord(refusals), cuts: toRecord(cuts) },
  });
}

/** A seed decides everything that happens: otherwise what it has found could not be found again. */
async function runTwice(
  runHistory: (seed: number, trace: string[]) => Promise<HistoryResult>,
  seed: number,
): Promise<HistoryResult> {
  const [one, two]: [string[], string[]] = [[], []];
  await runHistory(seed, one);
  const result = await runHistory(seed, two);
  const at = one.findIndex((line, index) => line !== two[index]);
  if (at < 0 && one.length === two.length) return result;
  return { ...result, fault: `Run again, the history differs in step ${at}: ${one[at]} and ${two[at]}.` };
}

function add(counts: Map<string, number>, name: string, count = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function toRecord(counts: ReadonlyMap<string, number>): Counts {
  return Object.fromEntries(counts);
}

function print(message: SimulationMessage): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

if (import.meta.main) {
  // run-histories.ts wrote this argument.
  await main(JSON.parse(process.argv[2] ?? '') as SimulationOrder);
  // What a mutation has left waiting must not keep the process.
  process.exit();
}
