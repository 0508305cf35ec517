// The whole life of one file, from its announcement to its purge, as a client leads it: what fails is asked again, later. While the bucket
// misbehaves in one way at one operation, this may take longer; it must not end elsewhere.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CreateUploadRequest, RouteName, RouteResponse, SignedRequest, Upload } from '@stowage/contract';
import { routes } from '@stowage/contract';
import { type Fault, type FaultProxy, type SeenRequest, startFaultProxy } from '../files/fault-proxy.ts';
import { pngOf } from '../files/hostile-bytes.ts';
import { bucket, dayMs, hourMs, minuteMs, ServiceFixture } from '../files/service-fixture.ts';

interface FaultyWorld {
  readonly files: ServiceFixture;
  readonly proxy: FaultProxy;
}

/** The service asks once, so that each fault is met by what comes after the guard's own tries, which have tests of their own. */
const limits = {
  multipartThresholdBytes: 1024,
  bucketRetries: 0,
  circuitFailures: 1_000_000,
  sessionLifeMs: 100_000 * dayMs,
  requestsPerSecond: 1_000_000,
};

export async function openFaultyWorld(t: TestContext): Promise<FaultyWorld> {
  let proxy: FaultProxy | undefined;
  const files = await ServiceFixture.open(t, {
    limits,
    through: async (engine) => {
      proxy = await startFaultProxy(t, engine.endpoint);
      return proxy.endpoint;
    },
  });
  assert.ok(proxy);
  return { files, proxy };
}

/** How the file of a life is sent. */
const ways = {
  put: { bytes: pngOf(3), request: { name: 'a.png', contentType: 'image/png' } },
  form: { bytes: Buffer.from('a form'), request: { accepts: ['form'] } },
  multipart: { bytes: Buffer.alloc(3000, 'parts '), request: {} },
} as const satisfies Readonly<
  Record<string, { readonly bytes: Buffer; readonly request: Partial<CreateUploadRequest> }>
>;
export type Way = keyof typeof ways;

/** What is left of a life that was led to its end. */
export interface Outcome {
  readonly states: readonly string[];
  readonly downloaded: boolean;
  /** What the bucket held while the file was ready, and what it held in the end. */
  readonly objectsWhenReady: number;
  readonly left: readonly string[];
  readonly used: unknown;
}

/** Tries of one request: a fault that lasts longer is no fault but an outage. */
const maxTries = 12;

/** Lives one life; the first `times` requests that match meet the fault. */
export async function live(
  { files, proxy }: FaultyWorld,
  way: Way,
  trouble?: { readonly matches: (request: SeenRequest) => boolean; readonly fault: Fault; readonly times: number },
): Promise<Outcome> {
  let left = trouble?.times ?? 0;
  proxy.fault = (request) => (left > 0 && trouble?.matches(request) === true && left-- > 0 ? trouble.fault : undefined);
  const { bytes, request } = ways[way];
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const body = { name: 'a.txt', contentType: 'text/plain', sizeBytes: bytes.length, ...request };
  const upload = await insist(files, () => answerOf(files, 'createUpload', { headers, body }));
  await insist(files, () => send(files, upload.id, bytes));
  await insist(files, () => answerOf(files, 'completeUpload', { id: upload.id }));
  const states: string[] = [];
  await settle(files, upload.id, ['ready', 'rejected', 'aborted', 'expired'], states);
  // What is done beside may take some tries: previews, and what arrived elsewhere is removed.
  for (let round = 0; round < 5; round++) await pass(files, hourMs);
  if (states[0] !== 'ready') return { states, downloaded: false, objectsWhenReady: 0, left: [], used: undefined };
  const objectsWhenReady = keysOf(files, upload.id).length;
  const downloaded = await insist(files, async () => (await files.download(upload.fileId)).equals(bytes));
  await insist(files, () => answerOf(files, 'deleteFile', { id: upload.fileId }));
  await pass(files, 31 * dayMs);
  await settle(files, upload.id, ['purged'], states);
  proxy.fault = () => undefined;
  await pass(files, hourMs);
  const { usage } = await files.call('getQuotas');
  const open = files.openUploads();
  return { states, downloaded, objectsWhenReady, left: [...keysOf(files, upload.id), ...open], used: usage };
}

/** Asks until it is answered, as a client does, with time in between. Throws what was wrong the last time. */
async function insist<Result>(files: ServiceFixture, ask: () => Promise<Result>): Promise<Result> {
  for (let tried = 1; ; tried++) {
    try {
      return await ask();
    } catch (error) {
      if (tried === maxTries) throw error;
      await pass(files, minuteMs);
    }
  }
}

async function answerOf<Name extends RouteName>(
  files: ServiceFixture,
  name: Name,
  options: Parameters<typeof files.respond<Name>>[1],
): Promise<RouteResponse<Name>> {
  const answer = await files.respond(name, options);
  const text = await answer.text();
  // 503 means that the bucket did not tell; parts-missing, that something did not arrive: both are asked again.
  assert.equal(answer.status, routes[name].status, `${name}: ${text}`);
  return (text === '' ? undefined : routes[name].response?.parse(JSON.parse(text))) as RouteResponse<Name>; // by its schema
}

async function send(files: ServiceFixture, id: string, bytes: Buffer): Promise<void> {
  const upload: Upload = await answerOf(files, 'getUpload', { id });
  if (upload.strategy !== 'multipart') {
    if (upload.request === undefined) return; // past that already
    const status = await sendWhole(upload.request, bytes);
    // Already there: an earlier reply was lost.
    assert.ok([200, 201, 204, 412].includes(status), `The bucket answered ${status}.`);
    return;
  }
  if (upload.state !== 'pending' && upload.state !== 'uploading') return;
  const partNumbers = Array.from({ length: upload.partCount ?? 0 }, (_, index) => index + 1);
  const { parts } = await answerOf(files, 'signParts', { id, body: { partNumbers } });
  for (const part of parts) assert.equal(await sendWhole(part, bytes), 200);
}

async function sendWhole({ method, url, headers, fields }: SignedRequest, bytes: Buffer): Promise<number> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields ?? {})) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(bytes)]));
  const response = await fetch(url, { method, headers, body: fields === undefined ? new Uint8Array(bytes) : form });
  const text = await response.text();
  // S3 may say 200 and mean an error: a client that looks sees it.
  return text.includes('<Error>') ? 500 : response.status;
}

async function pass(files: ServiceFixture, durationMs: number): Promise<void> {
  files.advance(durationMs);
  await files.tick();
}

/** Lets reviews pass until the file is in one of these states; notes each that it is seen in. */
async function settle(files: ServiceFixture, id: string, ends: readonly string[], states: string[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await pass(files, 11 * minuteMs);
    const { state } = files.row(id);
    if (ends.includes(state)) {
      states.push(state);
      return;
    }
  }
  assert.fail(`The file stays ${files.row(id).state}.`);
}

function keysOf(files: ServiceFixture, id: string): readonly string[] {
  return files.keys().filter((key) => key.includes(id));
}

/** Whether the request is for the bucket itself, not for what is in it. */
export function isBucket({ path }: SeenRequest): boolean {
  return path.replace(/\/$/, '') === `/${bucket}`;
}
