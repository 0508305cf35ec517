// The file service for a bench: as a process over an engine, signed in to, and asked by plain fetch.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FilesLimits } from '@stowage/files';
import type { ServiceProcessOptions, ServiceProcessReady } from '../../scripts/serving/service-process.ts';
import type { StowageServer } from '../servers/stowage-server.ts';

/** What limits abuse would limit the bench. */
export const benchLimits: Partial<FilesLimits> = { requestsPerSecond: 1_000_000, requestBurst: 1_000_000 };
export const benchSecret = new Uint8Array(32).fill(5);

export interface BenchService {
  readonly pid: number;
  /** One request; fails unless it is answered as expected. */
  ask(method: string, path: string, body?: object): Promise<Response>;
  json<Body>(method: string, path: string, body?: object): Promise<Body>;
  stop(): Promise<void>;
}

export function benchS3({ endpoint, credentials }: StowageServer, bucket: string): ServiceProcessOptions['s3'] {
  const { accessKeyId, secretAccessKey } = credentials;
  return { endpoint, credentials: { accessKeyId, secretAccessKey }, region: 'us-east-1', bucket, forcePathStyle: true };
}

export async function startBenchService(
  options: Omit<ServiceProcessOptions, 'secretHex' | 'limits'>,
): Promise<BenchService> {
  const given: ServiceProcessOptions = {
    ...options,
    limits: benchLimits,
    secretHex: Buffer.from(benchSecret).toString('hex'),
  };
  const entry = fileURLToPath(new URL('../../scripts/serving/service-process.ts', import.meta.url));
  const { child, line } = await startPrinting(entry, JSON.stringify(given));
  // service-process.ts prints it.
  const { url, token } = JSON.parse(line) as ServiceProcessReady;
  const signIn = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const ask = async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status < 400) return response;
    throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  };
  return {
    pid: child.pid ?? 0,
    ask,
    // The service's own schemas say what is in it.
    json: async <Body>(method: string, path: string, body?: object) =>
      (await (await ask(method, path, body)).json()) as Body,
    stop: () => endChild(child),
  };
}

/** A process of a bench, and the line that it prints when it serves. */
export async function startPrinting(
  entry: string,
  argument: string,
): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const child = spawn(process.execPath, [entry, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const line = await Promise.race([
    once(lines, 'line').then(([first]: readonly unknown[]) => String(first)),
    once(child, 'exit').then(() => Promise.reject(new Error(`${entry} ended before it served.`))),
  ]);
  return { child, line };
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  // None of them has anything to finish that the bench still wants.
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await exited;
  clearTimeout(timer);
}
