// `stowage start`: engine, file service and console in one process, over one data folder. Spec: design §2.
//
//   <data>/engine            the engine's store
//   <data>/files             the file service's database, and the secret that its object keys are marked with
//   <data>/credentials.json  the root account's key

import { join } from 'node:path';
import {
  assertFree,
  explainListenError,
  isLoopback,
  type ListenAddress,
  reachableHost,
  urlAuthority,
} from '../addresses.ts';
import { CommandError } from '../command-error.ts';
import { type ConsoleBuild, prepareConsole } from '../console-build.ts';
import { loadServiceSecret } from '../credentials.ts';
import { makeFolderDurably } from '../durable-file.ts';
import { openLogging } from '../logging.ts';
import { closeGraceMs, explainDataError, type OpenedEngine, openEngine, prepareDataFolder } from '../open-engine.ts';
import type { LogFormat, LogLevel } from '../option-values.ts';
import { untilStopped } from '../shutdown.ts';
import { describeDurability, renderSummary } from '../summary.ts';
import type { Terminal } from '../terminal.ts';
import { startedIn } from '../uptime.ts';
import { endpointFor, hostRows, keyRows } from './engine.ts';

export interface StartCommandOptions {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly s3Port: number;
  readonly scrubRate?: number;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** The bucket that holds the file service's objects. */
const bucket = 'stowage';
const durability = { level: 'strict' } as const;

/** Runs until it is told to stop. */
export async function runStartCommand(options: StartCommandOptions, terminal: Terminal): Promise<void> {
  const consoleAddress: ListenAddress = {
    host: options.host,
    port: options.port,
    purpose: 'the console',
    option: '--port',
  };
  const engineAddress: ListenAddress = {
    host: options.host,
    port: options.s3Port,
    purpose: 'the S3 endpoint',
    option: '--s3-port',
  };
  if (options.port === options.s3Port && options.port !== 0) {
    throw new CommandError('usage', `--port and --s3-port are both ${options.port}. The two need a port each.`);
  }
  await assertFree(consoleAddress);
  await assertFree(engineAddress);
  const dataFolder = await prepareDataFolder(options.data);
  const logFor = await openLogging({ format: options.logFormat, level: options.logLevel, colour: terminal.colour });
  const opened = await openEngine({
    dataFolder,
    durability,
    address: engineAddress,
    rootKey: options.rootKey,
    ...(options.scrubRate === undefined ? {} : { scrubRate: options.scrubRate }),
    log: logFor('engine'),
  });
  let service: RunningService;
  try {
    const build = await prepareConsole({ onBuilding: () => terminal.tell('Building the console …') });
    if (build.builtInMs > 0) terminal.tell(`Console built in ${(build.builtInMs / 1000).toFixed(1)} s.`);
    service = await startService({ options, dataFolder, opened, build, log: logFor('files') });
  } catch (error) {
    await opened.engine.close();
    const explained = await explainListenError(error, consoleAddress);
    throw explained === error ? explainDataError(error, dataFolder) : explained;
  }
  terminal.print(await summarise({ options, dataFolder, opened, service, terminal }));
  await untilStopped({
    onStopping: () => terminal.tell('Stopping: running requests finish. Ctrl-C once more stops at once.'),
    // The service first: its running requests need the engine.
    close: async () => {
      await service.close({ graceMs: closeGraceMs });
      await opened.engine.close();
    },
  });
  terminal.tell('Stopped.');
}

interface RunningService {
  readonly url: string;
  signInUrl(): Promise<string>;
  close(options: { readonly graceMs: number }): Promise<void>;
}

async function startService(parts: {
  readonly options: StartCommandOptions;
  readonly dataFolder: string;
  readonly opened: OpenedEngine;
  readonly build: ConsoleBuild;
  readonly log: ReturnType<Awaited<ReturnType<typeof openLogging>>>;
}): Promise<RunningService> {
  const { options, opened } = parts;
  const { engine } = opened;
  const folder = join(parts.dataFolder, 'files');
  await makeFolderDurably(folder);
  const secret = await loadServiceSecret(folder);
  const { startFileService } = await import('@stowage/files');
  const { host, port } = options;
  return startFileService({
    host,
    port,
    s3: {
      endpoint: engine.endpoint,
      publicEndpoint: endpointFor(engine, host),
      region: engine.region,
      bucket,
      credentials: engine.credentials,
      forcePathStyle: true,
    },
    database: { path: join(folder, 'files.sqlite') },
    secret,
    consoleDirectory: parts.build.directory,
    ...(isLoopback(host) || port === 0 ? {} : { publicUrl: `http://${urlAuthority(reachableHost(host), port)}` }),
    log: parts.log,
  });
}

async function summarise(about: {
  readonly options: StartCommandOptions;
  readonly dataFolder: string;
  readonly opened: OpenedEngine;
  readonly service: RunningService;
  readonly terminal: Terminal;
}): Promise<string> {
  const { options, opened, terminal } = about;
  return renderSummary({
    title: 'Stowage is running.',
    rows: [
      { label: 'Console', value: await about.service.signInUrl(), note: 'signs you in, once' },
      { label: 'S3 endpoint', value: endpointFor(opened.engine, options.host), note: `region ${opened.engine.region}` },
      ...keyRows(opened.key, options.host),
      { label: 'Data folder', value: about.dataFolder },
      { label: 'Durability', value: describeDurability(durability) },
      ...hostRows(options.host, { encrypted: false }),
      { label: 'Started in', value: startedIn() },
    ],
    footer: 'Ctrl-C finishes running requests and stops; a second one stops at once.',
    colour: terminal.colour,
  });
}
