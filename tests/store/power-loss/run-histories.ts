// Runs histories in processes of their own, several at a time, and adds up what they tell.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HistoryKind } from './circumstances.ts';
import type {
  Counts,
  FailedHistory,
  SimulationMessage,
  SimulationOrder,
  SimulationSummary,
} from './simulation-process.ts';

export interface HistoriesOptions {
  readonly firstSeed: number;
  readonly count: number;
  /** Default: 1. */
  readonly processes?: number;
  /** Leaves out the histories of all other kinds. Default: none. */
  readonly kind?: HistoryKind;
  /** Default: false. */
  readonly stopsAtFailure?: boolean;
  /** Default: false. */
  readonly traces?: boolean;
  /** Runs each twice, to see whether its seed repeats it. Default: false. */
  readonly repeats?: boolean;
  /** Before Node's own script: `--import` of what changes the code. Default: none. */
  readonly nodeArguments?: readonly string[];
  /** A process that takes longer is ended, and its history counts as failed. */
  readonly timeoutMs: number;
}

export interface HistoriesOutcome {
  readonly failures: readonly FailedHistory[];
  readonly summary: SimulationSummary;
}

const script = fileURLToPath(new URL('simulation-process.ts', import.meta.url));

export async function runHistories(options: HistoriesOptions): Promise<HistoriesOutcome> {
  const { firstSeed, count, processes = 1 } = options;
  const share = Math.ceil(count / processes);
  const outcomes = await Promise.all(
    Array.from({ length: processes }, (_, index) => {
      const start = Math.min(index * share, count);
      return runProcess({ ...options, firstSeed: firstSeed + start, count: Math.min(share, count - start) });
    }),
  );
  return {
    failures: outcomes.flatMap(({ failures }) => failures),
    summary: addUp(outcomes.map(({ summary }) => summary)),
  };
}

async function runProcess(options: HistoriesOptions): Promise<HistoriesOutcome> {
  const {
    firstSeed,
    count,
    stopsAtFailure = false,
    traces = false,
    repeats = false,
    kind,
    nodeArguments = [],
    timeoutMs,
  } = options;
  const order: SimulationOrder = {
    firstSeed,
    count,
    stopsAtFailure,
    traces,
    repeats,
    ...(kind === undefined ? undefined : { kind }),
  };
  const child = spawn(process.execPath, [...nodeArguments, script, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const failures: FailedHistory[] = [];
  let summary: SimulationSummary | undefined;
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    // simulation-process.ts wrote this line.
    const message = JSON.parse(line) as SimulationMessage;
    if ('failure' in message) failures.push(message.failure);
    else summary = message.summary;
  });
  const [code, signal] = await once(child, 'close');
  clearTimeout(limit);
  if (summary !== undefined) return { failures, summary };
  const how = signal === null ? `ended with ${String(code)}` : `was ended by ${String(signal)}`;
  const fault = `The process of seeds ${firstSeed} to ${firstSeed + count - 1} ${how}.\n${complaint}`;
  return { failures: [...failures, { seed: firstSeed, kind: 'unknown', fault }], summary: addUp([]) };
}

function addUp(summaries: readonly SimulationSummary[]): SimulationSummary {
  return {
    histories: summaries.reduce((total, { histories }) => total + histories, 0),
    acknowledged: summaries.reduce((total, { acknowledged }) => total + acknowledged, 0),
    kinds: addCounts(summaries.map(({ kinds }) => kinds)),
    refusals: addCounts(summaries.map(({ refusals }) => refusals)),
    cuts: addCounts(summaries.map(({ cuts }) => cuts)),
  };
}

function addCounts(all: readonly Counts[]): Counts {
  const sums = new Map<string, number>();
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}
