// All rows of a closed store's index, as text: for holding one index against another.

import { join } from 'node:path';
import { keyspace } from '../catalog/index-keys.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { openLmdbIndex } from '../ordered-index/lmdb-index.ts';

/** By key in hex. Left out: what the index knows of itself, blobs that wait to be removed, and names of buckets that are gone. */
export async function dumpIndex(directory: string): Promise<ReadonlyMap<string, string>> {
  const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
  const rows = new Map<string, string>();
  index.scan({ from: Buffer.of(0), to: Buffer.of(0xff) }, (key, value) => {
    if (!leftOut.has(key[0] ?? 0)) rows.set(key.toString('hex'), value.toString('hex'));
    return true;
  });
  await index.close();
  return rows;
}

const leftOut: ReadonlySet<number> = new Set([keyspace.state, keyspace.garbage, keyspace.bucketName]);
