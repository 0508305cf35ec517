// s3rver 3.7.1, a peer in the same language: files on disk in place, never flushed. On a current Node its listings need
// an option for the old OpenSSL algorithms.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerServer } from './peer-server.ts';

const bucket = 'bench';
const readyTimeoutMs = 20_000;

export async function startS3rver(options: { readonly directory: string }): Promise<PeerServer> {
  const folder = dirname(createRequire(import.meta.url).resolve('s3rver/package.json'));
  const port = await findFreePort();
  const args = ['--openssl-legacy-provider', '--no-deprecation', join(folder, 'bin', 's3rver.js')];
  args.push('--silent', '--address', '127.0.0.1', '--port', String(port), '--directory', options.directory);
  args.push('--configure-bucket', bucket);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    if (child.pid === undefined || child.exitCode !== null) throw new Error('s3rver ended before it served.');
    try {
      await fetch(endpoint);
      break;
    } catch (cause) {
      if (performance.now() > deadline) throw new Error('s3rver does not serve.', { cause });
      await sleep(50);
    }
  }
  return {
    name: 's3rver 3.7.1',
    durability: 'none: never flushed',
    endpoint,
    bucket,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function findFreePort(): Promise<number> {
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
