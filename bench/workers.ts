// What more workers add: 4 KiB PUT and GET at 64 connections on our engine with 1, 2 and 3 workers, and the processor time
// that each kind of thread spends on one operation. The committer's is what bounds the whole: it is one thread.
// Rounds are interleaved. Linux only: threads are told apart by /proc.
//   --rounds N    default 5
//   --seconds N   of one measurement; default 2
//   --workers L   default 1,2,3
//   --keep        keep the result among bench/results/

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from '../scripts/script-options.ts';
import { LoadProcesses } from './load/load-processes.ts';
import { Contender } from './measure.ts';
import { median } from './median.ts';
import { residentMemory } from './process-usage.ts';
import { keepResult, resultFrame, type WorkersResult } from './results.ts';
import { type StowageServer, startStowage } from './servers/stowage-server.ts';
import { workloads } from './workloads.ts';

/** USER_HZ of Linux. */
const ticksPerSecond = 100;
const warmUpMs = 500;
const loadProcesses = 2;

/** Seconds of processor time since the start. */
interface ThreadTimes {
  readonly main: number;
  readonly workers: number;
  /** libuv's pool (files, syncs) and V8's helpers. */
  readonly others: number;
}

async function threadTimes(pid: number): Promise<ThreadTimes> {
  const times = { main: 0, workers: 0, others: 0 };
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const seconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    if (Number(thread) === pid) times.main += seconds;
    else if (name === 'engine-worker') times.workers += seconds;
    else times.others += seconds;
  }
  return times;
}

type Row = WorkersResult['rows'][number];

interface Round extends Pick<Row, 'workload' | 'workers'> {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Microseconds for each operation. */
  readonly micros: ThreadTimes;
}

async function measure(
  contender: Contender,
  server: StowageServer,
  workload: (typeof workloads)[number],
  run: { readonly round: number; readonly durationMs: number },
): Promise<Round> {
  // Once without counting: it prepares what the workload needs.
  if (run.round === 0) await contender.measure(workload, { ...run, durationMs: warmUpMs });
  const before = await threadTimes(server.pid);
  const measured = await contender.measure(workload, run);
  const after = await threadTimes(server.pid);
  const each = (part: keyof ThreadTimes): number => ((after[part] - before[part]) * 1e6) / measured.operations;
  return {
    workload: workload.name,
    workers: server.workers,
    perSecond: measured.operationsPerSecond,
    p50Ms: measured.p50Ms,
    p99Ms: measured.p99Ms,
    micros: { main: each('main'), workers: each('workers'), others: each('others') },
  };
}

function medians(rounds: readonly Round[]): Row {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const [first] = rounds;
  return {
    workload: first?.workload ?? '',
    workers: first?.workers ?? 0,
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    mainUs: of(({ micros }) => micros.main),
    workersUs: of(({ micros }) => micros.workers),
    othersUs: of(({ micros }) => micros.others),
  };
}

function renderRow({ workload, workers, perSecond, p50Ms, p99Ms, mainUs, workersUs, othersUs }: Row): string {
  const name = `${workload}, ${workers} workers`.padEnd(28);
  const rates = [perSecond.toFixed(0).padStart(10), p50Ms.toFixed(2).padStart(7), p99Ms.toFixed(2).padStart(7)];
  const costs = [mainUs.toFixed(1).padStart(27), workersUs.toFixed(1).padStart(6), othersUs.toFixed(1).padStart(6)];
  return `${name}${[...rates, ...costs].join('  ')}`;
}

async function main(): Promise<void> {
  const { values } = readOptions(import.meta, {
    rounds: { type: 'number', default: 5 },
    seconds: { type: 'number', default: 2 },
    workers: { type: 'string', default: '1,2,3' },
    keep: { type: 'boolean' },
  });
  const directory = await mkdtemp(join(tmpdir(), 'stowage-bench-'));
  const load = LoadProcesses.start(loadProcesses);
  const servers: StowageServer[] = [];
  const results = new Map<string, Round[]>();
  try {
    for (const workers of values.workers.split(',').map(Number)) {
      servers.push(await startStowage({ directory: join(directory, String(workers)), workers }));
    }
    const contenders = servers.map((server) => ({ server, contender: new Contender(server, load) }));
    const chosen = workloads.filter(({ name }) => name === 'put-4k' || name === 'get-4k');
    for (let round = 0; round <= values.rounds; round += 1) {
      for (const workload of chosen) {
        for (const { server, contender } of round % 2 === 0 ? contenders : contenders.toReversed()) {
          const durationMs = round === 0 ? warmUpMs : values.seconds * 1000;
          const measured = await measure(contender, server, workload, { round, durationMs });
          const name = `${workload.name} ${server.name}`;
          if (round > 0) results.set(name, [...(results.get(name) ?? []), measured]);
        }
      }
    }
    const rows = [...results.values()];
    console.log(`${''.padEnd(28)}per second   p50 ms   p99 ms   µs of processor time: main  workers  others`);
    for (const row of rows.map(medians)) console.log(renderRow(row));
    if (values.keep)
      console.log(`Kept in ${await keepResult<WorkersResult>({ ...resultFrame('workers'), rows: rows.map(medians) })}`);
    for (const { name, pid } of servers) {
      const memory = residentMemory(pid);
      console.log(`${name}: ${((memory?.ownBytes ?? 0) / 1e6).toFixed(0)} MB of its own memory`);
    }
  } finally {
    load.close();
    for (const server of servers) await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

await main();
