// node bench/profile-put.ts: where the time of one PUT goes. The real engine runs under V8's sampling profiler while 64
// connections put objects of 4 KiB; every sample is given to the group of the innermost room of ours on its stack (or to node's
// HTTP and streams, which nobody of ours calls in that moment). It sees the main thread: the disk works beside it.
//   --seconds N    default 8
//   --large        64 MiB at 4 connections instead
//   --keep FILE    where to leave the .cpuprofile, for a browser's developer tools

import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { applyLoad } from './load/apply-load.ts';
import { cpuSeconds } from './process-usage.ts';
import { type CpuProfile, groupSamples } from './sample-groups.ts';
import { startStowage } from './servers/stowage-server.ts';

const warmUpMs = 2_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    large: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});
const directory = await mkdtemp(join(tmpdir(), 'stowage-profile-'));
try {
  const profiles = join(directory, 'profiles');
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=250'];
  const server = await startStowage({ directory: join(directory, 'data'), nodeArgs });
  const keys = Array.from({ length: values.large ? 4 : 5_000 }, (_, index) => `object/${index}`);
  const shape = values.large ? { sizeBytes: 64 * 1024 * 1024, connections: 4 } : { sizeBytes: 4096, connections: 64 };
  const load = { method: 'PUT', keys, ...shape } as const;
  let requests = (await applyLoad(server, { ...load, durationMs: warmUpMs })).requests;
  const before = cpuSeconds(server.pid);
  const measured = await applyLoad(server, { ...load, durationMs: Number(values.seconds) * 1000 });
  const after = cpuSeconds(server.pid);
  requests += measured.requests;
  await server.stop();
  const [name] = await readdir(profiles);
  const path = join(profiles, name ?? '');
  // Proof of the cast: V8 wrote it, in the format of the DevTools protocol.
  const profile = JSON.parse(await readFile(path, 'utf8')) as CpuProfile;
  const groups = groupSamples(profile);
  const busyUs = groups.reduce((sum, { microseconds }) => sum + microseconds, 0);
  console.log(
    `PUT of ${load.sizeBytes} bytes, ${load.connections} connections, durability ${server.durability}, under the profiler:`,
  );
  console.log(
    `${((measured.requests * 1000) / measured.elapsedMs).toPrecision(4)} requests/s, p50 ${measured.p50Ms.toFixed(2)} ms`,
  );
  if (before !== undefined && after !== undefined) {
    console.log(
      `${(((after - before) * 1e6) / measured.requests).toFixed(1)} µs of processor time a request, all threads`,
    );
  }
  console.log(`\n${'main thread'.padEnd(30)}${'µs/request'.padStart(12)}${'share'.padStart(9)}`);
  for (const { group, microseconds } of groups) {
    const share = `${((microseconds * 100) / busyUs).toFixed(1)} %`;
    console.log(`${group.padEnd(30)}${(microseconds / requests).toFixed(2).padStart(12)}${share.padStart(9)}`);
  }
  console.log(`${'all'.padEnd(30)}${(busyUs / requests).toFixed(2).padStart(12)}  (start and warm-up included)`);
  if (values.keep !== undefined) await copyFile(path, values.keep);
} finally {
  await rm(directory, { recursive: true, force: true });
}
