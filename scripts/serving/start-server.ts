// The real `stowage` command as a process of its own, for scripts, benches and tests that look at it from outside. It is
// ready when it has printed its summary, and it is ended by its own pid alone.

import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../packages/cli/src/stowage.js', import.meta.url));
const readyTimeoutMs = 120_000;
const stopTimeoutMs = 20_000;
const maxOutputCharacters = 200_000;

export interface ServerProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** The rows of the summary by label, e.g. `S3 endpoint`; values without their notes. */
  readonly summary: ReadonlyMap<string, string>;
  /** Of the S3 endpoint. */
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Everything it has written to both streams. */
  output(): string;
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** SIGTERM, and SIGKILL if that does not end it. */
  stop(): Promise<number | NodeJS.Signals>;
}

interface StartServerOptions {
  /** After `stowage`. */
  readonly args: readonly string[];
  /** Options of node itself. */
  readonly nodeArgs?: readonly string[];
  /** Added to the environment, from which every STOWAGE_ variable is taken out. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Rejects with everything that was printed when the command ends before it serves. */
export async function startServer(options: StartServerOptions): Promise<ServerProcess> {
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), entry, ...options.args], {
    env: { ...cleanEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let printed = '';
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal ?? -1));
  });
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString('utf8')).slice(-maxOutputCharacters);
      output = (output + chunk.toString('utf8')).slice(-maxOutputCharacters);
      // The footer of the summary.
      if (printed.includes('Ctrl-C')) resolve();
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-maxOutputCharacters);
  });
  const stop = async (): Promise<number | NodeJS.Signals> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    const status = await ended;
    clearTimeout(timer);
    return status;
  };
  const timer = setTimeout(() => child.kill('SIGKILL'), readyTimeoutMs);
  const early = await Promise.race([ready, ended]);
  clearTimeout(timer);
  if (early !== undefined || child.pid === undefined) {
    throw new Error(`stowage ${options.args.join(' ')} ended with ${early} before it served:\n${output}`);
  }
  const summary = parseSummary(printed);
  return {
    pid: child.pid,
    child,
    summary,
    endpoint: summary.get('S3 endpoint') ?? '',
    credentials: {
      accessKeyId: summary.get('Access key') ?? '',
      secretAccessKey: summary.get('Secret key') ?? '',
    },
    output: () => output,
    ended,
    stop,
  };
}

/** The environment without our own variables, so that a developer's settings do not change what is measured or tested. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STOWAGE_')));
}

function parseSummary(text: string): ReadonlyMap<string, string> {
  const rows = new Map<string, string>();
  for (const line of text.split('\n')) {
    const row = /^ {2}(\S(?: ?\S)*) {3,}(.*?)(?: {2}.*)?$/.exec(line);
    if (row?.[1] !== undefined && row[2] !== undefined) rows.set(row[1], row[2]);
  }
  return rows;
}
