// A process that is meant to be killed: writes into a store with many writers at once, and prints a line for every write
// that was acknowledged. Arguments: data folder, number of the round. Used by disk-store-crash.test.ts.

import { writeSync } from 'node:fs';
import {
  completionOf,
  createBucket,
  largeSizeBytes,
  patternBytes,
  plainAttributes,
  put,
  putPart,
} from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';

const [directory = '', round = '0'] = process.argv.slice(2);
const writers = 16;
const store = await openDiskStore({ directory });
if (store.getBucket('bucket') === undefined) await createBucket(store);
acknowledge('opened');
await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));

async function write(writer: number): Promise<void> {
  for (let count = 0; ; count += 1) {
    const seed = Number(round) * 1_000_000 + writer * 10_000 + count;
    // Few keys, so that writers overwrite their own objects; each key belongs to one writer.
    const key = `${writer}/${count % 7}`;
    const kind = (writer + count) % 10;
    acknowledge(`begin ${key} ${seed} ${kind}`);
    if (kind < 6) await put(store, key, patternBytes(sizeOf(seed), seed));
    else if (kind < 7) await put(store, key, patternBytes(largeSizeBytes, seed));
    else if (kind < 8) await store.deleteObject({ bucket: 'bucket', key });
    else await multipart(key, seed);
    acknowledge(`done ${key} ${seed} ${kind}`);
  }
}

async function multipart(key: string, seed: number): Promise<void> {
  const upload = await store.createUpload({ bucket: 'bucket', key, attributes: plainAttributes, initiator: 'i' });
  const first = await putPart(store, upload, 1, patternBytes(400_000, seed));
  const second = await putPart(store, upload, 2, patternBytes(sizeOf(seed), seed + 1));
  await store.completeUpload(completionOf(upload, [first, second]));
}

function sizeOf(seed: number): number {
  return (seed * 7919) % 20_000;
}

function acknowledge(line: string): void {
  writeSync(1, `${line}\n`);
}
