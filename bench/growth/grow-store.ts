// Loads objects into a store on disk through its own interface: strict, many in flight, as an engine would under load.

import { createHash } from 'node:crypto';
import process from 'node:process';
import { type ObjectStore, openDiskStore } from '@stowage/store';
import { bucketNames } from '../servers/peer-server.ts';

const inFlight = 256;
const lotObjects = 100_000;
const bodyBytes = 100;
export const growthFolders = 1_000;
const owner = '000000000000';
const attributes = {
  systemMetadata: { 'content-type': 'application/octet-stream' },
  userMetadata: {},
  storageClass: 'STANDARD',
  owner,
};

interface Lot {
  /** In the store when it was complete. */
  readonly objects: number;
  readonly perSecond: number;
  readonly residentBytes: number;
}

export async function growStore(options: {
  readonly directory: string;
  readonly from: number;
  readonly to: number;
  /** After each hundred thousand, and at the end. */
  readonly onLot: (lot: Lot) => Promise<void>;
}): Promise<void> {
  const store = await openDiskStore({ directory: options.directory });
  try {
    const { bucket: name } = bucketNames;
    if (store.getBucket(name) === undefined) await store.createBucket({ name, owner, region: 'us-east-1' });
    for (let from = options.from; from < options.to; ) {
      const to = Math.min(options.to, from + lotObjects);
      const begun = performance.now();
      await putAll(store, from, to);
      const seconds = (performance.now() - begun) / 1000;
      await options.onLot({ objects: to, perSecond: (to - from) / seconds, residentBytes: process.memoryUsage.rss() });
      from = to;
    }
  } finally {
    await store.close();
  }
}

/** `folder-0007/object-00001007`: neighbours come from all over. */
export function growthKey(number: number): string {
  const folder = String(number % growthFolders).padStart(4, '0');
  return `folder-${folder}/object-${String(number).padStart(8, '0')}`;
}

async function putAll(store: ObjectStore, from: number, to: number): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) {
      const number = next;
      next += 1;
      const content = Buffer.alloc(bodyBytes, growthKey(number));
      const writer = store.stageBody({ sizeBytes: bodyBytes, maxSizeBytes: bodyBytes, digests: ['MD5'] });
      writer.write(content);
      const body = await writer.finish();
      const etag = createHash('md5').update(content).digest('hex');
      await store.putObject({ bucket: bucketNames.bucket, key: growthKey(number), body, etag, attributes });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}
