// `stowage start`: engine, file service and console in one process, over one data folder. Spec: design §2.
//
//   <data>/engine            the engine's store
//   <data>/files             the file service's database, and the secret that its object keys are marked with
//   <data>/credentials.json  the root account's key

import { join } from 'node:path';
import { assertFree, explainListenError, type ListenAddress } from '../addresses.ts';
import { CommandError } from '../command-error.ts';
import { readConfiguration } from '../configuration/read-configuration.ts';
import { listenAddress, serviceOptions } from '../configuration/service-options.ts';
import type { Settings } from '../configuration/settings.ts';
import { type ConsoleBuild, prepareConsole } from '../console-build.ts';
import { loadServiceSecret } from '../credentials.ts';
import { makeFolderDurably } from '../durable-file.ts';
import { openLogging } from '../logging.ts';
import { closeGraceMs, explainDataError, type OpenedEngine, openEngine, prepareDataFolder } from '../open-engine.ts';
import { scannerRow } from '../scanner-row.ts';
import { untilStopped } from '../shutdown.ts';
import { describeDurability, renderSummary } from '../summary.ts';
import type { Terminal } from '../terminal.ts';
import { startedIn } from '../uptime.ts';
import { endpointFor, hostRows, keyRows } from './engine.ts';

interface StartCommandOptions {
  /** A configuration file. */
  readonly file: string | undefined;
  readonly options: Settings;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** The bucket that holds the file service's objects. */
const bucket = 'stowage';
const durability = { level: 'strict' } as const;
const defaultS3Port = 9000;

/** Runs until it is told to stop. */
export async function runStartCommand(given: StartCommandOptions, terminal: Terminal): Promise<void> {
  const { settings, remarks } = await readConfiguration({ command: 'start', ...given });
  const { host, port } = listenAddress(settings);
  const s3Port = settings['engine.port'] ?? defaultS3Port;
  const scrubRate = settings['engine.scrubRate'];
  const consoleAddress: ListenAddress = {
    host,
    port,
    purpose: 'the console',
    option: '--port',
  };
  const engineAddress: ListenAddress = {
    host,
    port: s3Port,
    purpose: 'the S3 endpoint',
    option: '--s3-port',
  };
  if (port === s3Port && port !== 0) {
    throw new CommandError('usage', `--port and --s3-port are both ${port}. The two need a port each.`);
  }
  // npm names the script that it runs.
  const command = given.variables.npm_lifecycle_event === 'start' ? 'npm start --' : 'stowage start';
  await assertFree([consoleAddress, engineAddress], command);
  const dataFolder = await prepareDataFolder(settings.data ?? './data');
  const format = settings['log.format'] ?? (terminal.interactive ? 'pretty' : 'json');
  const logFor = await openLogging({ format, level: settings['log.level'] ?? 'info', colour: terminal.colour });
  for (const remark of remarks) logFor('files').warn(remark, {});
  const opened = await openEngine({
    dataFolder,
    durability,
    address: engineAddress,
    rootKey: rootKeyOf(settings),
    ...(scrubRate === undefined ? {} : { scrubRate }),
    log: logFor('engine'),
  });
  let service: RunningService;
  try {
    const build = await prepareConsole({ onBuilding: () => terminal.tell('Building the console …') });
    if (build.builtInMs > 0) terminal.tell(`Console built in ${(build.builtInMs / 1000).toFixed(1)} s.`);
    service = await startService({ settings, dataFolder, opened, build, log: logFor('files') });
  } catch (error) {
    await opened.engine.close();
    const explained = await explainListenError(error, consoleAddress);
    throw explained === error ? explainDataError(error, dataFolder) : explained;
  }
  const summary = await summarise({ host, settings, dataFolder, opened, service, terminal });
  const { shutdownSeconds } = settings;
  await untilStopped({
    onListening: () => terminal.print(summary),
    onStopping: () => terminal.tell('Stopping: running requests finish. Ctrl-C once more stops at once.'),
    // The service first: its running requests need the engine.
    close: async () => {
      await service.close({ graceMs: shutdownSeconds === undefined ? closeGraceMs : shutdownSeconds * 1000 });
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
  readonly settings: Settings;
  readonly dataFolder: string;
  readonly opened: OpenedEngine;
  readonly build: ConsoleBuild;
  readonly log: ReturnType<Awaited<ReturnType<typeof openLogging>>>;
}): Promise<RunningService> {
  const { settings, opened } = parts;
  const { engine } = opened;
  const { host } = listenAddress(settings);
  const folder = join(parts.dataFolder, 'files');
  await makeFolderDurably(folder);
  const secret = await loadServiceSecret(folder);
  const { startFileService } = await import('@stowage/files');
  return startFileService({
    ...serviceOptions(settings),
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
    log: parts.log,
  });
}

async function summarise(about: {
  readonly host: string;
  readonly settings: Settings;
  readonly dataFolder: string;
  readonly opened: OpenedEngine;
  readonly service: RunningService;
  readonly terminal: Terminal;
}): Promise<string> {
  const { host, opened, terminal } = about;
  return renderSummary({
    title: 'Stowage is running.',
    rows: [
      { label: 'Console', value: await about.service.signInUrl(), note: 'signs you in, once' },
      { label: 'S3 endpoint', value: endpointFor(opened.engine, host), note: `region ${opened.engine.region}` },
      ...keyRows(opened.key, host),
      { label: 'Data folder', value: about.dataFolder },
      { label: 'Durability', value: describeDurability(durability) },
      scannerRow(about.settings),
      ...hostRows(host, { encrypted: false }),
      { label: 'Started in', value: startedIn() },
    ],
    footer: 'Ctrl-C finishes running requests and stops; a second one stops at once.',
    colour: terminal.colour,
  });
}

function rootKeyOf(settings: Settings): { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined {
  const accessKeyId = settings['engine.accessKeyId'];
  const secretAccessKey = settings['engine.secretAccessKey'];
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
}
