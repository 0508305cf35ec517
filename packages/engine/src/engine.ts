// Starts an engine: a store, accounts and a server put together, in milliseconds. This is the library's front door, for a
// test suite or a program that wants S3 of its own; `stowage engine` is a thin layer over it.

import { createHash, randomBytes } from 'node:crypto';
import {
  checkTime,
  type DiskStoreOptions,
  type Durability,
  type ObjectStore,
  openDiskStore,
  openMemoryStore,
} from '@stowage/store';
import type { Account } from './accounts.ts';
import { defaultLimits, type EngineLimits } from './limits.ts';
import type { EngineLog } from './log.ts';
import { createServing, type ServingSettings } from './serving.ts';

/** More would only wait for the one committer. */
const maxWorkers = 64;

export interface EngineOptions {
  /** A store that is open already; it stays open when the engine closes. */
  readonly store?: ObjectStore;
  /** Where the bytes go. Default, without `store`: in memory, gone on close. */
  readonly directory?: string;
  /** For a store that the engine opens itself. Default `strict` on disk. */
  readonly durability?: Durability;
  /**
   * How fast a store on disk checks all stored bytes in the background, and how long it pauses afterwards. Default 8 MiB a
   * second, at most once a day.
   */
  readonly scrub?: DiskStoreOptions['scrub'];
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** What the engine says its region is. Clients may sign for any. Default `us-east-1`. */
  readonly region?: string;
  /** The key of the one account, when there are no `accounts`. Default: made at random. */
  readonly credentials?: EngineCredentials;
  /** Who may sign, with which keys. The first one's key is `credentials` of what is returned. */
  readonly accounts?: readonly Account[];
  /** `bucket.<domain>` addresses a bucket, besides `bucket.localhost` and the path style. */
  readonly domain?: string;
  /**
   * Milliseconds since 1970; move it to make URLs expire and time pass. One that says anything else is refused here, and the
   * requests of such a moment fail. Default `Date.now`.
   */
  readonly clock?: () => number;
  /** Values in [0, 1), for request ids. Default `Math.random`. Keys are made by the system's generator. */
  readonly random?: () => number;
  /** `legacy`: new buckets as open as before 2023. There are no ACLs yet, so both are alike so far. Default `aws`. */
  readonly bucketDefaults?: 'aws' | 'legacy';
  /** PEM texts; with them the endpoint is https. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Default: says nothing. */
  readonly log?: EngineLog;
  /**
   * How many threads answer requests. One: everything happens in the calling thread. More share the port, and the calling
   * thread commits what they write; that needs a `directory`, a system with SO_REUSEPORT (Linux), and neither `store`,
   * `clock` nor `random`. Default 1.
   */
  readonly workers?: number;
  /** Any of the limits in limits.ts; the others keep their defaults. */
  readonly limits?: Partial<EngineLimits>;
}

export interface EngineCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Engine {
  /** `http://127.0.0.1:49152`, without a slash at the end. */
  readonly endpoint: string;
  readonly credentials: EngineCredentials;
  readonly region: string;
  readonly store: ObjectStore;
  /** Lets running requests finish (at most `limits.closeGraceMs`), then closes the server, and the store if the engine opened it. */
  close(): Promise<void>;
}

/**
 * Resolves once requests are served. Rejects when the port is taken or the folder cannot be opened, or when what is asked for
 * cannot be had with several workers.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const accounts = options.accounts ?? [soleAccount(options.credentials ?? newCredentials())];
  const [first] = accounts;
  if (first === undefined) throw new Error('The list of accounts is empty: name at least one account with a key.');
  const settings: ServingSettings = {
    accounts,
    region: options.region ?? 'us-east-1',
    domains: options.domain === undefined ? ['localhost'] : [options.domain.toLowerCase(), 'localhost'],
    limits: { ...defaultLimits, ...options.limits },
    hostId: createHash('sha256').update(randomBytes(16)).digest('base64'),
    tls: options.tls,
  };
  const address = { host: options.host ?? '127.0.0.1', port: options.port ?? 0 };
  const { port, store, close } = await ((options.workers ?? 1) > 1
    ? startWorkers(options, settings, address)
    : startAlone(options, settings, address));
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    endpoint: `${scheme}://${urlHost(address.host)}:${port}`,
    credentials: { accessKeyId: first.accessKeyId, secretAccessKey: first.secretAccessKey },
    region: settings.region,
    store,
    close,
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

type Started = Pick<Engine, 'store' | 'close'> & { readonly port: number };

/** Everything in this thread. */
async function startAlone(options: EngineOptions, settings: ServingSettings, address: Address): Promise<Started> {
  const { clock = Date.now, random = Math.random, log } = options;
  checkTime(clock());
  const store = options.store ?? (await openStore(options, clock));
  const closeStore = async (): Promise<void> => {
    if (options.store === undefined) await store.close();
  };
  try {
    const { server } = createServing(settings, { store, clock, random, log });
    const { port } = await server.listen(address.host, address.port);
    const close = async (): Promise<void> => {
      await server.close();
      await closeStore();
    };
    return { port, store, close };
  } catch (cause) {
    await closeStore();
    throw cause;
  }
}

/** Requests in threads of their own; this one commits what they write, and does the background work. */
async function startWorkers(options: EngineOptions, settings: ServingSettings, address: Address): Promise<Started> {
  const { workers = 1, log } = options;
  const directory = requireSharable(options);
  const store = await openDiskStore({ ...diskSettings(options), directory, workers });
  try {
    const { WorkerPool } = await import('./workers/worker-pool.ts');
    const connections = Math.ceil(settings.limits.connections / workers);
    const shared = { ...settings, limits: { ...settings.limits, connections } };
    const pool = await WorkerPool.start({ store, settings: shared, ...address, workers, log });
    const close = async (): Promise<void> => {
      await pool.close();
      await store.close();
    };
    return { port: pool.port, store, close };
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

/** The directory that several workers can work on. @throws Error for what other threads could not share. */
function requireSharable({ workers = 1, directory, store, clock, random }: EngineOptions): string {
  if (!Number.isInteger(workers) || workers > maxWorkers) {
    throw new Error(`${workers} is no number of workers: give 1 to ${maxWorkers}.`);
  }
  const refuse = (what: string): Error => new Error(`${workers} workers ${what} Use one worker.`);
  if (store !== undefined) throw refuse('cannot share a store that was opened outside: give its `directory` instead.');
  if (directory === undefined) throw refuse('need a `directory`: a store in memory belongs to one thread.');
  if (clock !== undefined) throw refuse('cannot share a `clock` that is a function of one thread.');
  if (random !== undefined) throw refuse('cannot share a `random` that is a function of one thread.');
  return directory;
}

async function openStore(options: EngineOptions, clock: () => number): Promise<ObjectStore> {
  const { directory, durability } = options;
  if (directory === undefined) {
    if (durability !== undefined && durability.level !== 'memory') {
      throw new Error(`Durability ${durability.level} needs a directory: without one the store is in memory.`);
    }
    return openMemoryStore({ clock });
  }
  return openDiskStore({ ...diskSettings(options), directory, clock });
}

function diskSettings({
  durability,
  scrub,
  log,
}: EngineOptions): Pick<DiskStoreOptions, 'durability' | 'scrub' | 'log'> {
  return {
    ...(durability === undefined ? {} : { durability }),
    ...(scrub === undefined ? {} : { scrub }),
    ...(log === undefined ? {} : { log: (level, message, fields) => log[level](message, fields) }),
  };
}

/** Any address of this machine is reached by loopback; an IPv6 address stands in brackets. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** A key as AWS forms them: 20 characters that begin with AKIA, and a secret of 40. */
function newCredentials(): EngineCredentials {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const id = Array.from(randomBytes(16), (byte) => alphabet[byte % alphabet.length]).join('');
  return { accessKeyId: `AKIA${id}`, secretAccessKey: randomBytes(30).toString('base64') };
}

/** The account id does not depend on the key, so that a new key finds the buckets of the old one. */
function soleAccount(credentials: EngineCredentials): Account {
  return { id: '000000000000', displayName: 'stowage', root: true, ...credentials };
}
