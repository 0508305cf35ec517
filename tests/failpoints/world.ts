// One scenario's life with the service: a client that goes through it as clients do, and that, when the service ends under it,
// waits for the next one and asks again. In the end all that it was promised must be so.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type CreateUploadRequest,
  type Problem,
  type ProblemCode,
  type RouteBody,
  type RouteName,
  type RouteResponse,
  routes,
  type SignedRequest,
  type Upload,
} from '@stowage/contract';
import type { Armed, Hits, LifeOptions } from './failpoint-messages.ts';
import { type DoomedLife, type Life, LifeEnded, openLife } from './lives.ts';
import type { Stage } from './stage.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
const origin = 'http://files.test';

/** What every scenario has unless it says otherwise. */
const usual = {
  endpoint: { kind: 'engine', probing: 'forbidden' },
  secretHex: '07'.repeat(32),
  allowPrivateWebhooks: true,
  publicUrl: origin,
} as const satisfies Partial<LifeOptions>;
/** A file of more than a KiB goes in parts, of which the last may be small; sessions and requests know no end. */
const usualLimits = {
  multipartThresholdBytes: 1024,
  sessionLifeMs: 100_000 * dayMs,
  requestsPerSecond: 1_000_000,
  passwordTriesPerMinute: 1_000,
  signInsPerMinute: 1_000,
};

interface CallOptions<Name extends RouteName> {
  readonly id?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: RouteBody<Name>;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the owner's. `''`: nobody. */
  readonly cookie?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Whether the service ended before, under the same question. */
  readonly again: boolean;
}

/** How often a service may end in one scenario: once at its failpoint. */
const maxEnds = 2;

export class World {
  readonly stage: Stage;
  readonly bucket = `world-${randomUUID()}`;
  /** What services logged as warnings and errors. */
  readonly complaints: string[] = [];
  /** How often a service ended by itself. */
  ends = 0;
  cookie = '';
  readonly #options: LifeOptions;
  readonly #promises = new Map<string, () => Promise<void>>();
  #doomed: DoomedLife | undefined;
  readonly #buried = new Set<Life>();
  #life: Life | undefined;
  #opening: Promise<Life> | undefined;

  private constructor(stage: Stage, options: LifeOptions) {
    this.stage = stage;
    this.#options = { ...options, s3: { ...options.s3, bucket: this.bucket } };
  }

  /** Starts the service in a process of its own, armed or not; without `doomed` in this one. */
  static async open(
    stage: Stage,
    given: Partial<LifeOptions>,
    doomed?: { readonly armed?: Armed | undefined },
  ): Promise<World> {
    const { region, credentials } = stage.engine;
    const endpoint = stage.proxy.endpoint;
    const world = new World(stage, {
      ...usual,
      s3: { endpoint, region, bucket: '', credentials, forcePathStyle: true },
      database: { path: join(await stage.makeFolder(), 'files.db') },
      ...given,
      limits: { ...usualLimits, ...given.limits },
    });
    if (doomed !== undefined) {
      const life = stage.takeDoomed();
      world.#doomed = life;
      try {
        await life.start(world.#options, stage.offsetMs, doomed.armed);
        world.#life = life;
      } catch (error) {
        await world.#bury(life, error);
      }
    }
    if (world.#life === undefined) await world.#reopen();
    return world;
  }

  get options(): LifeOptions {
    return this.#options;
  }

  get databasePath(): string {
    assert.ok('path' in this.#options.database, 'The database is no file.');
    return this.#options.database.path;
  }

  /** The process that was to die, if it still lives. */
  get doomed(): DoomedLife | undefined {
    return this.#life === this.#doomed ? this.#doomed : undefined;
  }

  /** Asks the service, and the next one when it ends meanwhile. */
  async with<Result>(deed: (life: Life, again: boolean) => Promise<Result>): Promise<Result> {
    for (let again = false; ; again = true) {
      const life = this.#life ?? (await this.#reopen());
      try {
        return await deed(life, again);
      } catch (error) {
        await this.#bury(life, error);
      }
    }
  }

  /** Throws what is not the end of a service. One end meets every request that was under way. */
  async #bury(life: Life, error: unknown): Promise<void> {
    if (!(error instanceof LifeEnded)) throw error;
    if (!this.#buried.has(life)) {
      this.#buried.add(life);
      this.ends += 1;
      assert.ok(this.ends < maxEnds, `The service ended again.\n${error.message}`);
    }
    await this.#doomed?.end();
    if (this.#life === life) this.#life = undefined;
  }

  #reopen(): Promise<Life> {
    this.#opening ??= openLife(this.#options, this.stage.clock, (line) => this.complaints.push(line))
      .then((life) => {
        this.#life = life;
        return life;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** Ends the service as one ends it, and opens the next in this process. Answers what the process that was to die has reached. */
  async restart(): Promise<Hits> {
    await this.with((life) => life.close());
    const hits = (await this.doomed?.hits()) ?? {};
    await this.#doomed?.end();
    await this.#reopen();
    return hits;
  }

  async close(): Promise<void> {
    await this.#doomed?.end();
    if (this.#life !== this.#doomed) await this.#life?.close();
  }

  tick(): Promise<void> {
    return this.with((life) => life.tick());
  }

  /** Lets time pass, and the service do what is due then. */
  async pass(durationMs: number): Promise<void> {
    this.stage.advance(durationMs);
    this.doomed?.moveClock(this.stage.offsetMs);
    await this.tick();
  }

  /** A session cookie by a link of the service. A link whose answer was lost is used up: a new one is asked for. */
  async signIn(): Promise<string> {
    return this.with(async (life) => {
      const token = await life.issueSignInToken();
      const request = new Request(`${origin}/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      });
      const answer = await life.fetch(request);
      assert.equal(answer.status, 200, await answer.text());
      return cookieOf(answer.headers);
    });
  }

  /** Any request, as the owner unless told otherwise. */
  async request(method: string, path: string, init: RequestInit = {}, cookie = this.cookie): Promise<Answer> {
    return this.with(async (life, again) => {
      const headers = new Headers(init.headers);
      if (cookie !== '' && !headers.has('authorization')) headers.set('cookie', cookie);
      const answer = await life.fetch(new Request(new URL(path, origin), { ...init, method, headers }));
      return { status: answer.status, headers: answer.headers, text: await answer.text(), again };
    });
  }

  ask<Name extends RouteName>(name: Name, options: CallOptions<Name> = {}): Promise<Answer> {
    const { method, path } = routes[name];
    const given: Readonly<Record<string, string>> = { ...options.params, id: options.id ?? options.params?.id ?? '' };
    const filled = path.replace(/\{(\w+)\}/g, (_whole, key: string) => encodeURIComponent(given[key] ?? ''));
    const url = new URL(filled, origin);
    for (const [key, value] of Object.entries(options.query ?? {})) url.searchParams.set(key, String(value));
    const headers = new Headers(options.headers);
    if (options.body !== undefined) headers.set('content-type', 'application/json');
    const body = options.body === undefined ? {} : { body: JSON.stringify(options.body) };
    return this.request(method, `${url.pathname}${url.search}`, { headers, ...body }, options.cookie ?? this.cookie);
  }

  /** Calls a route that must succeed. */
  async call<Name extends RouteName>(name: Name, options: CallOptions<Name> = {}): Promise<RouteResponse<Name>> {
    return this.#read(name, await this.ask(name, options));
  }

  /** As `call`; asked again after an end, it may also answer that it is so already: `undefined`. */
  async once<Name extends RouteName>(
    name: Name,
    already: ProblemCode,
    options: CallOptions<Name> = {},
  ): Promise<RouteResponse<Name> | undefined> {
    const answer = await this.ask(name, options);
    if (answer.again && answer.status >= 400 && problemOf(answer).code === already) return undefined;
    return this.#read(name, answer);
  }

  async refused<Name extends RouteName>(
    code: ProblemCode,
    name: Name,
    options: CallOptions<Name> = {},
  ): Promise<Problem> {
    const problem = problemOf(await this.ask(name, options));
    assert.equal(problem.code, code, `${name}: ${JSON.stringify(problem)}`);
    return problem;
  }

  #read<Name extends RouteName>(name: Name, { status, text }: Answer): RouteResponse<Name> {
    const { status: expected, response: schema } = routes[name];
    assert.equal(status, expected, `${name} answered ${status}: ${text}`);
    // The schema is the one that RouteResponse<Name> was inferred from.
    return (schema === undefined ? undefined : schema.parse(JSON.parse(text))) as RouteResponse<Name>;
  }

  /** Announces a file, under a key of its own so that asking again makes no second one. */
  announce(over: Partial<CreateUploadRequest> & { readonly sizeBytes: number }): Promise<Upload> {
    const body = { name: 'notes.txt', contentType: 'text/plain', ...over };
    return this.call('createUpload', { headers: { 'idempotency-key': randomUUID() }, body });
  }

  /** Sends the bytes as the service asks. What S3 has already, it refuses, and that is as good. */
  async send(upload: Upload, bytes: Uint8Array, checksums?: Readonly<Record<string, string>>): Promise<void> {
    if (upload.strategy !== 'multipart') {
      assert.ok(upload.request, `The upload is ${upload.state} and carries no request.`);
      const status = await sendWhole(upload.request, bytes);
      assert.ok([200, 201, 204, 412].includes(status), `The bucket answered ${status}.`);
      return;
    }
    const partNumbers = Array.from({ length: upload.partCount ?? 0 }, (_, index) => index + 1);
    const body = { partNumbers, ...(checksums === undefined ? {} : { checksums }) };
    const { parts } = await this.call('signParts', { id: upload.id, body });
    const partSizeBytes = upload.partSizeBytes ?? 0;
    for (const part of parts) {
      const start = (part.partNumber - 1) * partSizeBytes;
      const status = await sendWhole(part, bytes.subarray(start, start + partSizeBytes));
      assert.equal(status, 200);
    }
  }

  /** The whole way: announced, sent, completed, judged; then it is promised that these bytes are served. */
  async upload(
    bytes: Uint8Array | string,
    over: Partial<CreateUploadRequest> = {},
    checksums?: Readonly<Record<string, string>>,
  ): Promise<Upload> {
    const body = Buffer.from(bytes);
    const upload = await this.announce({ sizeBytes: body.length, ...over });
    await this.send(upload, body, checksums);
    await this.call('completeUpload', { id: upload.id });
    await this.tick();
    this.promiseBytes(upload.fileId, body);
    return upload;
  }

  promiseBytes(fileId: string, bytes: Uint8Array | string): void {
    this.promise(fileId, async () => {
      assert.deepEqual(await this.download(fileId), Buffer.from(bytes), `The bytes of ${fileId} are others.`);
    });
  }

  promiseState(uploadId: string, ...states: readonly string[]): void {
    this.promise(uploadId, async () => {
      const { state, reason } = await this.call('getUpload', { id: uploadId });
      assert.ok(states.includes(state), `${uploadId} is ${state} (${reason}), and was to be ${states.join(' or ')}.`);
    });
  }

  /** What must be so when the scenario has ended, whatever happened in it. Of one name the last counts. */
  promise(name: string, proof: () => Promise<void>): void {
    this.#promises.set(name, proof);
  }

  async download(fileId: string): Promise<Buffer> {
    const { status, headers, text } = await this.ask('getContent', { id: fileId });
    assert.equal(status, 302, text);
    const response = await fetch(headers.get('location') ?? '');
    assert.equal(response.status, 200, `The bucket answered ${response.status}.`);
    return Buffer.from(await response.arrayBuffer());
  }

  async keepPromises(): Promise<void> {
    for (const proof of this.#promises.values()) await proof();
  }
}

/** The request exactly as it was signed, straight to the bucket. */
export async function sendWhole({ method, url, headers, fields }: SignedRequest, bytes: Uint8Array): Promise<number> {
  if (fields === undefined) {
    const response = await fetch(url, { method, headers, body: new Uint8Array(bytes) });
    await response.arrayBuffer();
    return response.status;
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(bytes)]));
  const response = await fetch(url, { method, headers, body: form });
  await response.arrayBuffer();
  return response.status;
}

export function cookieOf(headers: Headers): string {
  return headers.get('set-cookie')?.split(';')[0] ?? '';
}

function problemOf({ status, text }: Answer): Problem {
  assert.ok(status >= 400, `It answered ${status}: ${text}`);
  return JSON.parse(text) as Problem; // the service answers nothing else
}
