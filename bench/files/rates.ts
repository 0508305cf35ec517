// How many uploads a service begins, completes and lists in a second, and how many URLs it signs, on each of its databases. The
// service is a process of its own with background work going on; its engine another, strict; the bytes are sent between the
// measurements and are not counted.

import { randomBytes } from 'node:crypto';
import type { FileList, SignedPartList, Upload } from '@stowage/contract';
import { cpuSeconds } from '../process-usage.ts';
import type { FilesRate } from '../results.ts';
import type { StowageServer } from '../servers/stowage-server.ts';
import { type BenchService, benchS3, startBenchService } from './bench-service.ts';
import type { BenchDatabase } from './databases.ts';
import { type CallFigures, measureCalls } from './measure-calls.ts';

const lanes = 16;
const uploadCount = 1_500;
const readMs = 3_000;
const readyTimeoutMs = 120_000;
const partsAtOnce = 100;

export async function measureRates(engine: StowageServer, databases: readonly BenchDatabase[]): Promise<FilesRate[]> {
  const rates: FilesRate[] = [];
  for (const [index, database] of databases.entries()) {
    const settings = await database.create();
    const service = await startBenchService({
      s3: benchS3(engine, `rates-${index}-${Date.now()}`),
      database: settings,
    });
    try {
      rates.push(...(await measureOne(service, database.name)));
    } finally {
      await service.stop();
    }
  }
  return rates;
}

async function measureOne(service: BenchService, database: string): Promise<FilesRate[]> {
  const rates: FilesRate[] = [];
  const note = async (what: string, unitsPerCall: number, measure: () => Promise<CallFigures>): Promise<void> => {
    const before = cpuSeconds(service.pid);
    const { calls, perSecond, p50Ms, p99Ms } = await measure();
    const after = cpuSeconds(service.pid);
    const cpu =
      before === undefined || after === undefined
        ? {}
        : { cpuMsPerUnit: ((after - before) * 1000) / (calls * unitsPerCall) };
    rates.push({ database, what, perSecond: perSecond * unitsPerCall, p50Ms, p99Ms, ...cpu });
    process.stderr.write(`${database}: ${what} ${(perSecond * unitsPerCall).toPrecision(4)}/s\n`);
  };
  const bytes = randomBytes(1024);
  const announce = (number: number): Promise<Upload> =>
    service.json('POST', '/v1/uploads', { name: `photo ${number}.bin`, sizeBytes: bytes.length });
  // Not counted: so that nothing is measured cold.
  await measureCalls({ lanes, calls: 200 }, announce);

  const uploads: Upload[] = [];
  await note('uploads begun', 1, () =>
    measureCalls({ lanes, calls: uploadCount }, async (number) => {
      uploads[number] = await announce(number);
    }),
  );
  await measureCalls({ lanes, calls: uploadCount }, async (number) => send(uploads[number], bytes));
  const completingAt = performance.now();
  await note('uploads completed', 1, () =>
    measureCalls({ lanes, calls: uploadCount }, async (number) => {
      await service.json('POST', `/v1/uploads/${uploads[number]?.id}/complete`);
    }),
  );
  await untilReady(service, uploads);
  const seconds = (performance.now() - completingAt) / 1000;
  rates.push({ database, what: 'files completed, checked and ready', perSecond: uploadCount / seconds });

  await note('pages of 50 files listed', 1, () =>
    measureCalls({ lanes, milliseconds: readMs }, () => service.json('GET', '/v1/files?limit=50')),
  );
  await note('downloads signed', 1, () =>
    measureCalls({ lanes, milliseconds: readMs }, (number) =>
      service.ask('GET', `/v1/files/${uploads[number % uploadCount]?.id}/content`),
    ),
  );
  const large: Upload = await service.json('POST', '/v1/uploads', { name: 'large.bin', sizeBytes: 50e9 });
  const partNumbers = Array.from({ length: partsAtOnce }, (_, number) => number + 1);
  await note('part URLs signed, 100 a call', partsAtOnce, () =>
    measureCalls({ lanes, milliseconds: readMs }, () =>
      service.json<SignedPartList>('POST', `/v1/uploads/${large.id}/parts/sign`, { partNumbers }),
    ),
  );
  return rates;
}

async function send(upload: Upload | undefined, bytes: Buffer<ArrayBuffer>): Promise<void> {
  if (upload?.request === undefined) throw new Error('The upload carries no request.');
  const { method, url, headers } = upload.request;
  const response = await fetch(url, { method, headers, body: bytes });
  if (!response.ok) throw new Error(`The engine answered ${response.status}: ${await response.text()}`);
}

/** Asks for the newest of all until none is on its way. */
async function untilReady(service: BenchService, uploads: readonly Upload[]): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  const waiting = new Set(uploads.map(({ id }) => id));
  while (waiting.size > 0) {
    if (performance.now() > deadline) throw new Error(`${waiting.size} files did not become ready.`);
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const page: FileList = await service.json(
        'GET',
        `/v1/files?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      for (const { id, state } of page.files) if (state === 'ready') waiting.delete(id);
      cursor = page.nextCursor;
    }
  }
}
