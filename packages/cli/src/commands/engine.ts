// `stowage engine`: the S3 engine alone, for clients of S3. Spec: design §2.

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Engine } from '@stowage/engine';
import { readAccounts } from '../accounts-file.ts';
import { assertFree, isLoopback, isWildcard, type ListenAddress, reachableHost, urlAuthority } from '../addresses.ts';
import { CommandError } from '../command-error.ts';
import type { RootKey } from '../credentials.ts';
import { openLogging } from '../logging.ts';
import { openEngine, prepareDataFolder } from '../open-engine.ts';
import type { BucketDefaults, DurabilityChoice, LogFormat, LogLevel } from '../option-values.ts';
import { untilStopped } from '../shutdown.ts';
import { describeDurability, renderSummary, type SummaryRow } from '../summary.ts';
import type { Terminal } from '../terminal.ts';
import { startedIn } from '../uptime.ts';

export interface EngineCommandOptions {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly durability: DurabilityChoice;
  readonly workers: number;
  readonly scrubRate?: number;
  readonly accounts?: string;
  readonly domain?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly bucketDefaults: BucketDefaults;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Runs until it is told to stop. */
export async function runEngineCommand(options: EngineCommandOptions, terminal: Terminal): Promise<void> {
  const address: ListenAddress = { host: options.host, port: options.port, purpose: 'the engine', option: '--port' };
  if (options.workers > 1 && options.durability.level === 'memory') {
    throw new CommandError(
      'usage',
      `--workers ${options.workers} needs a data folder: at --durability memory everything is in the memory of one thread.`,
    );
  }
  await assertFree([address], 'stowage engine');
  const accounts = options.accounts === undefined ? undefined : await readAccounts(options.accounts);
  const tls = await readTls(options);
  const dataFolder = options.durability.level === 'memory' ? undefined : await prepareDataFolder(options.data);
  const logFor = await openLogging({ format: options.logFormat, level: options.logLevel, colour: terminal.colour });
  const { engine, key } = await openEngine({
    dataFolder,
    durability: options.durability,
    address,
    rootKey: options.rootKey,
    workers: options.workers,
    ...(options.scrubRate === undefined ? {} : { scrubRate: options.scrubRate }),
    bucketDefaults: options.bucketDefaults,
    log: logFor('engine'),
    ...(accounts === undefined ? {} : { accounts }),
    ...(options.domain === undefined ? {} : { domain: options.domain }),
    ...(tls === undefined ? {} : { tls }),
  });
  const summary = renderSummary({
    title: 'Stowage engine is running.',
    rows: summaryRows({ options, engine, key, dataFolder, accounts: accounts?.length }),
    footer: 'Ctrl-C finishes running requests and stops; a second one stops at once.',
    colour: terminal.colour,
  });
  await untilStopped({
    onListening: () => terminal.print(summary),
    onStopping: () => terminal.tell('Stopping: running requests finish. Ctrl-C once more stops at once.'),
    close: () => engine.close(),
  });
  terminal.tell('Stopped.');
}

function summaryRows(about: {
  readonly options: EngineCommandOptions;
  readonly engine: Engine;
  readonly key: RootKey;
  readonly dataFolder: string | undefined;
  readonly accounts: number | undefined;
}): readonly SummaryRow[] {
  const { options, engine, key, accounts } = about;
  return [
    { label: 'S3 endpoint', value: endpointFor(engine, options.host), note: `region ${engine.region}` },
    ...(accounts === undefined
      ? keyRows(key, options.host)
      : [{ label: 'Accounts', value: `${accounts}, from ${options.accounts}` }]),
    { label: 'Data folder', value: about.dataFolder ?? 'none' },
    { label: 'Durability', value: describeDurability(options.durability) },
    ...(options.workers === 1 ? [] : [{ label: 'Workers', value: String(options.workers) }]),
    ...hostRows(options.host, { encrypted: options.tlsCert !== undefined }),
    { label: 'Started in', value: startedIn() },
  ];
}

/** The access key, and its secret where nobody else could read it: a key of our own making, served to this machine alone. */
export function keyRows(key: RootKey, host: string): readonly SummaryRow[] {
  const shown = key.source !== 'environment' && isLoopback(host);
  const where = key.source === 'environment' ? 'from STOWAGE_SECRET_ACCESS_KEY' : `kept in ${key.source}`;
  return [
    { label: 'Access key', value: key.accessKeyId },
    shown
      ? { label: 'Secret key', value: key.secretAccessKey, note: key.source === 'memory' ? 'for this run' : where }
      : { label: 'Secret key', value: key.source === 'memory' ? key.secretAccessKey : where },
  ];
}

/** A warning where other machines can reach us. */
export function hostRows(host: string, { encrypted }: { readonly encrypted: boolean }): readonly SummaryRow[] {
  if (isLoopback(host)) return [];
  const who = isWildcard(host) ? 'every machine' : 'any machine';
  const how = encrypted ? '' : '; requests and files travel unencrypted';
  return [{ label: 'Open to others', value: `${who} that reaches ${host} can connect${how}`, warns: true }];
}

/** The endpoint as clients elsewhere reach it. */
export function endpointFor(engine: Engine, host: string): string {
  const url = new URL(engine.endpoint);
  return `${url.protocol}//${urlAuthority(reachableHost(host), url.port)}`;
}

async function readTls(
  options: EngineCommandOptions,
): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  const { tlsCert, tlsKey } = options;
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new CommandError('usage', 'TLS needs both --tls-cert and --tls-key; only one is given.');
  }
  const pair = { cert: await readPem(tlsCert, '--tls-cert'), key: await readPem(tlsKey, '--tls-key') };
  try {
    createSecureContext(pair);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError('usage', `--tls-cert ${tlsCert} and --tls-key ${tlsKey} are no pair: ${reason}.`, { cause });
  }
  return pair;
}

async function readPem(path: string, option: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CommandError(
      'usage',
      `${option} ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new CommandError('usage', `${option} ${path} is not a PEM file: it has no -----BEGIN line.`);
}
