// Starts the servers of a bench, ours first. What is not installed is skipped, with a line that says so.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startBare, startNoOp } from './bare-server.ts';
import { startCeph } from './ceph-server.ts';
import { startNginx } from './nginx-server.ts';
import type { PeerServer } from './peer-server.ts';
import { startS3rver } from './s3rver-server.ts';
import { startStowage } from './stowage-server.ts';

type Start = (options: { readonly directory: string }) => Promise<PeerServer | undefined>;

/** In the order in which they are measured: ours beside the one it is compared with. */
const starts: Readonly<Record<string, Start>> = {
  stowage: startStowage,
  bare: startBare,
  'no-op': startNoOp,
  nginx: startNginx,
  s3rver: startS3rver,
  ceph: startCeph,
};

export async function startServers(options: {
  readonly directory: string;
  /** More than 1: ours with so many workers too. */
  readonly workers: number;
  /** Default: all. */
  readonly only?: readonly string[];
}): Promise<PeerServer[]> {
  const unknown = options.only?.find((name) => !(name in starts));
  if (unknown !== undefined)
    throw new Error(`There is no server ${unknown}; there are ${Object.keys(starts).join(', ')}.`);
  const started: PeerServer[] = [];
  const add = async (name: string, start: Start): Promise<void> => {
    const directory = join(options.directory, name);
    await mkdir(directory, { recursive: true });
    const server = await start({ directory });
    if (server !== undefined) started.push(server);
  };
  try {
    for (const [name, start] of Object.entries(starts)) {
      if (options.only !== undefined && !options.only.includes(name)) continue;
      await add(name, start);
      if (name !== 'stowage' || options.workers === 1) continue;
      await add('stowage-workers', ({ directory }) => startStowage({ directory, workers: options.workers }));
    }
    return started;
  } catch (error) {
    for (const server of started) await server.stop();
    throw error;
  }
}
