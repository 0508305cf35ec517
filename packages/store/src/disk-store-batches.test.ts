// What one batch of the committer may be, and what waits for it in memory.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  createBucket,
  patternBytes,
  plainAttributes,
  put,
  putPart,
  readAll,
  storeError,
} from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import { isStoreError } from './store-error.ts';
import { withDataFolder } from './testing/data-folder.ts';
import { drivenByItself } from './testing/io-order.ts';
import { SeededRandom } from './testing/seeded-random.ts';
import { SimulatedDisk } from './testing/simulated-disk.ts';
import { openSimulatedIndex } from './testing/simulated-index.ts';

it('ends a batch when it changes many rows', async () => {
  let batches = 0;
  const random = new SeededRandom(1);
  // In memory: a file for each of so many parts takes a real disk a while.
  const disk = new SimulatedDisk({
    random,
    schedule: drivenByItself(random),
    fault: ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.seg')) batches += 1;
      return undefined;
    },
  });
  const store = await openDiskStore({
    directory: '/data',
    disk,
    openIndex: openSimulatedIndex,
    sizes: { reserveSizeBytes: 64 * 1024 },
    hashThreads: 0,
    durability: { level: 'memory' },
  });
  await createBucket(store);
  const uploads = await Promise.all(
    Array.from({ length: 30 }, (_, number) =>
      store.createUpload({ bucket: 'bucket', key: `k${number}`, attributes: plainAttributes, initiator: 'me' }),
    ),
  );
  for (const upload of uploads) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => putPart(store, upload, at + 1, Buffer.from('x'))));
  }
  batches = 0;
  await Promise.all(uploads.map((upload) => store.abortUpload(upload)));
  // Each part takes three rows with it, and a batch changes 4,096.
  assert.equal(batches, 2);
  assert.ok(uploads.every((upload) => store.getUpload(upload) === undefined));
  await store.close();
});

it('counts what copies hold in memory until they are committed', () =>
  withDataFolder(async (directory) => {
    const sizes = { gatherMemoryBytes: 200_000 };
    const store = await openDiskStore({ directory, sizes, durability: { level: 'memory' } });
    await createBucket(store);
    const bytes = patternBytes(50_000);
    const { sequence } = await put(store, 'source', bytes);
    const copy = (key: string): Promise<unknown> =>
      store.copyObject({
        bucket: 'bucket',
        key,
        source: { bucket: 'bucket', key: 'source', sequence },
        attributes: plainAttributes,
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, number) => copy(`copy ${number}`)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    assert.equal(refused.length, 16);
    assert.ok(refused.every((reason) => isStoreError(reason) && reason.code === 'Overloaded'));
    // What was taken came back.
    await Promise.all([copy('later 1'), copy('later 2'), copy('later 3'), copy('later 4')]);
    assert.deepEqual(await readAll(store, 'later 4'), bytes);
    await assert.rejects(
      Promise.all(Array.from({ length: 5 }, (_, number) => copy(`again ${number}`))),
      storeError('Overloaded'),
    );
    await store.close();
  }));
