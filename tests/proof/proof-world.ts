// A file service for proofs: a real engine in memory, a real database, a scanner that remembers, one or more instances of the service,
// each with a clock that goes some minutes before or after the bucket's, which only the proof moves. Many sequences share it, each in a tenant of its own, because to start it costs more
// than a sequence.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RouteBody, type RouteName, type RouteResponse, routes } from '@stowage/contract';
import { type Engine, startEngine } from '@stowage/engine';
import {
  type FileService,
  type FileServiceOptions,
  type FilesLimits,
  openFileService,
  type Seal,
  type UploadPolicies,
} from '@stowage/files';
import { requireDocumented } from '../files/documented-answers.ts';
import { openProofBucket, type ProofBucket } from './invariants/proof-bucket.ts';
import { openProofDatabase, type ProofDatabase } from './invariants/proof-database.ts';
import { type ScannerServer, startScannerServer } from './scanner-server.ts';

interface ProofWorldOptions {
  /** Default: SQLite, in a temporary folder. */
  readonly database?: FileServiceOptions['database'];
  /** Instances of the service over the one database. Default 1; SQLite takes no more. */
  readonly instances?: number;
  readonly limits?: Partial<FilesLimits>;
  readonly policies?: UploadPolicies;
  /** The seals that may be used. Default: all. */
  readonly seals?: readonly Seal[];
  /** Where SQLite's file goes. Default: the system's temporary folder. */
  readonly parentDirectory?: string;
  /** Told of each line of the service's log. */
  readonly onLog?: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: object) => void;
}

/** Somebody who is signed in: the owner of a tenant. */
export interface Caller {
  readonly tenantId: string;
  /** The session cookie, `name=value`. */
  readonly cookie: string;
}

export interface CallOptions<Name extends RouteName> {
  /** Of the path, by their names. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: RouteBody<Name>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which instance is asked. Default the first. */
  readonly instance?: number;
}

export const serviceOrigin = 'http://files.test';
export const eventsSecret = 'the secret of the events of the proof';
const bucketName = 'proof-files';
/** Large enough that no sequence meets a limit of traffic, whatever its clock does. */
const unlimited = 1_000_000_000;

interface WorldTime {
  /** In the bucket. */
  nowMs: number;
  /** How far each instance's clock is before that. */
  offsetsMs: number[];
}

function offsetOf({ offsetsMs }: WorldTime, instance: number): number {
  return offsetsMs[instance] ?? 0;
}

export class ProofWorld {
  readonly engine: Engine;
  readonly scanner: ScannerServer;
  readonly database: ProofDatabase;
  readonly bucket: ProofBucket;
  readonly secret: Uint8Array;
  readonly #time: WorldTime;
  readonly #options: (instance: number) => FileServiceOptions;
  readonly #services: FileService[];
  readonly #directory: string;
  #admin = '';

  private constructor(parts: {
    readonly engine: Engine;
    readonly scanner: ScannerServer;
    readonly database: ProofDatabase;
    readonly options: (instance: number) => FileServiceOptions;
    readonly services: FileService[];
    readonly directory: string;
    readonly time: WorldTime;
  }) {
    this.engine = parts.engine;
    this.scanner = parts.scanner;
    this.database = parts.database;
    const { secret, s3 } = parts.options(0);
    this.secret = secret;
    this.#time = parts.time;
    this.#options = parts.options;
    this.#services = parts.services;
    this.#directory = parts.directory;
    this.bucket = openProofBucket({ ...s3, clock: () => parts.time.nowMs });
  }

  static async open(given: ProofWorldOptions = {}): Promise<ProofWorld> {
    const directory = await mkdtemp(join(given.parentDirectory ?? tmpdir(), 'stowage-proof-'));
    const time: WorldTime = { nowMs: Date.now(), offsetsMs: [] };
    const clock = (): number => time.nowMs;
    const engine = await startEngine({ clock });
    const scanner = await startScannerServer();
    const settings = given.database ?? { path: join(directory, 'files.db') };
    const say = given.onLog ?? (() => undefined);
    const options = (instance: number): FileServiceOptions => ({
      s3: {
        endpoint: engine.endpoint,
        region: engine.region,
        bucket: bucketName,
        credentials: engine.credentials,
        forcePathStyle: true,
      },
      endpoint: { kind: 'engine', probing: 'forbidden', ...(given.seals === undefined ? {} : { seals: given.seals }) },
      eventsIn: { secret: eventsSecret },
      database: settings,
      secret: new Uint8Array(32).fill(11),
      clock: () => time.nowMs + offsetOf(time, instance),
      // A clock that is set anew does not move it.
      monotonicClock: () => time.nowMs,
      log: {
        debug: (message, fields) => say('debug', message, fields),
        info: (message, fields) => say('info', message, fields),
        warn: (message, fields) => say('warn', message, fields),
        error: (message, fields) => say('error', message, fields),
      },
      background: false,
      clamd: { address: scanner.address },
      ...(given.policies === undefined ? {} : { policies: given.policies }),
      limits: {
        // What was told is looked at whenever it was.
        webhookHistoryMs: 1e12,
        sessionLifeMs: 1_000_000_000_000_000,
        requestsPerSecond: unlimited,
        requestBurst: unlimited,
        signInsPerMinute: unlimited,
        pagesPerSecond: unlimited,
        pageBurst: unlimited,
        ...given.limits,
      },
    });
    const services: FileService[] = [];
    for (let count = 0; count < (given.instances ?? 1); count++) services.push(await openFileService(options(count)));
    const database = await openProofDatabase(settings);
    const world = new ProofWorld({ engine, scanner, database, options, services, directory, time });
    await services[0]?.prepared();
    const token = (await services[0]?.issueSignInToken()) ?? '';
    world.#admin = await world.#signIn(token);
    return world;
  }

  /** In the bucket. */
  get nowMs(): number {
    return this.#time.nowMs;
  }

  /** By the clock of each instance. */
  get clocksMs(): readonly number[] {
    return this.#services.map((_service, instance) => this.#time.nowMs + offsetOf(this.#time, instance));
  }

  /** Sets the clocks of the instances so far before or after the bucket's. Default: as it is there. */
  setOffsets(offsetsMs: readonly number[]): void {
    this.#time.offsetsMs = [...offsetsMs];
  }

  get instances(): number {
    return this.#services.length;
  }

  get bucketName(): string {
    return bucketName;
  }

  /** Lets time pass; the service does nothing of itself. */
  advance(durationMs: number): void {
    this.#time.nowMs += durationMs;
  }

  /** All instances do what is due, at the same time; or the first alone. */
  async tick(who: 'all' | 'first' = 'all'): Promise<void> {
    const working = who === 'all' ? this.#services : this.#services.slice(0, 1);
    await Promise.all(working.map((service) => service.tick()));
  }

  /** Closes an instance and opens it again: what a new start of its process does, on a machine whose clock may have been set. */
  async restart(instance = 0, offsetMs = offsetOf(this.#time, instance)): Promise<void> {
    await this.#services[instance]?.close();
    this.#time.offsetsMs[instance] = offsetMs;
    this.#services[instance] = await openFileService(this.#options(instance));
  }

  /** A tenant of one owner, with nothing in it. */
  async addTenant(): Promise<Caller> {
    const admin = { tenantId: 'main', cookie: this.#admin };
    const body = { name: 'Proof', owner: { name: 'Owner' } };
    const { tenant, owner } = await this.call('createTenant', admin, { body });
    const token = new URL(owner.invitation.url, serviceOrigin).hash.replace('#token=', '');
    return { tenantId: tenant.id, cookie: await this.#signIn(token) };
  }

  /** Gives a tenant so much room; `null`: as much as there is. */
  async setQuota({ tenantId }: Caller, quotaBytes: number | null): Promise<void> {
    const admin = { tenantId: 'main', cookie: this.#admin };
    await this.call('changeTenant', admin, { params: { id: tenantId }, body: { quotaBytes } });
  }

  /** The answer as it comes. */
  async respond<Name extends RouteName>(
    name: Name,
    caller: Caller | undefined,
    options: CallOptions<Name> = {},
  ): Promise<Response> {
    const { method, path } = routes[name];
    const url = new URL(
      path.replace(/\{(\w+)\}/g, (_whole, parameter: string) =>
        encodeURIComponent(options.params?.[parameter] ?? 'none-given'),
      ),
      serviceOrigin,
    );
    for (const [field, value] of Object.entries(options.query ?? {})) url.searchParams.set(field, value);
    const headers = new Headers(options.headers);
    if (caller !== undefined) headers.set('cookie', caller.cookie);
    if (options.body !== undefined) headers.set('content-type', 'application/json');
    const body = options.body === undefined ? {} : { body: JSON.stringify(options.body) };
    return this.send(new Request(url, { method, headers, ...body }), options.instance);
  }

  /** Any request to an instance, as from this machine. A refusal must be one that the contract knows. */
  async send(request: Request, instance = 0): Promise<Response> {
    const service = this.#services[instance % this.#services.length];
    assert.ok(service, 'There is no instance to ask.');
    const response = await service.fetch(request, { clientAddress: '127.0.0.1' });
    await requireDocumented(request, response);
    return response;
  }

  /** Calls a route that must succeed. */
  async call<Name extends RouteName>(
    name: Name,
    caller: Caller | undefined,
    options: CallOptions<Name> = {},
  ): Promise<RouteResponse<Name>> {
    const response = await this.respond(name, caller, options);
    const text = await response.text();
    const { status, response: schema } = routes[name];
    assert.equal(response.status, status, `${name} answered ${response.status}: ${text}`);
    // The schema is the one that RouteResponse<Name> was inferred from.
    return (schema === undefined ? undefined : schema.parse(JSON.parse(text))) as RouteResponse<Name>;
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.close();
    this.bucket.close();
    await this.database.close();
    await this.scanner.close();
    await this.engine.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #signIn(token: string): Promise<string> {
    const response = await this.respond('signIn', undefined, { body: { token } });
    assert.equal(response.status, 200, await response.text());
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  }
}
