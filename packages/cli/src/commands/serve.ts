// `stowage serve`: the file service and console over any S3 endpoint, with PostgreSQL or SQLite. Spec: design §2.

import { dirname, join, resolve } from 'node:path';
import type { RunningFileService, StartFileServiceOptions } from '@stowage/files';
import { assertFree, explainListenError, type ListenAddress } from '../addresses.ts';
import { CommandError } from '../command-error.ts';
import { readConfiguration } from '../configuration/read-configuration.ts';
import {
  endpointOptions,
  eventsIn,
  givenCredentials,
  listenAddress,
  s3Settings,
  serviceOptions,
} from '../configuration/service-options.ts';
import { decodeSecret, type Settings } from '../configuration/settings.ts';
import { prepareConsole } from '../console-build.ts';
import { loadServiceSecret } from '../credentials.ts';
import { makeFolderDurably } from '../durable-file.ts';
import type { ExitName } from '../exit-codes.ts';
import { openLogging } from '../logging.ts';
import { explainDataError } from '../open-engine.ts';
import { openS3Credentials, type S3Credentials } from '../s3-credentials.ts';
import { scannerRow } from '../scanner-row.ts';
import { untilStopped } from '../shutdown.ts';
import { renderSummary } from '../summary.ts';
import type { Terminal } from '../terminal.ts';
import { startedIn } from '../uptime.ts';
import { hostRows } from './engine.ts';

interface ServeCommandOptions {
  readonly file: string | undefined;
  /** Whether to look at everything and end. */
  readonly check: boolean;
  readonly options: Settings;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const defaultShutdownSeconds = 30;

/** Runs until it is told to stop; with `check`, until everything was looked at. */
export async function runServeCommand(given: ServeCommandOptions, terminal: Terminal): Promise<ExitName> {
  const { settings, remarks } = await readConfiguration({ command: 'serve', ...given });
  const { host, port } = listenAddress(settings);
  const address: ListenAddress = { host, port, purpose: 'the file service', option: '--port' };
  // What is checked may well be running there.
  if (!given.check) await assertFree([address], 'stowage serve');
  const format = settings['log.format'] ?? (terminal.interactive ? 'pretty' : 'json');
  const level = settings['log.level'] ?? 'info';
  const log = (await openLogging({ format, level, colour: terminal.colour }))('files');
  for (const remark of remarks) log.warn(remark, {});
  const keys = await openS3Credentials({ given: givenCredentials(settings), profile: settings['s3.profile'], log });
  try {
    const options = await optionsOf(settings, keys.credentials, given.check);
    if (given.check) return await check({ ...options, log }, terminal);
    const consoleDirectory = settings.console === false ? undefined : await findConsole(terminal);
    const { startFileService } = await import('@stowage/files');
    const service = await startFileService({
      ...options,
      log,
      ...(consoleDirectory === undefined ? {} : { consoleDirectory }),
    }).catch(async (error: unknown) => {
      const explained = await explainListenError(error, address);
      throw explained === error ? explainStart(error, settings) : explained;
    });
    const summary = await summarise({ settings, service, keySource: keys.source, terminal, host });
    await serveUntilStopped(service, summary, settings, terminal);
    return 'ok';
  } finally {
    keys.close();
  }
}

async function serveUntilStopped(
  service: RunningFileService,
  summary: string,
  settings: Settings,
  terminal: Terminal,
): Promise<void> {
  const graceSeconds = settings.shutdownSeconds ?? defaultShutdownSeconds;
  await untilStopped({
    onListening: () => terminal.print(summary),
    onStopping: () =>
      terminal.tell(`Stopping: requests and jobs have ${graceSeconds} s to finish. Ctrl-C once more stops at once.`),
    close: () => service.close({ graceMs: graceSeconds * 1000 }),
  });
  terminal.tell('Stopped.');
}

/** The service's options; for a check nothing is made that is not there. */
async function optionsOf(
  settings: Settings,
  credentials: S3Credentials,
  isCheck: boolean,
): Promise<Omit<StartFileServiceOptions, 'log'>> {
  const url = settings['database.url'];
  const isPostgres = /^postgres(ql)?:/.test(url ?? '');
  const path = isPostgres ? undefined : resolve(url ?? join(settings.data ?? './data', 'files', 'files.sqlite'));
  const maxConnections = settings['database.maxConnections'];
  return {
    ...serviceOptions(settings),
    s3: s3Settings(settings, credentials),
    endpoint: endpointOptions(settings),
    eventsIn: eventsIn(settings),
    database:
      path === undefined ? { url: url ?? '', ...(maxConnections === undefined ? {} : { maxConnections }) } : { path },
    secret: await findSecret(settings, path, isCheck),
  };
}

async function findSecret(settings: Settings, database: string | undefined, isCheck: boolean): Promise<Uint8Array> {
  const given = settings.secret === undefined ? undefined : decodeSecret(settings.secret);
  if (given !== undefined) return given;
  // PostgreSQL without a secret was refused with the configuration. A check signs nothing that lasts.
  if (database === undefined || isCheck) return new Uint8Array(32);
  const folder = dirname(database);
  try {
    await makeFolderDurably(folder);
    return await loadServiceSecret(folder, database);
  } catch (error) {
    throw explainDataError(error, folder);
  }
}

async function findConsole(terminal: Terminal): Promise<string> {
  const build = await prepareConsole({ onBuilding: () => terminal.tell('Building the console …') });
  if (build.builtInMs > 0) terminal.tell(`Console built in ${(build.builtInMs / 1000).toFixed(1)} s.`);
  return build.directory;
}

/** Tries everything that the service needs, and says of each how it is. */
async function check(options: StartFileServiceOptions, terminal: Terminal): Promise<ExitName> {
  const { checkFileService } = await import('@stowage/files');
  const findings = await checkFileService(options);
  const width = Math.max(...findings.map(({ part }) => part.length)) + 2;
  for (const { part, ok, says } of findings) {
    terminal.print(`${ok ? 'ok    ' : 'FAILED'}  ${part.padEnd(width)}${says}\n`);
  }
  const failed = findings.filter(({ ok }) => !ok).map(({ part }) => part);
  terminal.print(
    failed.length === 0
      ? 'The configuration is good, and everything answers.\n'
      : `Not ready: ${failed.join(', ')}. Mend what is said there, then check again.\n`,
  );
  return failed.length === 0 ? 'ok' : 'unready';
}

/** What a service that could not be opened means for who started it. */
function explainStart(error: unknown, settings: Settings): unknown {
  if (error instanceof RangeError) {
    return new CommandError('usage', `The configuration cannot be used: ${error.message}`, { cause: error });
  }
  const url = settings['database.url'] ?? '';
  if (/^postgres/.test(url)) {
    const place = hideUserinfo(url);
    const reason = error instanceof Error ? error.message : String(error);
    return new CommandError('data', `The file service could not be opened over ${place}: ${reason}`, { cause: error });
  }
  return explainDataError(error, resolve(url === '' ? (settings.data ?? './data') : dirname(url)));
}

async function summarise(about: {
  readonly settings: Settings;
  readonly service: RunningFileService;
  readonly keySource: string;
  readonly terminal: Terminal;
  readonly host: string;
}): Promise<string> {
  const { settings, service } = about;
  const { endpoint, bucket, region } = s3Settings(settings, { accessKeyId: '', secretAccessKey: '' });
  const url = settings['database.url'];
  const database =
    url !== undefined && /^postgres/.test(url)
      ? hideUserinfo(url)
      : resolve(url ?? join(settings.data ?? './data', 'files', 'files.sqlite'));
  const traces = settings['telemetry.endpoint'];
  return renderSummary({
    title: 'The Stowage file service is running.',
    rows: [
      {
        label: settings.console === false ? 'API' : 'Console',
        value: await service.signInUrl(),
        note: 'signs you in, once',
      },
      { label: 'Bucket', value: `${bucket} at ${endpoint}`, note: `region ${region}; keys ${about.keySource}` },
      { label: 'Database', value: database },
      scannerRow(settings),
      ...(traces === undefined ? [] : [{ label: 'Traces', value: traces }]),
      ...hostRows(about.host, { encrypted: service.url.startsWith('https:') }),
      { label: 'Started in', value: startedIn() },
    ],
    footer: 'Ctrl-C finishes running requests and jobs and stops; a second one stops at once.',
    colour: about.terminal.colour,
  });
}

/** The address of a database as it may be shown. */
function hideUserinfo(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, '');
}
