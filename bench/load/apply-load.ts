// Signs the requests of a workload and has a process of its own send them.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { presignUrl, SigningKeys } from '@stowage/s3';
import type { PeerServer } from '../servers/peer-server.ts';
import type { LoadResult, Workload } from './workload.ts';

const entry = fileURLToPath(new URL('./load-process.ts', import.meta.url));
const expiresSeconds = 6 * 3600;
/** Beyond the workload's own time: for signing keys, connecting, and the last large object. */
const extraTimeMs = 120_000;

export interface Load {
  readonly method: 'GET' | 'PUT';
  /** Names of the objects, taken in turn. */
  readonly keys: readonly string[];
  readonly sizeBytes: number;
  readonly connections: number;
  readonly durationMs: number;
}

/** Rejects when any request fails: a figure of refused requests would mean nothing. */
export async function applyLoad(server: PeerServer, load: Load): Promise<LoadResult> {
  const url = new URL(server.endpoint);
  const signingKeys = new SigningKeys();
  const nowMs = Date.now();
  const targets = load.keys.map((key) => {
    const signed = presignUrl({
      method: load.method,
      endpoint: server.endpoint,
      path: `/${server.bucket}/${key}`,
      credentials: server.credentials,
      region: 'us-east-1',
      nowMs,
      expiresSeconds,
      signingKeys,
    });
    return signed.slice(url.origin.length);
  });
  const { method, sizeBytes, connections, durationMs } = load;
  const workload: Workload = {
    method,
    host: url.hostname,
    port: Number(url.port),
    targets,
    sizeBytes,
    connections,
    durationMs,
  };
  const result = await send(workload);
  if (result.failures > 0)
    throw new Error(`${server.name}: ${method} failed ${result.failures} times: ${result.firstFailure}`);
  return result;
}

async function send(workload: Workload): Promise<LoadResult> {
  const child = fork(entry, { execArgv: [] });
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The load process hangs.')), workload.durationMs + extraTimeMs);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      // Proof of the type: load-process.ts sends one of the two, and nothing else.
      child.on('message', (message: { readonly result?: LoadResult; readonly error?: string }) => {
        const { result, error } = message;
        settle(() => (result === undefined ? reject(new Error(error)) : resolve(result)));
      });
      child.on('error', (error) => settle(() => reject(error)));
      child.on('exit', (code) => settle(() => reject(new Error(`The load process ended with ${code}.`))));
      child.send(workload);
    });
  } finally {
    child.kill();
  }
}
