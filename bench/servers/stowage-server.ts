// Our own engine on the disk store, as the command starts it.

import { SigningKeys, signRequest } from '@stowage/s3';
import { startServer } from '../../scripts/serving/start-server.ts';
import type { PeerServer } from './peer-server.ts';

const bucket = 'bench';

export async function startStowage(options: {
  readonly directory: string;
  readonly nodeArgs?: readonly string[];
}): Promise<PeerServer> {
  const args = ['engine', '--data', options.directory, '--durability', 'strict', '--port', '0', '--log-level', 'warn'];
  const server = await startServer({ args, nodeArgs: options.nodeArgs ?? [] });
  const { url, headers } = signRequest({
    method: 'PUT',
    endpoint: server.endpoint,
    path: `/${bucket}`,
    credentials: server.credentials,
    region: 'us-east-1',
    nowMs: Date.now(),
    signingKeys: new SigningKeys(),
  });
  const made = await fetch(url, { method: 'PUT', headers });
  if (!made.ok) throw new Error(`The bucket could not be made: ${made.status} ${await made.text()}`);
  return {
    name: 'stowage',
    durability: 'strict: on the disk before the answer',
    endpoint: server.endpoint,
    bucket,
    credentials: server.credentials,
    pid: server.pid,
    stop: async () => {
      const status = await server.stop();
      if (status !== 0) throw new Error(`stowage ended with ${status}:\n${server.output()}`);
    },
  };
}
