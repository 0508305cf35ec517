// A file service over any endpoint, on real time, its database in a temporary folder: for tests that are the same on the engine and on
// Ceph. Nothing happens by itself; `settle` works until nothing is due. Everything is closed when the test ends.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectsV2Command, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import type { CreateUploadRequest, FileState, Problem, SignedPart, SignedRequest, Upload } from '@stowage/contract';
import {
  type EndpointOptions,
  type EventsInOptions,
  type FileService,
  type FileServiceOptions,
  type FilesLimits,
  openFileService,
  type S3Settings,
  type UploadPolicies,
} from '@stowage/files';
import { requireDocumented } from './documented-answers.ts';

const origin = 'http://files.test';

interface WorldOptions {
  readonly s3: S3Settings;
  readonly endpoint?: EndpointOptions;
  readonly eventsIn?: EventsInOptions;
  readonly limits?: Partial<FilesLimits>;
  readonly policies?: UploadPolicies;
  /** Milliseconds that the service's clock is ahead. */
  readonly aheadMs?: () => number;
  /** Milliseconds that have passed, whatever the clock says. Default: as many as really have. */
  readonly elapsedMs?: () => number;
}

interface Row {
  readonly state: FileState;
  readonly objectKey: string;
  readonly stagingKey: string | null;
  readonly sealedBy: string;
  readonly objectVersionId: string | null;
  readonly multipartUploadId: string | null;
}

export interface World {
  /** The one that was opened last. */
  readonly service: FileService;
  readonly s3: S3Settings;
  readonly log: readonly string[];
  /** The answer as it comes. */
  ask(method: string, path: string, body?: object): Promise<Response>;
  metrics(): Promise<string>;
  /** Closes the service and opens it again on the same database. */
  reopen(): Promise<void>;
  /** Any route; fails unless it answers 2xx. */
  call<Body>(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Body>;
  /** Any route that refuses. */
  refused(method: string, path: string, body?: object): Promise<Problem>;
  announce(request: Partial<CreateUploadRequest> & { readonly sizeBytes: number }): Promise<Upload>;
  signParts(upload: Upload, checksums?: Readonly<Record<string, string>>): Promise<readonly SignedPart[]>;
  complete(upload: Upload): Promise<Upload>;
  /** Works until nothing is due, and again until the upload has left the states given. */
  settle(id: string, until: FileState): Promise<void>;
  /** As Latin-1, so that every byte is a character. */
  download(id: string): Promise<string>;
  row(id: string): Row;
  /** All keys in the bucket, in all versions, but for the mark of whose it is. */
  keys(): Promise<readonly string[]>;
}

export async function openWorld(t: TestContext, options: WorldOptions): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-world-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'files.db');
  const log: string[] = [];
  const note = (message: string, fields: object): void => void log.push(`${message} ${JSON.stringify(fields)}`);
  const { s3, endpoint, eventsIn, policies, limits = {}, aheadMs = () => 0, elapsedMs } = options;
  const settings: FileServiceOptions = {
    s3,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(eventsIn === undefined ? {} : { eventsIn }),
    ...(policies === undefined ? {} : { policies }),
    database: { path },
    allowedOrigins: ['http://pages.test'],
    secret: new Uint8Array(32).fill(7),
    clock: () => Date.now() + aheadMs(),
    ...(elapsedMs === undefined ? {} : { monotonicClock: elapsedMs }),
    limits: { sessionLifeMs: 1e12, ...limits },
    log: { info: note, warn: note, error: note },
    background: false,
  };
  let service = await openFileService(settings);
  t.after(() => service.close());
  let cookie = '';

  async function ask(method: string, route: string, body?: object, headers = {}): Promise<Response> {
    const request = new Request(new URL(route, origin), {
      method,
      headers: { ...headers, cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await service.fetch(request, { clientAddress: '127.0.0.1' });
    await requireDocumented(request, response);
    return response;
  }

  async function call<Body>(method: string, route: string, body?: object, headers = {}): Promise<Body> {
    const response = await ask(method, route, body, headers);
    const text = await response.text();
    assert.ok(
      response.status < 400,
      `${method} ${route} answered ${response.status}: ${text}\n${log.slice(-5).join('\n')}`,
    );
    // The contract's schemas are checked by the tests of the routes.
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  const signedIn = await ask('POST', '/v1/session', { token: await service.issueSignInToken() });
  cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';

  function row(id: string): Row {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const columns = `state, object_key AS objectKey, staging_key AS stagingKey, sealed_by AS sealedBy,
        object_version_id AS objectVersionId, multipart_upload_id AS multipartUploadId`;
      const found = database.prepare(`SELECT ${columns} FROM files WHERE id = ?`).get(id);
      assert.ok(found, `There is no row ${id}.`);
      // The columns are named as the interface's fields.
      return found as unknown as Row;
    } finally {
      database.close();
    }
  }

  return {
    get service() {
      return service;
    },
    s3,
    log,
    ask,
    metrics: async () => (await ask('GET', '/metrics')).text(),
    reopen: async () => {
      await service.close();
      service = await openFileService(settings);
    },
    call,
    refused: async (method, route, body) => {
      const response = await ask(method, route, body);
      assert.ok(response.status >= 400, `${method} ${route} answered ${response.status}.`);
      return (await response.json()) as Problem;
    },
    announce: (request) => call('POST', '/v1/uploads', { name: 'notes.txt', contentType: 'text/plain', ...request }),
    signParts: async (upload, checksums) => {
      const partNumbers = Array.from({ length: upload.partCount ?? 0 }, (_, index) => index + 1);
      const body = { partNumbers, ...(checksums === undefined ? {} : { checksums }) };
      return (await call<{ parts: SignedPart[] }>('POST', `/v1/uploads/${upload.id}/parts/sign`, body)).parts;
    },
    complete: (upload) => call('POST', `/v1/uploads/${upload.id}/complete`),
    settle: async (id, until) => {
      const deadline = Date.now() + 30_000;
      for (;;) {
        await service.tick();
        if (row(id).state === until) return;
        assert.ok(Date.now() < deadline, `${id} is ${row(id).state}, not ${until}.\n${log.slice(-8).join('\n')}`);
        await sleep(100);
      }
    },
    download: async (id) => {
      const response = await ask('GET', `/v1/files/${id}/content`);
      assert.equal(response.status, 302, await response.text());
      const bytes = await fetch(response.headers.get('location') ?? '');
      assert.equal(bytes.status, 200);
      return Buffer.from(await bytes.arrayBuffer()).toString('latin1');
    },
    row,
    keys: async () => {
      const client = new S3Client({ ...s3, requestChecksumCalculation: 'WHEN_REQUIRED' });
      try {
        const versions = await client
          .send(new ListObjectVersionsCommand({ Bucket: s3.bucket }))
          .then(({ Versions = [], DeleteMarkers = [] }) => [...Versions, ...DeleteMarkers])
          .catch(async () => (await client.send(new ListObjectsV2Command({ Bucket: s3.bucket }))).Contents ?? []);
        return versions
          .map(({ Key }) => Key ?? '')
          .filter((key) => !key.startsWith('owner/'))
          .sort();
      } finally {
        client.destroy();
      }
    },
  };
}

/** Sends bytes as a client does: the request or form exactly as it was signed. Answers the status. */
export async function send(request: SignedRequest, bytes: string | Buffer<ArrayBuffer>): Promise<number> {
  const { method, url, headers, fields } = request;
  if (fields === undefined) return (await fetch(url, { method, headers, body: bytes })).status;
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([bytes]), 'file');
  return (await fetch(url, { method, headers, body: form })).status;
}

/** Sends the first half of the bytes; `finish` sends the rest and answers the status, or 0 when the connection was closed. */
export async function sendSlowly(request: SignedRequest, bytes: string): Promise<{ finish(): Promise<number> }> {
  const { method, url, headers } = request;
  const { hostname, port, pathname, search } = new URL(url);
  const outgoing = httpRequest({
    hostname,
    port,
    method,
    path: pathname + search,
    headers: { ...headers, 'content-length': Buffer.byteLength(bytes) },
  });
  const status = new Promise<number>((resolve) => {
    outgoing.on('response', (incoming) => {
      incoming.resume();
      incoming.on('end', () => resolve(incoming.statusCode ?? 0));
      incoming.on('error', () => resolve(0));
    });
    outgoing.on('error', () => resolve(0));
  });
  const half = Math.floor(bytes.length / 2);
  await new Promise<void>((resolve) => outgoing.write(bytes.slice(0, half), () => resolve()));
  // The endpoint is to have read the head of the request.
  await sleep(100);
  return {
    finish: () => {
      outgoing.end(bytes.slice(half));
      return status;
    },
  };
}

export function requestOf(upload: Upload): SignedRequest {
  assert.ok(upload.request, `The upload is ${upload.state} and carries no request.`);
  return upload.request;
}
