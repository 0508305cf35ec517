// Beyond one machine: a Ceph gateway over three OSDs, PostgreSQL, and two instances of the service as processes of their own. While
// files are uploaded, one OSD and one instance are killed. No file is lost, none is there twice, and the sums are exact.
// STOWAGE_TEST_CLUSTER_UPLOADS says how many files; default 24.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { FileList, SignedPartList, SignedRequest, Upload, UploadList } from '@stowage/contract';
import type { FilesLimits, S3Settings } from '@stowage/files';
import pg from 'pg';
import { startOwnCeph } from '../servers/ceph-cluster.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { startInstance } from './service-instance.ts';

const count = Number(process.env.STOWAGE_TEST_CLUSTER_UPLOADS ?? 24);
const mib = 1024 * 1024;
const clients = 8;
/** The longest that one step of a client may take in all its tries. */
const stepMs = 180_000;

/** What an instance leaves behind is taken over soon. */
const limits: Partial<FilesLimits> = {
  multipartThresholdBytes: 5 * mib,
  minPartSizeBytes: 5 * mib,
  reviewIntervalMs: 4_000,
  jobLeaseMs: 4_000,
  bucketTimeoutMs: 5_000,
  circuitFailures: 50,
  requestsPerSecond: 10_000,
  requestBurst: 10_000,
};

test(`${count} uploads while an OSD and an instance are killed: none lost, none doubled, sums exact`, {
  timeout: 900_000,
}, async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const ceph = await startOwnCeph();
  if (!ceph.found) return t.skip(ceph.reason);
  t.after(() => ceph.stop());
  const databaseUrl = await postgres.createDatabase();
  const s3 = await ceph.createBucket();
  const options = { s3, database: { url: databaseUrl }, limits, secretHex: randomBytes(32).toString('hex') };
  const first = await startInstance(t, options);
  const second = await startInstance(t, options);
  const service = new TwoInstances([first.url, second.url]);
  await service.signIn(first.token);

  const startedMs = performance.now();
  let done = 0;
  const kills = [
    { at: Math.ceil(count / 3), what: 'OSD 1', kill: () => ceph.killOsd(1) },
    { at: Math.ceil(count / 2), what: 'the first instance', kill: async () => void first.child.kill('SIGKILL') },
  ];
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const ids: string[] = [];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const number of numbers) {
        ids[number] = await uploadOne(service, number);
        done++;
        const due = kills[0];
        if (due === undefined || done < due.at) continue;
        kills.shift();
        t.diagnostic(`${due.what} is killed after ${done} files`);
        await due.kill();
      }
    }),
  );
  assert.deepEqual(kills, [], 'both were killed');
  await waitUntilReady(service, count);
  const seconds = (performance.now() - startedMs) / 1000;
  t.diagnostic(`${count} files in ${seconds.toFixed(1)} s; ${service.failovers} requests went to the other instance`);

  await checkFiles(service, ids);
  await checkDatabase(databaseUrl);
  await checkBucket(s3, databaseUrl);
});

/** What a client knows of two instances: the one that does not answer is left for the other. */
class TwoInstances {
  failovers = 0;
  #cookie = '';
  #urls: string[];
  #next = 0;

  constructor(urls: readonly string[]) {
    this.#urls = [...urls];
  }

  async signIn(token: string): Promise<void> {
    const response = await fetch(`${this.#urls[0]}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    assert.equal(response.status, 200, await response.text());
    this.#cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  }

  /** Tries until an instance answers with one of the statuses. */
  async ask(
    method: string,
    path: string,
    options: { readonly body?: object; readonly key?: string; readonly statuses?: readonly number[] } = {},
  ): Promise<Response> {
    const { body, key, statuses = [200, 201] } = options;
    const deadline = Date.now() + stepMs;
    for (let last = ''; ; ) {
      const url = this.#urls[this.#next++ % this.#urls.length];
      try {
        const response = await fetch(`${url}${path}`, {
          method,
          redirect: 'manual',
          signal: AbortSignal.timeout(60_000),
          headers: {
            cookie: this.#cookie,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(key === undefined ? {} : { 'idempotency-key': key }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        if (statuses.includes(response.status)) return response;
        last = `${response.status} ${await response.text()}`;
        // What is refused for good is a fault of the test or of the service.
        if (response.status < 500 && response.status !== 409 && response.status !== 429) throw new Error(last);
      } catch (error) {
        if (error instanceof Error && error.message === last) throw error;
        this.failovers++;
        last = String(error);
      }
      if (Date.now() > deadline) throw new Error(`${method} ${path}: ${last}`);
      await sleep(200);
    }
  }

  async call<Body>(
    method: string,
    path: string,
    options: { readonly body?: object; readonly key?: string } = {},
  ): Promise<Body> {
    // The contract's schemas are checked by the tests of the routes.
    return (await (await this.ask(method, path, options)).json()) as Body;
  }
}

/** Every twentieth is one of two parts. */
function bytesOf(number: number): Buffer {
  const sizeBytes = number % 20 === 7 ? 5 * mib + 1_000 : 8 * 1024 + number;
  return Buffer.alloc(sizeBytes, `file ${number} `);
}

async function uploadOne(service: TwoInstances, number: number): Promise<string> {
  const bytes = bytesOf(number);
  const body = { name: `file-${number}.txt`, sizeBytes: bytes.length, contentType: 'text/plain' };
  const upload = await service.call<Upload>('POST', '/v1/uploads', { body, key: `upload-${number}` });
  const path = `/v1/uploads/${upload.id}`;
  const deadline = Date.now() + stepMs;
  for (;;) {
    const now = await service.call<Upload>('GET', path);
    if (now.state !== 'pending' && now.state !== 'uploading' && now.state !== 'completing') return upload.id;
    if (now.strategy === 'multipart') await sendParts(service, now, bytes);
    else if (now.request !== undefined) await sendUntilTaken(now.request, bytes);
    const answer = await service.ask('POST', `${path}/complete`, { statuses: [200, 409] });
    await answer.body?.cancel();
    assert.ok(Date.now() < deadline, `Upload ${number} does not come to its end.`);
  }
}

async function sendParts(service: TwoInstances, upload: Upload, bytes: Buffer): Promise<void> {
  const { partSizeBytes = 0, partCount = 0 } = upload;
  const partNumbers = Array.from({ length: partCount }, (_, index) => index + 1);
  const answer = await service.ask('POST', `/v1/uploads/${upload.id}/parts/sign`, {
    body: { partNumbers },
    statuses: [200, 409],
  });
  if (answer.status === 409) return;
  const { parts } = (await answer.json()) as SignedPartList;
  for (const part of parts) {
    const start = (part.partNumber - 1) * partSizeBytes;
    await sendUntilTaken(part, bytes.subarray(start, start + partSizeBytes));
  }
}

/** Gives up without an error: the service then says where the upload stands. */
async function sendUntilTaken({ method, url, headers }: SignedRequest, bytes: Buffer): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      const signal = AbortSignal.timeout(20_000);
      const { status } = await fetch(url, { method, headers, body: new Uint8Array(bytes), signal });
      // 404: the parts were joined meanwhile. 412: the bytes are there, and an answer was lost.
      if (status < 400 || status === 404 || status === 412) return;
    } catch {
      // The gateway waits for an OSD that is gone.
    }
    await sleep(250);
  }
}

async function waitUntilReady(service: TwoInstances, expected: number): Promise<void> {
  const deadline = Date.now() + stepMs;
  for (;;) {
    const { uploads } = await service.call<UploadList>('GET', '/v1/uploads');
    const states = (await listFiles(service)).map(({ state }) => state);
    if (uploads.length === 0 && states.length === expected && states.every((state) => state === 'ready')) return;
    const left = states.filter((state) => state !== 'ready');
    assert.ok(Date.now() < deadline, `${uploads.length} are on their way, ${states.length} files, not ready: ${left}`);
    await sleep(500);
  }
}

async function listFiles(service: TwoInstances): Promise<FileList['files']> {
  const files: FileList['files'][number][] = [];
  let cursor = '';
  for (let page = 0; page < 100; page++) {
    const list = await service.call<FileList>('GET', `/v1/files?limit=200&sort=name${cursor}`);
    files.push(...list.files);
    if (list.nextCursor === undefined) return files;
    cursor = `&cursor=${encodeURIComponent(list.nextCursor)}`;
  }
  throw new Error('The list of files does not end.');
}

/** Each file once, under its own name, with its own bytes. */
async function checkFiles(service: TwoInstances, ids: readonly string[]): Promise<void> {
  const files = await listFiles(service);
  const names = Array.from({ length: count }, (_, number) => `file-${number}.txt`);
  assert.deepEqual(files.map(({ name }) => name).sort(), names.sort());
  assert.deepEqual(files.map(({ id }) => id).sort(), [...ids].sort());
  for (const [number, id] of ids.entries()) {
    const answer = await service.ask('GET', `/v1/files/${id}/content`, { statuses: [302] });
    const bytes = Buffer.from(await (await fetch(answer.headers.get('location') ?? '')).arrayBuffer());
    assert.equal(digest(bytes), digest(bytesOf(number)), `file ${number}`);
  }
}

async function checkDatabase(url: string): Promise<void> {
  await query(url, async (ask) => {
    const [sums] = await ask(
      'SELECT SUM(used_bytes) AS used, SUM(used_files) AS files, SUM(reserved_bytes) AS reserved, SUM(reserved_files) AS promised FROM usage_totals',
    );
    const total = Array.from({ length: count }, (_, number) => bytesOf(number).length).reduce(
      (sum, size) => sum + size,
      0,
    );
    assert.deepEqual(Object.values(sums ?? {}).map(Number), [total, count, 0, 0]);
    const states = await ask('SELECT state, COUNT(*) AS count FROM files GROUP BY state');
    assert.deepEqual(states, [{ state: 'ready', count: String(count) }]);
  });
}

/** One object for each row, and nothing else. */
async function checkBucket(s3: S3Settings, databaseUrl: string): Promise<void> {
  const client = new S3Client({ ...s3, requestChecksumCalculation: 'WHEN_REQUIRED' });
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: s3.bucket }));
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: s3.bucket }));
    await query(databaseUrl, async (ask) => {
      const rows = await ask('SELECT object_key FROM files ORDER BY object_key');
      assert.deepEqual(Contents.map(({ Key }) => Key).sort(), rows.map(({ object_key: key }) => key).sort());
    });
    assert.deepEqual(Uploads, []);
  } finally {
    client.destroy();
  }
}

type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

async function query(url: string, work: (ask: Ask) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // As the service itself, which sees all tenants' rows.
    await client.query("SELECT set_config('stowage.tenant', '*', false)");
    await work(async (sql) => (await client.query(sql)).rows);
  } finally {
    await client.end();
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
