// Starts an engine: a store, accounts and a server put together, in milliseconds. This is the library's front door, for a
// test suite or a program that wants S3 of its own; `stowage engine` is a thin layer over it.

import { createHash, randomBytes } from 'node:crypto';
import { SigningKeys } from '@stowage/s3';
import { type Durability, type ObjectStore, openDiskStore, openMemoryStore } from '@stowage/store';
import { type Account, AccountDirectory } from './accounts.ts';
import type { EngineContext } from './engine-context.ts';
import { defaultLimits, type EngineLimits } from './limits.ts';
import type { EngineLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { createRequestIds } from './request-ids.ts';
import { S3Server } from './server.ts';

export interface EngineOptions {
  /** A store that is open already; it stays open when the engine closes. */
  readonly store?: ObjectStore;
  /** Where the bytes go. Default, without `store`: in memory, gone on close. */
  readonly directory?: string;
  /** For a store that the engine opens itself. Default `strict` on disk. */
  readonly durability?: Durability;
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
  /** Milliseconds since 1970; move it to make URLs expire and time pass. Default `Date.now`. */
  readonly clock?: () => number;
  /** Values in [0, 1), for request ids. Default `Math.random`. Keys are made by the system's generator. */
  readonly random?: () => number;
  /** `legacy`: new buckets as open as before 2023. There are no ACLs yet, so both are alike so far. Default `aws`. */
  readonly bucketDefaults?: 'aws' | 'legacy';
  /** PEM texts; with them the endpoint is https. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Default: says nothing. */
  readonly log?: EngineLog;
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

/** Resolves once requests are served. Rejects when the port is taken or the folder cannot be opened. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const clock = options.clock ?? Date.now;
  const accounts = options.accounts ?? [soleAccount(options.credentials ?? newCredentials())];
  const directory = new AccountDirectory(accounts);
  const store = options.store ?? (await openStore(options, clock));
  const context: EngineContext = {
    store,
    accounts: directory,
    region: options.region ?? 'us-east-1',
    domains: options.domain === undefined ? ['localhost'] : [options.domain.toLowerCase(), 'localhost'],
    limits: { ...defaultLimits, ...options.limits },
    clock,
    log: options.log,
    metrics: new Metrics(),
    signingKeys: new SigningKeys(),
    hostId: createHash('sha256').update(randomBytes(16)).digest('base64'),
  };
  const nextRequestId = createRequestIds(options.random ?? Math.random);
  const server = new S3Server({ engine: context, nextRequestId, tls: options.tls });
  const closeStore = async (): Promise<void> => {
    if (options.store === undefined) await store.close();
  };
  const host = options.host ?? '127.0.0.1';
  let port: number;
  try {
    port = (await server.listen(host, options.port ?? 0)).port;
  } catch (cause) {
    await closeStore();
    throw cause;
  }
  const [first] = accounts;
  if (first === undefined) throw new Error('There is no account.'); // AccountDirectory has refused that.
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    endpoint: `${scheme}://${urlHost(host)}:${port}`,
    credentials: { accessKeyId: first.accessKeyId, secretAccessKey: first.secretAccessKey },
    region: context.region,
    store,
    async close() {
      await server.close();
      await closeStore();
    },
  };
}

async function openStore(options: EngineOptions, clock: () => number): Promise<ObjectStore> {
  const { directory, durability, log } = options;
  if (directory === undefined) {
    if (durability !== undefined && durability.level !== 'memory') {
      throw new Error(`Durability ${durability.level} needs a directory: without one the store is in memory.`);
    }
    return openMemoryStore({ clock });
  }
  return openDiskStore({
    directory,
    clock,
    ...(durability === undefined ? {} : { durability }),
    ...(log === undefined ? {} : { log: (level, message, fields) => log[level](message, fields) }),
  });
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
