// s3rver 3.7.1, a peer in the same language: files on disk in place, never flushed. On a current Node its listings need
// an option for the old OpenSSL algorithms; and they break off beyond some ten thousand keys, so it is asked for fewer.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { startChildServer } from './child-server.ts';
import { bucketNames, everyAbility, type PeerServer } from './peer-server.ts';

export async function startS3rver({ directory }: { readonly directory: string }): Promise<PeerServer> {
  const folder = dirname(createRequire(import.meta.url).resolve('s3rver/package.json'));
  const options = ['--openssl-legacy-provider', '--no-deprecation', join(folder, 'bin', 's3rver.js'), '--silent'];
  const server = await startChildServer({
    name: 's3rver',
    file: process.execPath,
    args: (port) => [
      ...[...options, '--address', '127.0.0.1', '--port', String(port), '--directory', directory],
      ...['--configure-bucket', bucketNames.bucket, '--configure-bucket', bucketNames.listBucket],
    ],
  });
  return {
    name: 's3rver',
    durability: 'none: never flushed',
    endpoint: server.endpoint,
    ...bucketNames,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    pids: () => [server.pid],
    abilities: everyAbility,
    slowListing: { keys: 2_000, connections: 2 },
    stop: server.stop,
  };
}
