// Claim: the bytes of files do not go through the service. The same files are brought into the same engine by the file service and by
// @tus/server with its S3 store, in turns; counted is what goes through each, and what processor time that costs.

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { SignedPartList, Upload } from '@stowage/contract';
import { median } from '../median.ts';
import { cpuSeconds, forgetPeakMemory, peakMemoryBytes } from '../process-usage.ts';
import type { UploadPathFigure } from '../results.ts';
import { makeBucket, type StowageServer } from '../servers/stowage-server.ts';
import { type BenchService, benchS3, endChild, startBenchService, startPrinting } from './bench-service.ts';
import type { BenchDatabase } from './databases.ts';
import type { TusReady } from './tus-process.ts';

const mib = 1024 * 1024;
const sizes = [
  { fileBytes: mib, files: 32 },
  { fileBytes: 16 * mib, files: 8 },
  { fileBytes: 64 * mib, files: 4 },
  { fileBytes: 256 * mib, files: 2 },
];
const rounds = 2;
const lanes = 4;
const partsAtOnce = 16;

interface Way {
  readonly name: string;
  readonly pid: number;
  send(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Bytes of bodies that came to it, up to now. */
  received(): Promise<number>;
  stop(): Promise<void>;
}

export async function measureUploadPaths(engine: StowageServer, database: BenchDatabase): Promise<UploadPathFigure[]> {
  const ways = [await openService(engine, database), await openTus(engine)];
  const measured: UploadPathFigure[] = [];
  try {
    for (const { fileBytes, files } of sizes) {
      const bytes = Uint8Array.from(randomBytes(fileBytes));
      for (let round = 0; round <= rounds; round++) {
        for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
          // The first round warms up.
          const figure = await measureOne(way, engine, { bytes, files: round === 0 ? 1 : files });
          if (round > 0) measured.push(figure);
        }
      }
    }
  } finally {
    for (const way of ways) await way.stop();
  }
  return middles(measured);
}

async function measureOne(
  way: Way,
  engine: StowageServer,
  { bytes, files }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly files: number },
): Promise<UploadPathFigure> {
  forgetPeakMemory(way.pid);
  const before = {
    service: cpuSeconds(way.pid) ?? 0,
    engine: cpuSeconds(engine.pid) ?? 0,
    received: await way.received(),
  };
  const startedAt = performance.now();
  const numbers = Array.from({ length: files }, (_, number) => number).values();
  await Promise.all(
    Array.from({ length: Math.min(lanes, files) }, async () => {
      for (const _number of numbers) await way.send(bytes);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const gigabytes = (bytes.length * files) / 1e9;
  const figure = {
    way: way.name,
    fileBytes: bytes.length,
    files,
    megabytesPerSecond: (gigabytes * 1000) / seconds,
    bytesThroughService: (await way.received()) - before.received,
    serviceCpuSecondsPerGigabyte: ((cpuSeconds(way.pid) ?? 0) - before.service) / gigabytes,
    engineCpuSecondsPerGigabyte: ((cpuSeconds(engine.pid) ?? 0) - before.engine) / gigabytes,
    servicePeakMemoryBytes: peakMemoryBytes(way.pid) ?? 0,
  };
  process.stderr.write(
    `${figure.way}: ${bytes.length / mib} MiB × ${files}: ${figure.megabytesPerSecond.toPrecision(3)} MB/s, ${figure.serviceCpuSecondsPerGigabyte.toPrecision(3)} CPU s/GB\n`,
  );
  return figure;
}

async function openService(engine: StowageServer, database: BenchDatabase): Promise<Way> {
  const service = await startBenchService({
    s3: benchS3(engine, `direct-${Date.now()}`),
    database: await database.create(),
  });
  return {
    name: 'stowage, to the bucket',
    pid: service.pid,
    send: (bytes) => sendDirect(service, bytes),
    received: async () => {
      const text = await (await service.ask('GET', '/metrics')).text();
      const value = /^stowage_files_received_bytes_total(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1];
      if (value === undefined) throw new Error('The service does not say what it received.');
      return Number(value);
    },
    stop: service.stop,
  };
}

async function sendDirect(service: BenchService, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const upload: Upload = await service.json('POST', '/v1/uploads', { name: 'file.bin', sizeBytes: bytes.length });
  if (upload.request !== undefined) await put(upload.request, bytes);
  const { partCount = 0, partSizeBytes = 0 } = upload;
  for (let first = 1; first <= partCount; first += partsAtOnce) {
    const partNumbers = Array.from(
      { length: Math.min(partsAtOnce, partCount - first + 1) },
      (_, index) => first + index,
    );
    const path = `/v1/uploads/${upload.id}/parts/sign`;
    const { parts } = await service.json<SignedPartList>('POST', path, { partNumbers });
    for (const part of parts) {
      const start = (part.partNumber - 1) * partSizeBytes;
      await put(part, bytes.subarray(start, start + partSizeBytes));
    }
  }
  await service.json('POST', `/v1/uploads/${upload.id}/complete`);
}

async function put(
  request: { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>> },
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { method, url, headers } = request;
  const response = await fetch(url, { method, headers, body });
  if (!response.ok) throw new Error(`The engine answered ${response.status}: ${await response.text()}`);
}

async function openTus(engine: StowageServer): Promise<Way> {
  const s3 = benchS3(engine, 'tus');
  await makeBucket({ ...engine, bucket: s3.bucket });
  const entry = fileURLToPath(new URL('tus-process.ts', import.meta.url));
  const { child, line } = await startPrinting(entry, JSON.stringify(s3));
  // tus-process.ts prints it.
  const { url } = JSON.parse(line) as TusReady;
  let received = 0;
  return {
    name: '@tus/server with its S3 store',
    pid: child.pid ?? 0,
    send: async (bytes) => {
      const tus = { 'tus-resumable': '1.0.0' };
      const created = await fetch(url, { method: 'POST', headers: { ...tus, 'upload-length': String(bytes.length) } });
      const location = created.headers.get('location');
      if (created.status !== 201 || location === null)
        throw new Error(`@tus/server answered ${created.status}: ${await created.text()}`);
      const sent = await fetch(new URL(location, url), {
        method: 'PATCH',
        headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
        body: bytes,
      });
      if (sent.status !== 204) throw new Error(`@tus/server answered ${sent.status}: ${await sent.text()}`);
      // Its protocol has no other way: every byte that arrives came through it.
      received += bytes.length;
    },
    received: async () => received,
    stop: () => endChild(child),
  };
}

/** The median of the rounds, figure by figure. */
function middles(measured: readonly UploadPathFigure[]): UploadPathFigure[] {
  const groups = Map.groupBy(measured, ({ way, fileBytes }) => `${fileBytes} ${way}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const middle = (value: (figure: UploadPathFigure) => number): number => median(group.map(value));
    return [
      {
        ...first,
        megabytesPerSecond: middle((figure) => figure.megabytesPerSecond),
        bytesThroughService: middle((figure) => figure.bytesThroughService),
        serviceCpuSecondsPerGigabyte: middle((figure) => figure.serviceCpuSecondsPerGigabyte),
        engineCpuSecondsPerGigabyte: middle((figure) => figure.engineCpuSecondsPerGigabyte),
        servicePeakMemoryBytes: Math.max(...group.map((figure) => figure.servicePeakMemoryBytes)),
      },
    ];
  });
}
