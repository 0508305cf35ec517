// A file service over a real engine for one test: both on one clock that only the test moves, the database in a temporary
// folder so that the service can be closed and opened again. Calls go by the contract's route table and every answer is
// checked against its schema. Everything is closed when the test ends.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  type CreateUploadRequest,
  type FileState,
  type Problem,
  type ProblemCode,
  problemSchema,
  problems,
  type RouteBody,
  type RouteName,
  type RouteResponse,
  routes,
  type SignedRequest,
  type Upload,
} from '@stowage/contract';
import { type Engine, startEngine } from '@stowage/engine';
import {
  type ClamdSettings,
  type EndpointOptions,
  type EventsInOptions,
  type FileService,
  type FileServiceOptions,
  type FilesLimits,
  openFileService,
  type UploadPolicies,
} from '@stowage/files';
import { requireDocumented } from './documented-answers.ts';
import { PathClient } from './path-client.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
export const mib = 1024 * 1024;

export const bucket = 'stowage-files';
export const serviceOrigin = 'http://files.test';

/** Small parts, so that a file of a few MiB is one of several parts. */
export const smallParts: Partial<FilesLimits> = { multipartThresholdBytes: 5 * mib, minPartSizeBytes: 5 * mib };

const knownEngine: EndpointOptions = { kind: 'engine', probing: 'forbidden' };

interface FixtureOptions {
  readonly limits?: Partial<FilesLimits>;
  readonly policies?: UploadPolicies;
  readonly clamd?: ClamdSettings;
  /** Default: the engine is known, and not tried out for each test. */
  readonly endpoint?: EndpointOptions;
  readonly eventsIn?: EventsInOptions;
  readonly allowPrivateWebhooks?: boolean;
  /** Default: SQLite, in a file that `rows` reads. */
  readonly database?: FileServiceOptions['database'];
  readonly issuers?: FileServiceOptions['issuers'];
  readonly publicUrl?: string;
  readonly consoleDirectory?: string;
  readonly allowedOrigins?: readonly string[];
  /** Gives the endpoint that the service is to use instead of the engine's own: a proxy before it. */
  readonly through?: (engine: Engine) => Promise<string>;
}

interface CallOptions<Name extends RouteName> {
  readonly id?: string;
  /** Of the path, beside those that have a name of their own here. */
  readonly params?: Readonly<Record<string, string>>;
  /** The session cookie to send, in place of the owner's. */
  readonly as?: string;
  readonly preset?: string;
  readonly versionId?: string;
  readonly deliveryId?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: RouteBody<Name>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends neither cookie nor key. */
  readonly anonymous?: boolean;
}

/** What says when a fixture is to be closed: a test. */
interface Ending {
  after(end: () => unknown): void;
}

interface SharedFixture {
  readonly fixture: ServiceFixture;
  close(): Promise<void>;
}

/** A row of the table `files`, as far as tests look at it. */
interface StoredRow {
  readonly id: string;
  readonly state: FileState;
  readonly fence: number;
  readonly objectKey: string;
  readonly objectEtag: string | null;
  readonly multipartUploadId: string | null;
  readonly sizeBytes: number;
  readonly reviewAtMs: number | null;
}

export class ServiceFixture {
  readonly engine: Engine;
  readonly directory: string;
  /** The session cookie, `name=value`. */
  cookie = '';
  /** What the service logged as warnings and errors. */
  readonly complaints: string[] = [];
  readonly #time: { nowMs: number };
  #service: FileService | undefined;
  #options: FileServiceOptions | undefined;

  private constructor(engine: Engine, directory: string, time: { nowMs: number }) {
    this.engine = engine;
    this.directory = directory;
    this.#time = time;
  }

  /** For all tests of a file together; who opens it closes it. */
  static async openShared(options: FixtureOptions = {}): Promise<SharedFixture> {
    const endings: (() => unknown)[] = [];
    const fixture = await ServiceFixture.open({ after: (end) => endings.unshift(end) }, options);
    const close = async (): Promise<void> => {
      for (const end of endings) await end();
    };
    return { fixture, close };
  }

  static async open(t: Ending, options: FixtureOptions = {}): Promise<ServiceFixture> {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-files-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const time = { nowMs: Date.now() };
    const clock = (): number => time.nowMs;
    const engine = await startEngine({ clock });
    t.after(() => engine.close());
    const fixture = new ServiceFixture(engine, directory, time);
    await fixture.#start(clock, options);
    t.after(() => fixture.service.close());
    await fixture.signIn();
    return fixture;
  }

  get service(): FileService {
    assert.ok(this.#service, 'The service is not open.');
    return this.#service;
  }

  /** What the service was opened with; another can be opened with the same. */
  get options(): FileServiceOptions {
    assert.ok(this.#options);
    return this.#options;
  }

  async #start(clock: () => number, options: FixtureOptions): Promise<void> {
    const {
      endpoint = knownEngine,
      eventsIn,
      limits,
      policies,
      clamd,
      allowPrivateWebhooks,
      consoleDirectory,
      allowedOrigins,
      through,
    } = options;
    const complain = (message: string, fields: object): void => {
      this.complaints.push(`${message} ${JSON.stringify(fields)}`);
    };
    this.#options = {
      s3: {
        endpoint: through === undefined ? this.engine.endpoint : await through(this.engine),
        region: this.engine.region,
        bucket,
        credentials: this.engine.credentials,
        forcePathStyle: true,
      },
      endpoint,
      ...(eventsIn === undefined ? {} : { eventsIn }),
      database: options.database ?? { path: this.databasePath },
      ...(options.issuers === undefined ? {} : { issuers: options.issuers }),
      ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
      secret: new Uint8Array(32).fill(7),
      clock,
      monotonicClock: clock,
      log: { info: () => undefined, warn: complain, error: complain },
      background: false,
      ...(limits === undefined ? {} : { limits }),
      ...(policies === undefined ? {} : { policies }),
      ...(clamd === undefined ? {} : { clamd }),
      ...(allowPrivateWebhooks === undefined ? {} : { allowPrivateWebhooks }),
      ...(consoleDirectory === undefined ? {} : { consoleDirectory }),
      ...(allowedOrigins === undefined ? {} : { allowedOrigins }),
    };
    this.#service = await openFileService(this.options);
  }

  get databasePath(): string {
    return join(this.directory, 'files.db');
  }

  /** Closes the service and opens it again over the same database and bucket: what a new start of the process does. */
  async restart(): Promise<void> {
    await this.service.close();
    this.#service = await openFileService(this.options);
  }

  /** The owner, by paths. */
  get client(): PathClient {
    return new PathClient(this.service, { cookie: this.cookie });
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  /** Lets time pass; the service does nothing of itself. */
  advance(durationMs: number): void {
    this.#time.nowMs += durationMs;
  }

  /** Lets the service do all that is due. */
  tick(): Promise<void> {
    return this.service.tick();
  }

  async signIn(): Promise<Response> {
    const token = await this.service.issueSignInToken();
    const response = await this.respond('signIn', { body: { token }, anonymous: true });
    assert.equal(response.status, 200);
    this.cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
    return response;
  }

  /** Signs somebody in by the link of an invitation; answers their session cookie. */
  async signInBy(invitationUrl: string): Promise<string> {
    const token = new URL(invitationUrl, serviceOrigin).hash.replace('#token=', '');
    const response = await this.respond('signIn', { body: { token }, anonymous: true });
    assert.equal(response.status, 200, await response.text());
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  }

  /** The answer as it comes. */
  async respond<Name extends RouteName>(name: Name, options: CallOptions<Name> = {}): Promise<Response> {
    const { method, path } = routes[name];
    const filled = path
      .replace('{id}', encodeURIComponent(options.id ?? 'no-id-given'))
      .replace('{deliveryId}', encodeURIComponent(options.deliveryId ?? 'no-delivery-given'))
      .replace('{versionId}', encodeURIComponent(options.versionId ?? 'no-version-given'))
      .replace('{preset}', encodeURIComponent(options.preset ?? 'thumbnail'))
      .replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(options.params?.[name] ?? 'none-given'));
    const url = new URL(filled, serviceOrigin);
    for (const [key, value] of Object.entries(options.query ?? {})) url.searchParams.set(key, String(value));
    const headers = new Headers(options.headers);
    const cookie = options.as ?? this.cookie;
    if (options.anonymous !== true && cookie !== '' && !headers.has('authorization')) headers.set('cookie', cookie);
    if (options.body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
    return this.send(
      new Request(url, {
        method,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      }),
    );
  }

  /** Any request, as from this machine. A refusal must be one that the contract knows. */
  async send(request: Request): Promise<Response> {
    const response = await this.service.fetch(request, { clientAddress: '127.0.0.1' });
    await requireDocumented(request, response);
    return response;
  }

  /** Calls a route that must succeed; answers its body, checked against the contract. */
  async call<Name extends RouteName>(name: Name, options: CallOptions<Name> = {}): Promise<RouteResponse<Name>> {
    const response = await this.respond(name, options);
    const text = await response.text();
    const { status, response: schema } = routes[name];
    assert.equal(response.status, status, `${name} answered ${response.status}: ${text}`);
    // The schema is the one that RouteResponse<Name> was inferred from.
    return (schema === undefined ? undefined : schema.parse(JSON.parse(text))) as RouteResponse<Name>;
  }

  /** Calls a route that must refuse with this problem; answers the problem. */
  async refused<Name extends RouteName>(
    code: ProblemCode,
    name: Name,
    options: CallOptions<Name> = {},
  ): Promise<Problem> {
    return readProblem(code, await this.respond(name, options));
  }

  announce(request: Partial<CreateUploadRequest> & { readonly sizeBytes: number }): Promise<Upload> {
    return this.call('createUpload', { body: { name: 'notes.txt', contentType: 'text/plain', ...request } });
  }

  /** Announces a file and sends its bytes in whichever way the service asks for. Says nothing about it afterwards. */
  async sendFile(
    name: string,
    contentType: string,
    bytes: Uint8Array,
    over: Partial<CreateUploadRequest> = {},
  ): Promise<Upload> {
    const upload = await this.announce({ name, contentType, sizeBytes: bytes.length, ...over });
    if (upload.strategy === 'multipart') await this.sendParts(upload, bytes);
    else assert.equal((await sendBytes(requestOf(upload), bytes)).status, 200);
    return upload;
  }

  /** Sends parts: all of them unless told which. */
  async sendParts(upload: Upload, bytes: Uint8Array, partNumbers = partNumbersOf(upload)): Promise<void> {
    const { parts } = await this.call('signParts', { id: upload.id, body: { partNumbers } });
    const partSize = upload.partSizeBytes ?? 0;
    for (const part of parts) {
      const start = (part.partNumber - 1) * partSize;
      const response = await sendBytes(part, bytes.subarray(start, start + partSize));
      assert.equal(response.status, 200, await response.text());
    }
  }

  /** The whole way: announced, sent, completed, checked. */
  async upload(name: string, contentType: string, bytes: Uint8Array): Promise<Upload> {
    const upload = await this.sendFile(name, contentType, bytes);
    await this.call('completeUpload', { id: upload.id });
    await this.tick();
    return this.call('getUpload', { id: upload.id });
  }

  async contentUrl(id: string, query: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await this.respond('getContent', { id, query });
    assert.equal(response.status, 302, await response.text());
    return response.headers.get('location') ?? '';
  }

  async download(id: string): Promise<Buffer> {
    const response = await fetch(await this.contentUrl(id));
    assert.equal(response.status, 200);
    return Buffer.from(await response.arrayBuffer());
  }

  /** All rows, read beside the service: they tell more than any route does. */
  rows(): readonly StoredRow[] {
    const database = new DatabaseSync(this.databasePath, { readOnly: true });
    try {
      // The columns are named as the interface's fields.
      return database
        .prepare(
          `SELECT id, state, fence, object_key AS objectKey, object_etag AS objectEtag, size_bytes AS sizeBytes,
             multipart_upload_id AS multipartUploadId, review_at_ms AS reviewAtMs FROM files ORDER BY id`,
        )
        .all() as unknown as StoredRow[];
    } finally {
      database.close();
    }
  }

  row(id: string): StoredRow {
    const row = this.rows().find((candidate) => candidate.id === id);
    assert.ok(row, `There is no row ${id}.`);
    return row;
  }

  /** Keys of all objects in the bucket but the marker of its owner, by the store itself. */
  keys(prefix = ''): readonly string[] {
    if (this.engine.store.getBucket(bucket) === undefined) return [];
    const page = { bucket, prefix, delimiter: '', after: '', limit: 1000 };
    const keys = this.engine.store.listObjects(page).objects.map(({ key }) => key);
    return keys.filter((key) => !key.startsWith('owner/'));
  }

  /** Ids of all unfinished multipart uploads in the bucket. */
  openUploads(): readonly string[] {
    if (this.engine.store.getBucket(bucket) === undefined) return [];
    const page = { bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 1000 };
    return this.engine.store.listUploads(page).uploads.map(({ uploadId }) => uploadId);
  }
}

/** Sends bytes as a client does: the request exactly as it was signed. */
export function sendBytes(request: SignedRequest, bytes: Uint8Array): Promise<Response> {
  const { method, url, headers } = request;
  return fetch(url, { method, headers, body: new Uint8Array(bytes) });
}

export function requestOf(upload: Upload): SignedRequest {
  assert.ok(upload.request, `The upload is ${upload.state} and carries no request.`);
  return upload.request;
}

function partNumbersOf(upload: Upload): number[] {
  return Array.from({ length: upload.partCount ?? 0 }, (_, index) => index + 1);
}

/** Checks that a response is a problem of this code, whole and well-formed. */
export async function readProblem(code: ProblemCode, response: Response): Promise<Problem> {
  const text = await response.text();
  assert.equal(response.headers.get('content-type'), 'application/problem+json', `${response.status} ${text}`);
  const problem = problemSchema.parse(JSON.parse(text));
  assert.equal(problem.code, code, text);
  assert.equal(problem.status, problems[code].status);
  assert.equal(response.status, problems[code].status);
  assert.equal(problem.type, `urn:stowage:problem:${code}`);
  assert.equal(problem.title, problems[code].title);
  assert.equal(problem.requestId, response.headers.get('x-request-id'));
  return problem;
}

/** Text in which every KiB says where it is, so that a shifted or repeated piece is seen. */
export function numberedText(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, '.');
  for (let offset = 0; offset + 16 <= sizeBytes; offset += 1024) bytes.write(`${offset}\n`, offset);
  return bytes;
}

/** The S3 error code of a refused request. */
export async function s3Code(response: Response): Promise<string> {
  return /<Code>([^<]*)/.exec(await response.text())?.[1] ?? '';
}
