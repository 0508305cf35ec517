// node bench/large-bodies.ts: large bodies on our engine (one worker, strict) and on a bare node:http server, in interleaved
// rounds: 64 MiB PUT and GET, PUT as SDKs send it, random ranges of 64 KiB, uploads of 256 MiB in parts. For each: megabytes
// a second, the ratio of the medians, and the server's processor seconds for a gigabyte. The load is in this process.
//   --rounds N      default 5
//   --seconds N     of one measurement; default 3
//   --only WORD     only workloads whose name holds it
//   --engine-only   without the yardstick, e.g. under a profiler
//   --profile DIR   leaves a .cpuprofile of the engine's main thread and its threads there

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDigest } from '@stowage/s3';
import { readOptions } from '../scripts/script-options.ts';
import { BodyClient, type BodyLoadResult, demand } from './bodies/body-client.ts';
import { type BodyServer, startBareProcess, startEngineProcess } from './bodies/body-server.ts';
import { describeThreads, threadTimes } from './bodies/thread-usage.ts';
import { cpuSeconds, peakMemoryBytes } from './process-usage.ts';

const mib = 1024 * 1024;
const objectBytes = 64 * mib;
const rangeBytes = 64 * 1024;
const partBytes = 16 * mib;
const partCount = 16;
const body = randomBytes(objectBytes);
const crc32 = digestOf(body);

interface Workload {
  readonly name: string;
  run(client: BodyClient, server: BodyServer, durationMs: number): Promise<BodyLoadResult>;
}

/** A PUT comes before what reads its keys. */
const workloads: readonly Workload[] = [
  { name: 'PUT 64 MiB', run: (client, _server, durationMs) => put(client, durationMs, 4) },
  { name: 'PUT 64 MiB, 1 connection', run: (client, _server, durationMs) => put(client, durationMs, 1) },
  { name: 'PUT 64 MiB as SDKs send it', run: putChunked },
  { name: 'GET 64 MiB', run: (client, _server, durationMs) => get(client, durationMs, 4) },
  { name: 'GET 64 MiB, 1 connection', run: (client, _server, durationMs) => get(client, durationMs, 1) },
  { name: 'GET ranges of 64 KiB', run: ranges },
  { name: 'multipart 256 MiB', run: multipart },
];

async function put(client: BodyClient, durationMs: number, connections: number): Promise<BodyLoadResult> {
  const heads = keys.map((key) => client.head('PUT', key, { lengthBytes: objectBytes }));
  return client.run(connections, durationMs, async (connection, round) => {
    await demand(connection, pick(heads, round), body, { status: 200 });
    return objectBytes;
  });
}

async function putChunked(client: BodyClient, server: BodyServer, durationMs: number): Promise<BodyLoadResult> {
  if (server.name !== 'stowage') return put(client, durationMs, 4);
  const requests = keys.map((key) => client.chunkedPut(key, body, crc32));
  return client.run(4, durationMs, async (connection, round) => {
    const request = pick(requests, round);
    await demand(connection, request.head, request.body, { status: 200 });
    return objectBytes;
  });
}

async function get(client: BodyClient, durationMs: number, connections: number): Promise<BodyLoadResult> {
  const heads = keys.map((key) => client.head('GET', key));
  return client.run(connections, durationMs, async (connection, round) => {
    await demand(connection, pick(heads, round), undefined, { status: 200, bodyBytes: objectBytes });
    return objectBytes;
  });
}

async function ranges(client: BodyClient, _server: BodyServer, durationMs: number): Promise<BodyLoadResult> {
  const heads = Array.from({ length: 500 }, (_, index) => {
    const start = Math.floor(Math.random() * (objectBytes - rangeBytes));
    return client.head('GET', pick(keys, index), { range: `bytes=${start}-${start + rangeBytes - 1}` });
  });
  return client.run(16, durationMs, async (connection, round) => {
    await demand(connection, pick(heads, round), undefined, { status: 206, bodyBytes: rangeBytes });
    return rangeBytes;
  });
}

/** Whole uploads, one after the other, of parts of which four are under way at a time. `extraMs`: the completions alone. */
async function multipart(client: BodyClient, _server: BodyServer, durationMs: number): Promise<BodyLoadResult> {
  const opened = await client.open(4);
  try {
    return await client.run(1, durationMs, async (connection, round, extraMs) => {
      const key = `parts/${round % 4}`;
      const created = await demand(
        connection,
        client.head('POST', key, { query: [['uploads', '']], lengthBytes: 0 }),
        undefined,
        { status: 200 },
      );
      const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(created)?.[1] ?? 'bare';
      let next = 0;
      const named: string[] = [];
      await Promise.all(
        opened.map(async (lane) => {
          while (next < partCount) {
            const index = next++;
            const bytes = body.subarray((index % 4) * partBytes, (index % 4) * partBytes + partBytes);
            const query = [
              ['partNumber', String(index + 1)],
              ['uploadId', uploadId],
            ] as const;
            await demand(lane, client.head('PUT', key, { query, lengthBytes: partBytes }), bytes, { status: 200 });
            named[index] = `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etags[index % 4]}</ETag></Part>`;
          }
        }),
      );
      const document = Buffer.from(`<CompleteMultipartUpload>${named.join('')}</CompleteMultipartUpload>`);
      const head = client.head('POST', key, { query: [['uploadId', uploadId]], lengthBytes: document.length });
      const began = performance.now();
      await demand(connection, head, document, { status: 200 });
      extraMs.push(performance.now() - began);
      return partBytes * partCount;
    });
  } finally {
    for (const connection of opened) connection.close();
  }
}

interface Figure {
  readonly megabytesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly cpuSecondsPerGigabyte: number;
  readonly extraMs: readonly number[];
  /** Processor seconds for a gigabyte by thread. */
  readonly threads: string;
}

async function main(): Promise<void> {
  const { values } = readOptions(import.meta, {
    rounds: { type: 'number', default: 5 },
    seconds: { type: 'number', default: 3 },
    only: { type: 'string', default: '' },
    'engine-only': { type: 'boolean' },
    profile: { type: 'string' },
  });
  const directory = await mkdtemp(join(tmpdir(), 'stowage-bodies-'));
  const servers: BodyServer[] = [];
  try {
    const nodeArgs = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
    servers.push(await startEngineProcess(join(directory, 'stowage'), nodeArgs));
    if (!values['engine-only']) servers.push(await startBareProcess(join(directory, 'bare'), objectBytes));
    const chosen = workloads.filter(({ name }) => name.includes(values.only));
    for (const server of servers) await put(new BodyClient(server), 1000, 4); // warm, and the objects that are read
    const figures = new Map<string, Figure[]>();
    for (let round = 0; round < values.rounds; round += 1) {
      for (const workload of chosen) {
        for (const server of servers) {
          const figure = await measure(workload, server, values.seconds * 1000);
          const name = `${workload.name}/${server.name}`;
          figures.set(name, [...(figures.get(name) ?? []), figure]);
        }
      }
    }
    report(chosen, servers, figures);
  } finally {
    for (const server of servers) await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(workload: Workload, server: BodyServer, durationMs: number): Promise<Figure> {
  execFileSync('sync'); // what the other has left unwritten would otherwise be paid for here
  const before = cpuSeconds(server.pid) ?? 0;
  const threadsBefore = threadTimes(server.pid);
  const result = await workload.run(new BodyClient(server), server, durationMs);
  const cpu = (cpuSeconds(server.pid) ?? 0) - before;
  const threads = describeThreads(threadsBefore, threadTimes(server.pid), result.bytes / 1e9);
  const seconds = result.elapsedMs / 1000;
  return {
    megabytesPerSecond: result.bytes / 1e6 / seconds,
    requestsPerSecond: result.requests / seconds,
    cpuSecondsPerGigabyte: cpu / (result.bytes / 1e9),
    extraMs: result.extraMs,
    threads,
  };
}

function report(
  chosen: readonly Workload[],
  servers: readonly BodyServer[],
  figures: ReadonlyMap<string, readonly Figure[]>,
): void {
  for (const { name: workload } of chosen) {
    const of = (server: BodyServer | undefined): readonly Figure[] => figures.get(`${workload}/${server?.name}`) ?? [];
    const speed = (server: BodyServer | undefined): number => median(of(server).map((f) => f.megabytesPerSecond));
    console.log(`\n${workload}: ${(speed(servers[0]) / speed(servers[1])).toFixed(2)} of bare`);
    for (const server of servers) {
      const all = of(server);
      const rates = all.map((figure) => figure.megabytesPerSecond.toFixed(0)).join(' ');
      const perSecond = median(all.map((figure) => figure.requestsPerSecond)).toFixed(0);
      const cpu = median(all.map((figure) => figure.cpuSecondsPerGigabyte)).toFixed(2);
      const extra = all.flatMap((figure) => figure.extraMs);
      const shown =
        extra.length === 0 ? '' : `  completion ${median(extra).toFixed(1)} ms, worst ${Math.max(...extra).toFixed(1)}`;
      console.log(
        `  ${server.name.padEnd(16)}${speed(server).toFixed(0).padStart(6)} MB/s ${perSecond.padStart(6)}/s  ${cpu} CPU s/GB${shown}   (${rates})`,
      );
      console.log(`  ${''.padEnd(16)}${all.at(-1)?.threads ?? ''}`);
    }
  }
  for (const { name, pid } of servers)
    console.log(`${name}: ${((peakMemoryBytes(pid) ?? 0) / mib).toFixed(0)} MiB peak memory`);
}

const keys = ['large/0', 'large/1', 'large/2', 'large/3'];
const etags = Array.from({ length: 4 }, (_, index) => {
  const digest = createDigest('MD5');
  digest.update(body.subarray(index * partBytes, (index + 1) * partBytes));
  return Buffer.from(digest.digest()).toString('hex');
});

function pick<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('There is nothing to pick from.');
  return item;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

function digestOf(bytes: Buffer): string {
  const digest = createDigest('CRC32');
  digest.update(bytes);
  return Buffer.from(digest.digest()).toString('base64');
}

await main();
