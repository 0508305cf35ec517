// The two servers that bench/large-bodies.ts measures: our own engine as the command starts it, one worker and strict, and
// the yardstick of bare-process.ts.

import { fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type SigningCredentials, SigningKeys, signRequest } from '@stowage/s3';
import { startServer } from '../../scripts/serving/start-server.ts';

export interface BodyServer {
  readonly name: 'stowage' | 'bare node:http';
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: SigningCredentials;
  readonly pid: number;
  stop(): Promise<void>;
}

const bucket = 'bench';
const bareEntry = fileURLToPath(new URL('./bare-process.ts', import.meta.url));

export async function startEngineProcess(directory: string, nodeArgs: readonly string[] = []): Promise<BodyServer> {
  const args = ['engine', '--data', directory, '--durability', 'strict', '--port', '0', '--log-level', 'warn'];
  const server = await startServer({ args, nodeArgs });
  const { endpoint, credentials, pid } = server;
  const signing = { credentials, region: 'us-east-1', nowMs: Date.now(), signingKeys: new SigningKeys() };
  const { url, headers } = signRequest({ method: 'PUT', endpoint, path: `/${bucket}`, ...signing });
  const made = await fetch(url, { method: 'PUT', headers });
  if (!made.ok) throw new Error(`The bucket could not be made: ${made.status} ${await made.text()}`);
  return {
    name: 'stowage',
    endpoint,
    bucket,
    credentials,
    pid,
    stop: async () => {
      const status = await server.stop();
      if (status !== 0) throw new Error(`The engine ended with ${status}:\n${server.output()}`);
    },
  };
}

/** `objectBytes`: of every object that is read whole. */
export async function startBareProcess(directory: string, objectBytes: number): Promise<BodyServer> {
  await mkdir(directory, { recursive: true });
  const child = fork(bareEntry, [directory], {
    execArgv: [],
    env: { ...process.env, BARE_OBJECT_BYTES: String(objectBytes) },
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    // Proof of the type: the process sends this and nothing else.
    child.once('message', (message: { readonly port: number }) => resolve(message.port));
    child.once('exit', () => reject(new Error('The bare server ended before it served.')));
  });
  return {
    name: 'bare node:http',
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    credentials: { accessKeyId: 'BARE', secretAccessKey: 'BARE' },
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
