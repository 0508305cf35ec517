// A file service as a process of its own, started by a test, and ended with it if it has not ended before.

import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServiceProcessOptions, ServiceProcessReady } from '../../scripts/serving/service-process.ts';

const entry = fileURLToPath(new URL('../../scripts/serving/service-process.ts', import.meta.url));

/** All instances have one, as behind a balancer: who signed in at one is known to all. */
const publicUrl = 'http://files.example.com';

export interface Instance {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
}

export async function startInstance(t: TestContext, options: ServiceProcessOptions): Promise<Instance> {
  const given = JSON.stringify({ publicUrl, ...options } satisfies ServiceProcessOptions);
  const child = spawn(process.execPath, [entry, given], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString('utf8')).slice(-4_000);
  });
  for await (const line of createInterface(child.stdout)) {
    // service-process.ts prints one.
    const { url, token } = JSON.parse(line) as ServiceProcessReady;
    return { child, url, token };
  }
  throw new Error(`The instance ended before it served:\n${complaints}`);
}
