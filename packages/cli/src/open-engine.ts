// The engine as both commands run it: its data folder made or opened, its key found, its accounts read, its port bound,
// and every failure on the way told in words that say what to do.

import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Account, Engine, EngineOptions } from '@stowage/engine';
import { explainListenError, type ListenAddress } from './addresses.ts';
import { CommandError } from './command-error.ts';
import { loadRootKey, type RootKey } from './credentials.ts';
import { errorCode, makeFolderDurably } from './durable-file.ts';
import type { Log } from './logging.ts';
import type { BucketDefaults, DurabilityChoice } from './option-values.ts';

/** The longest that running requests are waited for at the end; a second Ctrl-C cuts it short. */
export const closeGraceMs = 10 * 60_000;

interface OpenEngineOptions {
  /** Absent: in memory. */
  readonly dataFolder: string | undefined;
  readonly durability: DurabilityChoice;
  readonly address: ListenAddress;
  /** Absent: the key kept in the data folder. */
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Instead of the one root account. */
  readonly accounts?: readonly Account[];
  readonly domain?: string;
  readonly bucketDefaults?: BucketDefaults;
  /** Default: 1. */
  readonly workers?: number;
  /** Bytes per second; absent: the engine's default. */
  readonly scrubRate?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly log: Log;
}

export interface OpenedEngine {
  readonly engine: Engine;
  /** Who signs by default: the root account, or the first one of the accounts file. */
  readonly key: RootKey;
}

/** Makes the data folder if need be and answers its absolute path. @throws CommandError `data`. */
export async function prepareDataFolder(path: string): Promise<string> {
  const folder = resolve(path);
  try {
    await makeFolderDurably(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw explainDataError(cause, folder);
  }
  return folder;
}

/** @throws CommandError `data`, `port` or `usage`. */
export async function openEngine(options: OpenEngineOptions): Promise<OpenedEngine> {
  const { dataFolder, address } = options;
  try {
    const key = await findKey(options);
    const { startEngine } = await import('@stowage/engine');
    const engine = await startEngine(engineOptions(options, key));
    const source = options.accounts === undefined ? (key?.source ?? 'memory') : 'accounts';
    return { engine, key: { ...engine.credentials, source } };
  } catch (error) {
    const explained = await explainListenError(error, address);
    throw explained === error && dataFolder !== undefined ? explainDataError(error, dataFolder) : explained;
  }
}

/** Absent: the engine makes one for this run. */
async function findKey({ dataFolder, rootKey }: OpenEngineOptions): Promise<RootKey | undefined> {
  if (dataFolder !== undefined) return loadRootKey({ dataFolder, given: rootKey });
  return rootKey === undefined ? undefined : { ...rootKey, source: 'environment' };
}

function engineOptions(options: OpenEngineOptions, key: EngineOptions['credentials'] | undefined): EngineOptions {
  const { accounts, domain, bucketDefaults, workers, scrubRate, tls } = options;
  return {
    host: options.address.host,
    port: options.address.port,
    log: options.log,
    limits: { closeGraceMs },
    ...(options.dataFolder === undefined
      ? {}
      : { directory: join(options.dataFolder, 'engine'), durability: options.durability }),
    ...(accounts === undefined ? {} : { accounts }),
    ...(accounts !== undefined || key === undefined
      ? {}
      : { credentials: { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey } }),
    ...(domain === undefined ? {} : { domain }),
    ...(bucketDefaults === undefined ? {} : { bucketDefaults }),
    ...(workers === undefined ? {} : { workers }),
    ...(scrubRate === undefined ? {} : { scrub: { bytesPerSecond: scrubRate } }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** An error of the file system or the store about the data folder, as what to do; any other error as it is. */
export function explainDataError(error: unknown, folder: string): unknown {
  const refuse = (message: string): CommandError => new CommandError('data', message, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  switch (errorCode(error)) {
    case 'Locked':
      return refuse(
        `The data folder ${folder} is in use by another stowage process. Stop that one, or choose another folder with --data.`,
      );
    case 'NotAStore':
      return refuse(`${reason} If it is another folder, name it with --data.`);
    case 'UnsupportedFormat':
    case 'Scattered':
    case 'Corrupt':
      return refuse(`The data folder ${folder} cannot be opened: ${reason}`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return refuse(
        `The data folder ${folder} is not writable (${reason}). Change its owner or mode, or choose another with --data.`,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return refuse(`The data folder ${folder} cannot be made: a file stands in its way. Choose another with --data.`);
    case 'ENOENT':
      return refuse(`The data folder ${folder} cannot be made (${reason}). Choose another with --data.`);
    case 'ENOSPC':
    case 'EDQUOT':
    case 'DiskFull':
      return refuse(`The disk of the data folder ${folder} is full. Free some space, or choose another with --data.`);
    default:
      return error;
  }
}
