// The Ceph gateway over one OSD: what those would otherwise run who want their own S3. Its OSD writes ahead and syncs
// before it answers. Many processes and threads: it uses all cores.

import process from 'node:process';
import { missingCephPrograms, startCephCluster } from '../../scripts/serving/ceph-cluster.ts';
import { bucketNames, everyAbility, type PeerServer } from './peer-server.ts';
import { makeBucket } from './stowage-server.ts';

/** `undefined` with a reason on stderr when Ceph is not installed. */
export async function startCeph({ directory }: { readonly directory: string }): Promise<PeerServer | undefined> {
  const missing = await missingCephPrograms();
  if (missing !== undefined) {
    process.stderr.write(`SKIPPED: the Ceph gateway, because ${missing}.\n`);
    return undefined;
  }
  const cluster = await startCephCluster({ directory });
  for (const bucket of Object.values(bucketNames)) await makeBucket({ ...cluster, bucket });
  return {
    name: 'Ceph gateway',
    durability: 'on the disk of one OSD before the answer',
    endpoint: cluster.endpoint,
    ...bucketNames,
    credentials: cluster.credentials,
    pids: () => cluster.pids,
    abilities: everyAbility,
    stop: cluster.stop,
  };
}
