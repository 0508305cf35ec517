// A Ceph cluster for tests, of three OSDs that keep each object twice, behind one gateway: shared by all tests of one process and
// ended with it. Each test takes a bucket of its own. The cluster itself: scripts/serving/ceph-cluster.ts.
//   const ceph = await startCeph();
//   if (!ceph.found) return t.skip(ceph.reason);
//   const s3 = await ceph.createBucket({ versions: true });

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from '@stowage/files';
import { missingCephPrograms, startCephCluster } from '../../scripts/serving/ceph-cluster.ts';

type CephForTests =
  | {
      readonly found: true;
      readonly endpoint: string;
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
      /** A new, empty bucket, as a service is given it. */
      createBucket(options?: { readonly versions?: boolean }): Promise<S3Settings>;
      /** Ends one OSD at once, as a crash would. Those after it have fewer copies. */
      killOsd(number: number): Promise<void>;
    }
  | { readonly found: false; readonly reason: string };

const region = 'us-east-1';
let starting: Promise<CephForTests> | undefined;

export function startCeph(): Promise<CephForTests> {
  starting ??= start();
  return starting;
}

/** A cluster of its own, for a test that does it harm. Ended by `stop`. */
export async function startOwnCeph(): Promise<
  (CephForTests & { readonly found: true; stop(): Promise<void> }) | { readonly found: false; readonly reason: string }
> {
  const missing = await missingCephPrograms();
  if (missing !== undefined) return { found: false, reason: missing };
  // Short: its daemons put sockets there, and the names of those are short.
  const directory = await mkdtemp(join(tmpdir(), 'ceph-'));
  const cluster = await startCephCluster({ directory, osds: 3, copies: 2 });
  const { endpoint, credentials } = cluster;
  const killNow = (): void => {
    for (const pid of cluster.pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  // Daemons must not outlive a process that ends in between.
  process.once('exit', killNow);
  let count = 0;
  return {
    found: true,
    endpoint,
    credentials,
    killOsd: cluster.killOsd,
    createBucket: async ({ versions = false } = {}) => {
      count += 1;
      const bucket = `test-${process.pid}-${count}`;
      const settings = { endpoint, region, bucket, credentials, forcePathStyle: true };
      const client = new S3Client({ ...settings, requestChecksumCalculation: 'WHEN_REQUIRED' });
      try {
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
        if (versions) {
          const status = { Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } } as const;
          await client.send(new PutBucketVersioningCommand(status));
        }
      } finally {
        client.destroy();
      }
      return settings;
    },
    stop: async () => {
      process.off('exit', killNow);
      await cluster.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

async function start(): Promise<CephForTests> {
  return startOwnCeph();
}
