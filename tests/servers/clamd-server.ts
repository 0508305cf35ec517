// A real clamd for tests, from Debian's package: on a free port of loopback and on a Unix socket, with a signature of its own for
// the EICAR test text, because signature databases cannot be fetched here. One for each test that asks.
//   const clamd = await startClamd(t);
//   if (!clamd.found) return t.skip(clamd.reason);

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../../scripts/serving/free-port.ts';

type ClamdServer =
  | {
      readonly found: true;
      /** `host:port`. */
      readonly tcp: string;
      /** Path of the Unix socket. */
      readonly socket: string;
      stop(): Promise<void>;
      start(): Promise<void>;
    }
  | { readonly found: false; readonly reason: string };

interface ClamdOptions {
  /** Default 64 MiB. */
  readonly streamMaxBytes?: number;
  /** Further lines of its configuration. */
  readonly settings?: readonly string[];
}

const startTimeoutMs = 30_000;
const program = '/usr/sbin/clamd';

/** The EICAR test text (eicar.org), which every scanner takes for a virus. In two pieces, so that this file is not taken for one. */
export const eicar = `${'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-'}${'ANTIVIRUS-TEST-FILE!$H+H*'}`;
export const eicarSignature = 'Eicar-Local.UNOFFICIAL';

export async function startClamd(
  t: TestContext,
  { streamMaxBytes = 64 * 1024 * 1024, settings: further = [] }: ClamdOptions = {},
): Promise<ClamdServer> {
  const there = await access(program).then(
    () => true,
    () => false, // not installed
  );
  if (!there) return { found: false, reason: 'clamd is not installed (Debian: apt-get install clamav-daemon)' };
  const folder = await mkdtemp(join(tmpdir(), 'stowage-clamd-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const database = join(folder, 'signatures');
  await mkdir(database);
  const marker = Buffer.from(eicar.slice(28, 63)).toString('hex');
  await writeFile(join(database, 'local.ndb'), `Eicar-Local:0:*:${marker}\n`);
  const port = await freePort();
  const socket = join(folder, 'clamd.socket');
  const config = join(folder, 'clamd.conf');
  const settings = [
    `DatabaseDirectory ${database}`,
    `TCPSocket ${port}`,
    'TCPAddr 127.0.0.1',
    `LocalSocket ${socket}`,
    'Foreground yes',
    `StreamMaxLength ${streamMaxBytes}`,
    `TemporaryDirectory ${folder}`,
    ...further,
  ];
  await writeFile(config, `${settings.join('\n')}\n`);
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn(program, [`--config-file=${config}`], { stdio: 'ignore' });
    running = child;
    const deadline = Date.now() + startTimeoutMs;
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`clamd ended with ${child.exitCode} at its start.`);
      if (Date.now() > deadline) throw new Error('clamd did not answer in time.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function stop(): Promise<void> {
    const child = running;
    running = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  t.after(stop);
  await start();
  return { found: true, tcp: `127.0.0.1:${port}`, socket, start, stop };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // not up yet
  } finally {
    socket.destroy();
  }
}
