// node bench/profile.ts put-4k: where the time of one operation goes. The real engine runs under V8's sampling profiler
// while one workload of the bench is applied; every sample is given to the group of the innermost room of ours on its stack
// (or to node's HTTP and streams, which nobody of ours calls in that moment). It sees the main thread: the disk works
// beside it.
//   workloads          one after the other; default: those of the claims
//   --seconds N        of each; default 4
//   --cpuprofile FILE  where to leave V8's own file of the last one, for a browser's developer tools
//   --keep             keep the result among bench/results/

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from '../scripts/script-options.ts';
import { claims } from './claims.ts';
import { CpuProfiler } from './cpu-profiler.ts';
import { LoadProcesses } from './load/load-processes.ts';
import { Contender } from './measure.ts';
import { keepResult, type OperationProfile, type ProfilesResult, resultFrame } from './results.ts';
import { type CpuProfile, groupSamples } from './sample-groups.ts';
import { findFreePort } from './servers/child-server.ts';
import { startStowage } from './servers/stowage-server.ts';
import { type Workload, workloads } from './workloads.ts';

const warmUpMs = 1_500;

async function main(): Promise<void> {
  const { values, positionals } = readOptions(
    import.meta,
    {
      seconds: { type: 'number', default: 4 },
      cpuprofile: { type: 'string' },
      keep: { type: 'boolean' },
    },
    { allowPositionals: true },
  );
  const names = positionals.length > 0 ? positionals : [...new Set(claims.map(({ workload }) => workload))];
  const profiles: OperationProfile[] = [];
  for (const name of names) {
    const workload = workloads.find((each) => each.name === name);
    if (workload === undefined)
      throw new Error(`There is no workload ${name}: npm run bench -- --list names them all.`);
    const { operation, profile } = await profileWorkload(workload, values.seconds * 1000);
    profiles.push(operation);
    printProfile(workload, operation);
    if (values.cpuprofile !== undefined) await writeFile(values.cpuprofile, JSON.stringify(profile));
  }
  const result: ProfilesResult = { ...resultFrame('profiles'), profiles };
  if (values.keep) console.log(`Kept in ${await keepResult(result)}`);
}

/** On a fresh engine with an empty store. */
async function profileWorkload(
  workload: Workload,
  durationMs: number,
): Promise<{ operation: OperationProfile; profile: CpuProfile }> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-profile-'));
  const load = LoadProcesses.start(1);
  try {
    const port = await findFreePort();
    const server = await startStowage({ directory, nodeArgs: [`--inspect=127.0.0.1:${port}`] });
    const contender = new Contender(server, load);
    const profiler = await CpuProfiler.connect(port);
    await contender.measure(workload, { round: 1, durationMs: warmUpMs });
    const measured = await contender.measure(workload, { round: 2, durationMs, onBegin: () => profiler.start() });
    const profile = await profiler.stop();
    profiler.close();
    await server.stop();
    const operation = {
      workload: workload.name,
      operationsPerSecond: measured.operationsPerSecond,
      ...(measured.cpuMsPerOperation === undefined ? {} : { cpuUs: measured.cpuMsPerOperation * 1000 }),
      groups: groupSamples(profile).map(({ group, microseconds }) => ({
        group,
        microseconds: microseconds / measured.operations,
      })),
    };
    return { operation, profile };
  } finally {
    load.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function printProfile(workload: Workload, { operationsPerSecond, cpuUs, groups }: OperationProfile): void {
  const busyUs = groups.reduce((sum, { microseconds }) => sum + microseconds, 0);
  console.log(`\n${workload.title}, strict, under the profiler: ${operationsPerSecond.toPrecision(4)} operations/s`);
  if (cpuUs !== undefined) console.log(`${cpuUs.toFixed(1)} µs of processor time an operation, all threads`);
  console.log(`${'main thread'.padEnd(34)}${'µs/operation'.padStart(14)}${'share'.padStart(9)}`);
  for (const { group, microseconds } of groups) {
    const share = `${((microseconds * 100) / busyUs).toFixed(1)} %`;
    console.log(`${group.padEnd(34)}${microseconds.toFixed(2).padStart(14)}${share.padStart(9)}`);
  }
  console.log(`${'all'.padEnd(34)}${busyUs.toFixed(2).padStart(14)}`);
}

await main();
