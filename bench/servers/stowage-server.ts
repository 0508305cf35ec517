// Our own engine on the disk store, as the command starts it.

import { join } from 'node:path';
import { type SigningCredentials, SigningKeys, signRequest } from '@stowage/s3';
import { startServer } from '../../scripts/serving/start-server.ts';
import { bucketNames, everyAbility, type PeerServer } from './peer-server.ts';

export interface StowageServer extends PeerServer {
  readonly credentials: SigningCredentials;
  readonly pid: number;
  readonly workers: number;
  readonly ended: Promise<unknown>;
}

export async function startStowage(options: {
  readonly directory: string;
  /** Default 1. */
  readonly workers?: number;
  /** Default `strict`. */
  readonly durability?: 'strict' | 'memory';
  readonly nodeArgs?: readonly string[];
}): Promise<StowageServer> {
  const { directory, workers = 1, durability = 'strict', nodeArgs = [] } = options;
  const args = ['engine', '--data', join(directory, 'data'), '--durability', durability, '--port', '0'];
  if (workers > 1) args.push('--workers', String(workers));
  const server = await startServer({ args: [...args, '--log-level', 'warn'], nodeArgs });
  for (const bucket of Object.values(bucketNames)) await makeBucket({ ...server, bucket });
  return {
    name: workers === 1 ? 'stowage' : `stowage, ${workers} workers`,
    durability:
      durability === 'strict' ? 'strict: on the disk before the answer' : 'memory: flushed by the system alone',
    endpoint: server.endpoint,
    ...bucketNames,
    credentials: server.credentials,
    pid: server.pid,
    workers,
    ended: server.ended,
    pids: () => [server.pid],
    abilities: everyAbility,
    stop: async () => {
      const status = await server.stop();
      if (status !== 0) throw new Error(`stowage ended with ${status}:\n${server.output()}`);
    },
  };
}

/** Makes a bucket, unless it is there. */
export async function makeBucket(server: {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: SigningCredentials;
}): Promise<void> {
  const { url, headers } = signRequest({
    method: 'PUT',
    endpoint: server.endpoint,
    path: `/${server.bucket}`,
    credentials: server.credentials,
    region: 'us-east-1',
    nowMs: Date.now(),
    signingKeys: new SigningKeys(),
  });
  const made = await fetch(url, { method: 'PUT', headers });
  const answer = await made.text();
  if (!made.ok && made.status !== 409) throw new Error(`The bucket could not be made: ${made.status} ${answer}`);
}
