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
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import { isStoreError } from './store-error.ts';
import { withDataFolder } from './testing/data-folder.ts';
import { faultyDisk } from './testing/faulty-disk.ts';

it('ends a batch when it changes many rows', () =>
  withDataFolder(async (directory) => {
    let batches = 0;
    const disk = faultyDisk(nodeDisk, ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.seg')) batches += 1;
      return undefined;
    });
    const store = await openDiskStore({ directory, disk, durability: { level: 'memory' } });
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
  }));

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
