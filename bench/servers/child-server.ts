// Starts a peer as a child process on a free port of the loopback, waits until it answers, and ends it by its own pid.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 10_000;
const maxOutputCharacters = 20_000;

interface ChildServer {
  readonly endpoint: string;
  readonly pid: number;
  /** SIGTERM, and SIGKILL when that does not end it. */
  stop(): Promise<void>;
}

export async function startChildServer(options: {
  readonly name: string;
  readonly file: string;
  readonly args: (port: number) => readonly string[];
}): Promise<ChildServer> {
  const port = await findFreePort();
  const child = spawn(options.file, options.args(port), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-maxOutputCharacters);
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    if (child.pid === undefined || child.exitCode !== null) {
      throw new Error(`${options.name} ended before it served:\n${output}`);
    }
    try {
      await (await fetch(endpoint)).arrayBuffer();
      return { endpoint, pid: child.pid, stop: () => stopChild(child, ended) };
    } catch (cause) {
      if (performance.now() > deadline) {
        await stopChild(child, ended);
        throw new Error(`${options.name} does not serve:\n${output}`, { cause });
      }
      await sleep(30);
    }
  }
}

/** The process and the ones it has started itself, as Linux tells; elsewhere the process alone. */
export function withChildren(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [
      pid,
      ...text
        .split(' ')
        .filter((word) => word !== '')
        .map(Number),
    ];
  } catch {
    return [pid]; // no /proc, or a kernel without this list
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
