// npm run bench: the workloads of workloads.ts on our engine and its peers, in one run. Rounds are interleaved, forwards
// and backwards in turn, so that a busy minute of the machine hits all; the load comes from processes of its own; what an
// acknowledged write is worth stands beside every server. At the end: which claims (claims.ts) were reached.
//   --only NAMES     workloads, with commas: a name, or what names begin with; default: the standard suite (< 10 minutes)
//   --servers NAMES  of stowage, bare, no-op, nginx, s3rver, ceph; default: all that this machine has
//   --claims         the workloads of claims.ts alone, longer, beside what they are compared with; keeps the result
//   --rounds N       default 3; with --claims 5
//   --workers N      our engine with N workers too
//   --clients N      load processes; default 2
//   --seconds N      of one measurement, instead of the workload's own
//   --keep           keep the result among bench/results/, as a whole standard suite is; --out FILE: write it there
//   --list           only says what workloads there are

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readOptions } from '../scripts/script-options.ts';
import { claims, judgeClaims } from './claims.ts';
import { LoadProcesses } from './load/load-processes.ts';
import { Contender } from './measure.ts';
import { keepResult, type Measurement, resultFrame, type SuiteResult } from './results.ts';
import { startServers } from './servers/start-servers.ts';
import { renderTable, renderVerdicts } from './table.ts';
import { type Workload, workloads } from './workloads.ts';

const suiteRounds = 3;
const claimRounds = 5;
const claimMs = 5_000;
const claimedWorkloads = [...new Set(claims.map(({ workload }) => workload))];
/** Not counted: so that no server is measured cold. */
const warmUpMs = 300;

async function main(): Promise<void> {
  const { values } = readOptions(import.meta, {
    only: { type: 'string' },
    servers: { type: 'string' },
    claims: { type: 'boolean' },
    rounds: { type: 'number' },
    workers: { type: 'number', default: 1 },
    clients: { type: 'number', default: 2 },
    seconds: { type: 'number' },
    keep: { type: 'boolean' },
    out: { type: 'string' },
    list: { type: 'boolean' },
  });
  if (values.list) {
    for (const { name, title, standard } of workloads)
      console.log(`${standard ? '*' : ' '} ${name.padEnd(22)} ${title}`);
    return;
  }
  const startedAt = performance.now();
  const chosen = chooseWorkloads(values.only ?? (values.claims ? claimedWorkloads.join(',') : undefined));
  const directory = await mkdtemp(join(tmpdir(), 'stowage-bench-'));
  const load = LoadProcesses.start(values.clients);
  const servers = await startServers({
    directory,
    workers: values.workers,
    ...(values.servers === undefined && !values.claims ? {} : { only: (values.servers ?? 'stowage,bare').split(',') }),
  });
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= endAll();
    return ending;
  };
  const endAll = async (): Promise<void> => {
    load.close();
    for (const server of servers) await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  // Servers must not outlive a run that is broken off.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().then(() => process.exit(1)));
  try {
    const measurements = await measureRounds({
      contenders: servers.map((server) => new Contender(server, load)),
      chosen,
      rounds: values.rounds ?? (values.claims ? claimRounds : suiteRounds),
      durationMs: values.seconds === undefined ? (values.claims ? claimMs : undefined) : values.seconds * 1000,
    });
    const result: SuiteResult = {
      ...resultFrame(values.claims ? 'claims' : 'suite'),
      loadProcesses: values.clients,
      servers: servers.map(({ name, durability }) => ({ name, durability })),
      measurements,
    };
    console.log(renderTable(result, workloads));
    console.log(renderVerdicts(judgeClaims(measurements)));
    const whole = values.only === undefined && values.servers === undefined && values.seconds === undefined;
    if (whole || values.keep || values.out !== undefined) {
      console.log(`Kept in ${await keepResult(result, values.out)}; npm run docs renews docs/performance.md.`);
    }
    console.log(`${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);
  } finally {
    await end();
  }
}

async function measureRounds(run: {
  readonly contenders: readonly Contender[];
  readonly chosen: readonly Workload[];
  readonly rounds: number;
  readonly durationMs: number | undefined;
}): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 0; round <= run.rounds; round += 1) {
    for (const workload of run.chosen) {
      const able = run.contenders.filter((contender) => contender.can(workload));
      const durationMs = round === 0 ? warmUpMs : run.durationMs;
      for (const contender of round % 2 === 0 ? able.toReversed() : able) {
        const options = durationMs === undefined ? { round } : { round, durationMs };
        const measured = await contender.measure(workload, options);
        process.stderr.write(
          `${round === 0 ? 'warm-up' : `round ${round}`}: ${workload.name.padEnd(18)} ${contender.server.name.padEnd(20)} ${measured.operationsPerSecond.toPrecision(4)}/s\n`,
        );
        if (round > 0) measurements.push(measured);
      }
    }
  }
  return inOrder(measurements, run);
}

/** As workloads and servers were named, whatever order they were measured in. */
function inOrder(
  measurements: readonly Measurement[],
  run: { readonly contenders: readonly Contender[]; readonly chosen: readonly Workload[] },
): Measurement[] {
  return run.chosen.flatMap((workload) =>
    run.contenders.flatMap(({ server }) =>
      measurements.filter((each) => each.workload === workload.name && each.server === server.name),
    ),
  );
}

function chooseWorkloads(only: string | undefined): readonly Workload[] {
  if (only === undefined) return workloads.filter(({ standard }) => standard);
  const words = only.split(',');
  const chosen = workloads.filter(({ name }) => words.includes(name));
  for (const word of words) {
    if (chosen.some(({ name }) => name === word)) continue;
    const found = workloads.filter(({ name }) => name.startsWith(word));
    if (found.length === 0) throw new Error(`There is no workload ${word}: npm run bench -- --list names them all.`);
    chosen.push(...found);
  }
  return chosen;
}

await main();
