// @tus/server with its S3 store as a process of its own: bytes go through it, to the same engine that the file service signs for.
// Options come as JSON in the first argument; when it serves it prints one line of JSON with its address.

import process from 'node:process';
import type { S3Settings } from '@stowage/files';
import { S3Store } from '@tus/s3-store';
import { Server } from '@tus/server';

const path = '/files';

export interface TusReady {
  readonly url: string;
}

if (import.meta.main) {
  // Written by the bench that started this process.
  const { endpoint, region, bucket, credentials } = JSON.parse(process.argv[2] ?? '{}') as S3Settings;
  const datastore = new S3Store({
    partSize: 8 * 1024 * 1024,
    s3ClientConfig: { bucket, endpoint, region, credentials, forcePathStyle: true },
  });
  const server = new Server({ path, datastore, respectForwardedHeaders: false }).listen({ host: '127.0.0.1', port: 0 });
  server.once('listening', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
    const ready: TusReady = { url: `http://127.0.0.1:${address.port}${path}` };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  });
}
