// npm run bench: 4 KiB PUT and GET at 64 connections, 64 MiB PUT and GET at 4, on our engine and on a peer, in the same
// run. Rounds are interleaved, so that a busy minute of the machine hits both; figures are medians of the rounds. The load
// comes from a process of its own, and what an acknowledged write is worth stands beside every figure.
//   --rounds N      default 3
//   --seconds N     of one measurement; default 4
//   --only WORD     only workloads whose name holds it
//   --out FILE      default bench/results/<date>.json

import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { applyLoad, type Load } from './load/apply-load.ts';
import { cpuSeconds, peakMemoryBytes } from './process-usage.ts';
import type { PeerServer } from './servers/peer-server.ts';
import { startS3rver } from './servers/s3rver-server.ts';
import { startStowage } from './servers/stowage-server.ts';
import { type Measurement, renderTable } from './table.ts';

const kib = 1024;
const mib = 1024 * kib;

interface Workload extends Omit<Load, 'durationMs'> {
  readonly name: string;
}

/** A PUT comes before the GET of the same keys, so that the bytes are there. */
const workloads: readonly Workload[] = [
  { name: 'PUT 4 KiB, 64 connections', method: 'PUT', sizeBytes: 4 * kib, connections: 64, keys: keys('small', 5_000) },
  { name: 'GET 4 KiB, 64 connections', method: 'GET', sizeBytes: 4 * kib, connections: 64, keys: keys('small', 500) },
  { name: 'PUT 64 MiB, 4 connections', method: 'PUT', sizeBytes: 64 * mib, connections: 4, keys: keys('large', 4) },
  { name: 'GET 64 MiB, 4 connections', method: 'GET', sizeBytes: 64 * mib, connections: 4, keys: keys('large', 4) },
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      only: { type: 'string', default: '' },
      out: { type: 'string' },
    },
  });
  const chosen = workloads.filter(({ name }) => name.includes(values.only));
  const directory = await mkdtemp(join(tmpdir(), 'stowage-bench-'));
  const servers: PeerServer[] = [];
  try {
    servers.push(await startStowage({ directory: join(directory, 'stowage') }));
    servers.push(await startS3rver({ directory: join(directory, 's3rver') }));
    const measurements: Measurement[] = [];
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      for (const workload of chosen) {
        for (const server of servers) {
          measurements.push(await measure(server, workload, { round, durationMs: Number(values.seconds) * 1000 }));
          process.stderr.write(`round ${round}: ${workload.name}, ${server.name}\n`);
        }
      }
    }
    const memory = servers.map((server) => ({ server: server.name, peakMemoryBytes: peakMemoryBytes(server.pid) }));
    const durabilities = servers.map(({ name, durability }) => ({ server: name, durability }));
    console.log(renderTable({ measurements, memory, durabilities }));
    const path =
      values.out ?? fileURLToPath(new URL(`./results/${new Date().toISOString().slice(0, 10)}.json`, import.meta.url));
    await mkdir(dirname(path), { recursive: true });
    const about = { commit: commit(), machine: machine(), node: process.version, date: new Date().toISOString() };
    await writeFile(path, `${JSON.stringify({ ...about, durabilities, memory, measurements }, undefined, 2)}\n`);
    console.log(`Written to ${path}`);
  } finally {
    for (const server of servers) await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  server: PeerServer,
  workload: Workload,
  run: { readonly round: number; readonly durationMs: number },
): Promise<Measurement> {
  flushDisk();
  const before = cpuSeconds(server.pid);
  const result = await applyLoad(server, { ...workload, durationMs: run.durationMs });
  const after = cpuSeconds(server.pid);
  const seconds = result.elapsedMs / 1000;
  return {
    workload: workload.name,
    server: server.name,
    round: run.round,
    requests: result.requests,
    requestsPerSecond: result.requests / seconds,
    megabytesPerSecond: (result.requests * workload.sizeBytes) / 1e6 / seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMsPerRequest:
      before === undefined || after === undefined ? undefined : ((after - before) * 1000) / result.requests,
  };
}

/** What the peer has left unflushed would otherwise be written, and paid for, during the next one's measurement. */
function flushDisk(): void {
  if (process.platform !== 'win32') execFileSync('sync');
}

function keys(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}/${String(index).padStart(6, '0')}`);
}

function machine(): Readonly<Record<string, string | number>> {
  const model = cpus()[0]?.model ?? 'unknown';
  return {
    processor: model,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()}`,
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown'; // Not a checkout: the figures are still worth having.
  }
}

await main();
