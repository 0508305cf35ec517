// A file service over a real engine, in a temporary folder, with a clock that tests move, and the requests a client would send.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { FileEntry, Problem, SignedPartList, Upload } from '@stowage/contract';
import { type Engine, startEngine } from '@stowage/engine';
import { type FileService, type FileServiceOptions, openFileService } from '@stowage/files';

const mib = 1024 * 1024;
export const origin = 'http://files.test';

/** Small enough that a file in parts is quickly made; 5 MiB is the least S3 takes. */
const testLimits = { multipartThresholdBytes: 5 * mib, minPartSizeBytes: 5 * mib };

export interface Fixture {
  readonly engine: Engine;
  readonly clock: MovableClock;
  readonly options: FileServiceOptions;
  /** Of the service opened last; `reopen` makes another on the same database. */
  readonly api: Api;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

interface FixtureOptions extends Partial<Omit<FileServiceOptions, 's3'>> {
  /** Another endpoint before the engine: what the service talks to. */
  readonly serviceEndpoint?: (engineEndpoint: string) => string;
}

/** Keys of the objects and of the unfinished uploads in the service's bucket, as an administrator sees them. */
export async function bucketHolds(
  engine: Engine,
): Promise<{ readonly objects: readonly string[]; readonly uploads: readonly string[] }> {
  const { endpoint, region, credentials } = engine;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    const objects = await client.send(new ListObjectsV2Command({ Bucket: 'files' }));
    const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket: 'files' }));
    return {
      objects: (objects.Contents ?? []).map(({ Key }) => Key ?? ''),
      uploads: (uploads.Uploads ?? []).map(({ Key }) => Key ?? ''),
    };
  } finally {
    client.destroy();
  }
}

/** Real time with an offset. */
class MovableClock {
  #offsetMs = 0;
  readonly now = (): number => Date.now() + this.#offsetMs;
  forward(timeMs: number): void {
    this.#offsetMs += timeMs;
  }
}

export async function openFixture({ serviceEndpoint, ...given }: FixtureOptions = {}): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-files-'));
  const clock = new MovableClock();
  const engine = await startEngine({ clock: clock.now });
  const options: FileServiceOptions = {
    s3: {
      endpoint: serviceEndpoint?.(engine.endpoint) ?? engine.endpoint,
      publicEndpoint: engine.endpoint,
      region: engine.region,
      bucket: 'files',
      credentials: engine.credentials,
      forcePathStyle: true,
    },
    endpoint: { kind: 'engine', probing: 'forbidden' },
    database: { path: join(folder, 'files.sqlite') },
    secret: randomBytes(32),
    clock: clock.now,
    background: false,
    ...given,
    limits: { ...testLimits, ...given.limits },
  };
  let service = await openFileService(options);
  let api = await signedIn(service);
  return {
    engine,
    clock,
    options,
    get api() {
      return api;
    },
    reopen: async () => {
      await service.close();
      service = await openFileService(options);
      api = await signedIn(service);
    },
    close: async () => {
      await service.close();
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function signedIn(service: FileService): Promise<Api> {
  const response = await service.fetch(
    new Request(`${origin}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: await service.issueSignInToken() }),
    }),
  );
  assert.equal(response.status, 200, await response.clone().text());
  const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
  return new Api(service, { cookie });
}

/** What a client does, by plain fetch. */
export class Api {
  readonly service: FileService;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(service: FileService, headers: Readonly<Record<string, string>>) {
    this.service = service;
    this.#headers = headers;
  }

  request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return this.service.fetch(
      new Request(`${origin}${path}`, {
        method,
        headers: {
          ...this.#headers,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  /** The parsed body of an answer that must have this status. */
  async ask<Answer>(status: number, method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.request(method, path, body);
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    // The service's own schema says what is in it; the contract's tests hold it to that.
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  async refused(code: Problem['code'], method: string, path: string, body?: unknown): Promise<Problem> {
    const response = await this.request(method, path, body);
    const problem = (await response.json()) as Problem;
    assert.equal(problem.code, code, JSON.stringify(problem));
    assert.equal(response.status, problem.status);
    return problem;
  }

  create(name: string, bytes: Uint8Array, contentType = 'application/octet-stream'): Promise<Upload> {
    return this.ask(201, 'POST', '/v1/uploads', { name, sizeBytes: bytes.byteLength, contentType });
  }

  upload(id: string): Promise<Upload> {
    return this.ask(200, 'GET', `/v1/uploads/${id}`);
  }

  complete(id: string): Promise<Upload> {
    return this.ask(200, 'POST', `/v1/uploads/${id}/complete`);
  }

  file(id: string): Promise<FileEntry> {
    return this.ask(200, 'GET', `/v1/files/${id}`);
  }

  /** Sends the bytes the way the upload says, without completing. */
  async send(upload: Upload, bytes: Uint8Array): Promise<void> {
    if (upload.strategy === 'put') {
      assert.ok(upload.request, 'an upload by PUT comes with its request');
      const { method, url, headers } = upload.request;
      const response = await fetch(url, { method, headers, body: new Uint8Array(bytes) });
      assert.equal(response.status, 200, await response.text());
      return;
    }
    const numbers = Array.from({ length: upload.partCount ?? 0 }, (_, index) => index + 1);
    await this.sendParts(upload, bytes, numbers);
  }

  async sendParts(upload: Upload, bytes: Uint8Array, partNumbers: readonly number[]): Promise<void> {
    const partSizeBytes = upload.partSizeBytes ?? 0;
    const path = `/v1/uploads/${upload.id}/parts/sign`;
    const { parts } = await this.ask<SignedPartList>(200, 'POST', path, { partNumbers });
    for (const { partNumber, method, url, headers } of parts) {
      const body = new Uint8Array(bytes.subarray((partNumber - 1) * partSizeBytes, partNumber * partSizeBytes));
      const response = await fetch(url, { method, headers, body });
      assert.equal(response.status, 200, await response.text());
    }
  }

  /** The whole way to rest: ready, or refused. */
  async store(name: string, bytes: Uint8Array, contentType?: string): Promise<FileEntry> {
    const upload = await this.create(name, bytes, contentType);
    await this.send(upload, bytes);
    await this.complete(upload.id);
    await this.service.tick();
    return this.file(upload.id);
  }

  /** The signed URL that a path redirects to. */
  async redirect(path: string): Promise<string> {
    const response = await this.request('GET', path);
    assert.equal(response.status, 302, await response.text());
    return response.headers.get('location') ?? '';
  }
}
