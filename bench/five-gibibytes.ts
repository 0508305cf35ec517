// node bench/five-gibibytes.ts: one object of 5 GiB up and down through the real engine, its bytes compared by MD5, and the
// most memory that the server's process had resident at any time. In one PUT, and as 80 parts of 64 MiB, four at a time.
//   --gibibytes N     default 5
//   --keep            keep the result among bench/results/

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { presignUrl, type RequestQuery, SigningKeys } from '@stowage/s3';
import { readOptions } from '../scripts/script-options.ts';
import { type BodyServer, startEngineProcess } from './bodies/body-server.ts';
import { cpuSeconds, peakMemoryBytes, residentMemory } from './process-usage.ts';
import { keepResult, type LargeObjectResult, resultFrame } from './results.ts';

const mib = 1024 * 1024;
const partBytes = 64 * mib;
const partsAtOnce = 4;
const block = randomBytes(mib);
const signingKeys = new SigningKeys();

const { values } = readOptions(import.meta, { keep: { type: 'boolean' }, gibibytes: { type: 'number', default: 5 } });
const sizeBytes = values.gibibytes * 1024 * mib;
const md5 = md5OfObject();

type Row = LargeObjectResult['rows'][number];

const rows: Row[] = [];
for (const way of ['one PUT', 'parts of 64 MiB'] as const) rows.push(await upAndDown(way));
if (values.keep)
  console.log(`Kept in ${await keepResult<LargeObjectResult>({ ...resultFrame('five-gibibytes'), rows })}`);

async function upAndDown(way: Row['way']): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-five-'));
  const server = await startEngineProcess(join(directory, 'data'));
  try {
    console.log(`${way}: started with ${describe(residentBytes(server))} resident`);
    const uploadMegabytesPerSecond = await measure(server, 'upload', () =>
      way === 'one PUT' ? putWhole(server) : putParts(server),
    );
    const downloadMegabytesPerSecond = await measure(server, 'download', async () => {
      const got = await getWhole(server);
      if (got !== md5) throw new Error(`The bytes that came back have MD5 ${got}, not ${md5}.`);
    });
    const most = peakMemoryBytes(server.pid) ?? 0;
    console.log(`most that was ever resident: ${describe(most)}`);
    return { way, uploadMegabytesPerSecond, downloadMegabytesPerSecond, peakMemoryBytes: most };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** MB/s. */
async function measure(server: BodyServer, name: string, work: () => Promise<void>): Promise<number> {
  const cpuBefore = cpuSeconds(server.pid) ?? 0;
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const cpu = ((cpuSeconds(server.pid) ?? 0) - cpuBefore) / (sizeBytes / 1e9);
  const speed = sizeBytes / 1e6 / seconds;
  console.log(`${name}: ${speed.toFixed(0)} MB/s, ${cpu.toFixed(2)} CPU s/GB`);
  return speed;
}

async function putWhole(server: BodyServer): Promise<void> {
  const { response } = await send(server, 'PUT', [], sizeBytes);
  if (response.headers.etag !== `"${md5}"`) throw new Error(`The ETag is ${response.headers.etag}, not ${md5}.`);
}

async function putParts(server: BodyServer): Promise<void> {
  const created = await send(server, 'POST', [['uploads', '']], 0);
  const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(created.text)?.[1] ?? '';
  const count = sizeBytes / partBytes;
  const parts: string[] = [];
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= count) {
      const number = next;
      next += 1;
      const query = [
        ['partNumber', String(number)],
        ['uploadId', uploadId],
      ] as const;
      const { response } = await send(server, 'PUT', query, partBytes);
      parts[number] = `<Part><PartNumber>${number}</PartNumber><ETag>${response.headers.etag}</ETag></Part>`;
    }
  };
  await Promise.all(Array.from({ length: partsAtOnce }, lane));
  const document = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
  const began = performance.now();
  await send(server, 'POST', [['uploadId', uploadId]], document);
  console.log(`completing ${count} parts: ${(performance.now() - began).toFixed(1)} ms`);
}

async function getWhole(server: BodyServer): Promise<string> {
  const request = open(server, 'GET', [], {});
  request.end();
  const response = await answerOf(request);
  const digest = createHash('md5');
  for await (const chunk of response) digest.update(chunk as Buffer); // no encoding is set
  return digest.digest('hex');
}

/** Sends so many bytes of the object, or a document, and reads the answer. */
async function send(
  server: BodyServer,
  method: string,
  query: RequestQuery,
  body: number | string,
): Promise<{ readonly response: IncomingMessage; readonly text: string }> {
  const length = typeof body === 'number' ? body : Buffer.byteLength(body);
  const request = open(server, method, query, { 'content-length': String(length) });
  const answered = answerOf(request);
  if (typeof body === 'string') request.write(body);
  else {
    for (let at = 0; at < body; at += block.length) {
      if (!request.write(block)) await new Promise<void>((resolve) => request.once('drain', resolve));
    }
  }
  request.end();
  const response = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  if (response.statusCode !== 200) throw new Error(`${method}: ${response.statusCode} ${text}`);
  return { response, text };
}

function open(
  server: BodyServer,
  method: string,
  query: RequestQuery,
  headers: Readonly<Record<string, string>>,
): ClientRequest {
  const { endpoint, credentials } = server;
  const path = `/${server.bucket}/five-gibibytes`;
  const signing = { method, endpoint, path, query, credentials, region: 'us-east-1', nowMs: Date.now(), signingKeys };
  return httpRequest(presignUrl({ ...signing, expiresSeconds: 3600 }), { method, headers });
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
}

function md5OfObject(): string {
  const digest = createHash('md5');
  for (let at = 0; at < sizeBytes; at += block.length) digest.update(block);
  return digest.digest('hex');
}

function residentBytes(server: BodyServer): number {
  return residentMemory(server.pid)?.residentBytes ?? 0;
}

function describe(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
