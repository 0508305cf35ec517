// The command line: commands, options, their help, and what a failure looks like. Options win over the environment; both
// are parsed before anything is opened. Commands are imported when they are run.

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Command, CommanderError, Option } from 'commander';
import { CommandError } from './command-error.ts';
import type { Settings } from './configuration/settings.ts';
import { type Environment, environmentHelp, readEnvironment } from './environment.ts';
import {
  allExits,
  checkingExits,
  describeExitCodes,
  type ExitName,
  exitCodes,
  rebuildingExits,
  serviceExits,
} from './exit-codes.ts';
import {
  type BucketDefaults,
  bucketDefaults,
  type DurabilityChoice,
  type LogFormat,
  type LogLevel,
  logFormats,
  logLevels,
  parseChoice,
  parseDomain,
  parseDurability,
  parseHost,
  parsePath,
  parsePort,
  parseRate,
  parseWorkers,
  refuseLifecycleDay,
} from './option-values.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** Runs one command line to its end. Answers the exit status; never throws. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const outcome: Outcome = { exit: 'ok' };
  try {
    await buildProgram(outcome).parseAsync(args, { from: 'user' });
    return exitCodes[outcome.exit].status;
  } catch (error) {
    // commander has printed its own complaint already; help and version come as errors with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.status : exitCodes.usage.status;
    if (error instanceof CommandError) {
      process.stderr.write(`error: ${error.message}\n`);
      return exitCodes[error.exit].status;
    }
    process.stderr.write(`error: unexpected failure, which is a bug or a broken system:\n${describe(error)}\n`);
    return exitCodes.unexpected.status;
  }
}

/** What a command that ended well has to say by its exit status. */
interface Outcome {
  exit: ExitName;
}

function buildProgram(outcome: Outcome): Command {
  const program = new Command('stowage')
    .description('File storage: an S3 engine, a file service and a console.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .showHelpAfterError('(add --help for an explanation)')
    .addHelpText(
      'after',
      `\nExamples:\n  stowage start\n  stowage serve --config stowage.json\n  stowage engine --data /srv/objects --host 0.0.0.0\n  stowage fsck\n  stowage help engine\n\n${describeExitCodes(allExits)}`,
    );
  addStart(program);
  addServe(program, outcome);
  addEngine(program);
  addFsck(program, outcome);
  addRebuild(program);
  return program;
}

function addStart(program: Command): void {
  addLogOptions(
    program
      .command('start')
      .description('Run everything in one process: S3 engine, file service and console.')
      .option('--config <file>', configHelp, parsePath)
      .option('--data <folder>', 'where everything is kept; made when missing (default: ./data)', parsePath)
      .option('--host <host>', 'address to listen at (default: 127.0.0.1, this machine alone)', parseHost)
      .option('--port <number>', 'port of console and file service (default: 3000)', parsePort)
      .option('--s3-port <number>', 'port of the S3 endpoint (default: 9000)', parsePort)
      .option('--scrub-rate <rate>', scrubRateHelp, parseRate),
  )
    .addHelpText(
      'after',
      helpTail(
        [
          'stowage start',
          'stowage start --data /srv/stowage --port 8080 --s3-port 8081',
          'stowage start --host 0.0.0.0',
        ],
        Object.keys(startHelp),
        undefined,
        startHelp,
      ),
    )
    .action(async (given: StartFlags) => {
      const { runStartCommand } = await import('./commands/start.ts');
      await runStartCommand(
        { file: given.config, options: settingsOf(given), variables: process.env },
        plainTerminal(),
      );
    });
}

function addServe(program: Command, outcome: Outcome): void {
  addLogOptions(
    program
      .command('serve')
      .description('Run file service and console over any S3 endpoint: Amazon S3, Ceph, another machine’s engine.')
      .option('--config <file>', configHelp, parsePath)
      .option('--check', 'validate the configuration, try bucket, database and scanner, and end')
      .option('--data <folder>', 'for the database and secret where neither is configured (default: ./data)', parsePath)
      .option('--host <host>', 'address to listen at (default: 127.0.0.1, this machine alone)', parseHost)
      .option('--port <number>', 'port of console and file service (default: 3000)', parsePort),
  )
    .addHelpText(
      'after',
      helpTail(
        [
          'STOWAGE_S3_ENDPOINT=http://127.0.0.1:9000 STOWAGE_BUCKET=files AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… stowage serve',
          'stowage serve --config stowage.json --check',
          'stowage serve --config stowage.config.ts --host 0.0.0.0',
        ],
        Object.keys(serveHelp),
        serviceExits,
        serveHelp,
      ),
    )
    .action(async (given: ServeFlags) => {
      const { runServeCommand } = await import('./commands/serve.ts');
      const { config: file, check = false } = given;
      outcome.exit = await runServeCommand(
        { file, check, options: settingsOf(given), variables: process.env },
        plainTerminal(),
      );
    });
}

function addEngine(program: Command): void {
  addLogOptions(
    program
      .command('engine')
      .description('Run the S3 engine alone.')
      .option('--data <folder>', 'where objects are kept; made when missing (default: ./data)', parsePath)
      .option('--host <host>', 'address to listen at (default: 127.0.0.1, this machine alone)', parseHost)
      .option('--port <number>', 'port of the S3 endpoint (default: 9000)', parsePort)
      .option(
        '--durability <level>',
        'when a write is acknowledged: strict (on the disk), interval=MS, or memory (default: strict)',
        parseDurability,
      )
      .option('--workers <number>', 'threads that answer requests, on Linux (default: 1)', parseWorkers)
      .option('--scrub-rate <rate>', scrubRateHelp, parseRate)
      .option('--accounts <file>', 'accounts and their keys, as JSON, instead of one root key', parsePath)
      .option('--domain <name>', 'take bucket.<name> in the Host header for a bucket', parseDomain)
      .option('--tls-cert <file>', 'certificate chain, PEM; serves https', parsePath)
      .option('--tls-key <file>', 'its private key, PEM', parsePath)
      .option(
        '--bucket-defaults <era>',
        'new buckets as AWS makes them now, or as open as before 2023: aws or legacy (default: aws)',
        parseChoice(bucketDefaults),
      )
      // Known so that who gives it is told why; shown once it does something.
      .addOption(new Option('--lifecycle-day <seconds>').argParser(refuseLifecycleDay).hideHelp()),
  )
    .addHelpText(
      'after',
      helpTail(
        [
          'stowage engine',
          'stowage engine --data /srv/objects --port 9100 --durability interval=50',
          'stowage engine --durability memory --port 0 --log-format json',
        ],
        Object.keys(environmentHelp),
      ),
    )
    .action(async (given: EngineFlags) => {
      const { environment, terminal } = prepare();
      const { runEngineCommand } = await import('./commands/engine.ts');
      const { accounts, domain, tlsCert, tlsKey } = given;
      await runEngineCommand(
        {
          ...serveOptions(given, environment, terminal),
          port: given.port ?? environment.port ?? 9000,
          durability: given.durability ?? environment.durability ?? { level: 'strict' },
          workers: given.workers ?? 1,
          ...(given.scrubRate === undefined ? {} : { scrubRate: given.scrubRate }),
          bucketDefaults: given.bucketDefaults ?? 'aws',
          ...(accounts === undefined ? {} : { accounts }),
          ...(domain === undefined ? {} : { domain }),
          ...(tlsCert === undefined ? {} : { tlsCert }),
          ...(tlsKey === undefined ? {} : { tlsKey }),
        },
        terminal,
      );
    });
}

interface FsckFlags {
  readonly data?: string;
  readonly repair?: boolean;
  readonly scratch?: string;
  readonly json?: boolean;
}

function addFsck(program: Command, outcome: Outcome): void {
  program
    .command('fsck')
    .description('Check a store that is not open: every byte, every row, every count.')
    .option('--data <folder>', 'the data folder (default: ./data)', parsePath)
    .option('--repair', 'mend what can be mended without losing anything, and say what was done')
    .option(
      '--scratch <folder>',
      'make what it compares with there, and not in the store, which may be read-only',
      parsePath,
    )
    .option('--json', 'the whole report as JSON')
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      helpTail(['stowage fsck --data /srv/objects', 'stowage fsck --repair'], ['STOWAGE_DATA'], checkingExits),
    )
    .action(async (given: FsckFlags) => {
      const { environment, terminal } = prepare();
      const { runFsckCommand } = await import('./commands/fsck.ts');
      const { repair = false, json = false, scratch } = given;
      const data = given.data ?? environment.data ?? './data';
      outcome.exit = await runFsckCommand({ data, repair, json, scratch }, terminal);
    });
}

function addRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('Make the index of a store that is not open anew from its journal.')
    .option('--data <folder>', 'the data folder (default: ./data)', parsePath)
    .allowExcessArguments(false)
    .addHelpText('after', helpTail(['stowage rebuild --data /srv/objects'], ['STOWAGE_DATA'], rebuildingExits))
    .action(async (given: { readonly data?: string }) => {
      const { environment, terminal } = prepare();
      const { runRebuildCommand } = await import('./commands/rebuild.ts');
      await runRebuildCommand({ data: given.data ?? environment.data ?? './data' }, terminal);
    });
}

const configHelp = 'settings, as JSON or a .ts or .mjs file (default: that of STOWAGE_CONFIG, or none)';
const startHelp: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(environmentHelp).filter(([name]) => name !== 'STOWAGE_DURABILITY')),
  STOWAGE_S3_PORT: 'as --s3-port',
  STOWAGE_CONFIG: 'as --config',
  '…': 'and more: docs/configuration.md',
};
/** The most needed ones; docs/configuration.md has them all. */
const serveHelp: Readonly<Record<string, string>> = {
  STOWAGE_CONFIG: 'as --config',
  STOWAGE_S3_ENDPOINT: 'the S3 endpoint (default: Amazon S3)',
  STOWAGE_BUCKET: 'the bucket; required',
  AWS_REGION: 'its region (default: us-east-1)',
  AWS_ACCESS_KEY_ID: 'with AWS_SECRET_ACCESS_KEY; without them the AWS SDK looks for a profile or a role',
  DATABASE_URL: 'postgres://…, or the path of a file of SQLite',
  STOWAGE_SECRET: 'at least 32 random bytes in hex; required with PostgreSQL',
  CLAMD: 'host:port or socket of a virus scanner',
  STOWAGE_PUBLIC_URL: 'where people reach the service',
  '…': 'and more: docs/configuration.md',
};

const scrubRateHelp = 'bytes of stored data checked each second in the background, 0 for none (default: 8M)';

// What commander hands to an action: each option's parser has made its value; what was not given is absent.
interface SharedFlags {
  readonly data?: string;
  readonly host?: string;
  readonly port?: number;
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
  readonly scrubRate?: number;
}

interface StartFlags extends SharedFlags {
  readonly config?: string;
  readonly s3Port?: number;
}

interface ServeFlags extends Omit<SharedFlags, 'scrubRate'> {
  readonly config?: string;
  readonly check?: boolean;
}

interface EngineFlags extends SharedFlags {
  readonly durability?: DurabilityChoice;
  readonly workers?: number;
  readonly accounts?: string;
  readonly domain?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly bucketDefaults?: BucketDefaults;
}

function addLogOptions(command: Command): Command {
  return command
    .option(
      '--log-format <format>',
      'json or pretty (default: pretty on a terminal, else json)',
      parseChoice(logFormats),
    )
    .option(
      '--log-level <level>',
      'debug (with every request), info, warn, error or silent (default: info)',
      parseChoice(logLevels),
    )
    .allowExcessArguments(false);
}

function serveOptions(
  given: SharedFlags,
  environment: Environment,
  terminal: Terminal,
): {
  readonly data: string;
  readonly host: string;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly rootKey: Environment['rootKey'];
} {
  return {
    data: given.data ?? environment.data ?? './data',
    host: given.host ?? environment.host ?? '127.0.0.1',
    logFormat: given.logFormat ?? environment.logFormat ?? (terminal.interactive ? 'pretty' : 'json'),
    logLevel: given.logLevel ?? environment.logLevel ?? 'info',
    rootKey: environment.rootKey,
  };
}

/** Options that stand for settings. */
function settingsOf({ host, port, data, logFormat, logLevel, scrubRate, s3Port }: StartFlags): Settings {
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(data === undefined ? {} : { data }),
    ...(logFormat === undefined ? {} : { 'log.format': logFormat }),
    ...(logLevel === undefined ? {} : { 'log.level': logLevel }),
    ...(scrubRate === undefined ? {} : { 'engine.scrubRate': scrubRate }),
    ...(s3Port === undefined ? {} : { 'engine.port': s3Port }),
  };
}

/** Where settings come from a file as well: only what decides about colours is read of the environment here. */
function plainTerminal(): Terminal {
  return openTerminal({ plain: (process.env.NO_COLOR ?? '') !== '' });
}

function prepare(): { readonly environment: Environment; readonly terminal: Terminal } {
  const environment = readEnvironment(process.env);
  return { environment, terminal: openTerminal({ plain: environment.plain }) };
}

function helpTail(
  examples: readonly string[],
  variables: readonly string[],
  exits?: readonly ExitName[],
  help: Readonly<Record<string, string>> = environmentHelp,
): string {
  const width = Math.max(...variables.map((name) => name.length)) + 2;
  const rows = variables.map((name) => `  ${name.padEnd(width)}${help[name] ?? ''}`);
  return `\nEnvironment (an option wins over it):\n${rows.join('\n')}\n\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}\n\n${describeExitCodes(exits)}`;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
