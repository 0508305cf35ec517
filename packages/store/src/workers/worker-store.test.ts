import assert from 'node:assert/strict';
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testObjectStore } from '../contract/object-store.contract.ts';
import {
  createBucket,
  largeSizeBytes,
  listKeys,
  patternBytes,
  put,
  readAll,
  stage,
  storeError,
} from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStoreOptions } from '../disk-store-options.ts';
import type { ObjectStore } from '../object-store.ts';
import { segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import { until } from '../testing/until.ts';
import { openWorkerStore } from './worker-store.ts';

// The whole contract, with every call made by a worker. It sits in the same thread here: what it knows of its host are the
// port and the shared memory, as anywhere else.
testObjectStore('worker store', async (clock) => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
  const host = await openDiskStore({ directory, clock, workers: 1 });
  const seat = host.inviteWorker();
  const store = openWorkerStore(seat.invitation);
  return {
    store,
    close: async () => {
      await store.close();
      await seat.leave({ died: false });
      await host.close();
      await rm(directory, { recursive: true });
    },
  };
});

interface Workers {
  readonly host: Awaited<ReturnType<typeof openDiskStore>>;
  readonly directory: string;
  readonly one: ObjectStore;
  readonly other: ObjectStore;
  readonly seats: readonly ReturnType<Workers['host']['inviteWorker']>[];
}

async function withWorkers(
  use: (workers: Workers) => Promise<void>,
  options: Partial<DiskStoreOptions> = {},
): Promise<void> {
  await withDataFolder(async (directory) => {
    const host = await openDiskStore({ directory, workers: 2, ...options });
    const seats = [host.inviteWorker(), host.inviteWorker()] as const;
    const one = openWorkerStore(seats[0].invitation);
    const other = openWorkerStore(seats[1].invitation);
    try {
      await createBucket(host);
      await use({ host, directory, one, other, seats });
    } finally {
      await Promise.all([one.close(), other.close()]);
      await Promise.all(seats.map((seat) => seat.leave({ died: false })));
      await host.close();
    }
  });
}

/** Names of all blob files in a data folder. */
async function blobNames(directory: string): Promise<string[]> {
  const entries = await readdir(join(directory, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe('workers at one store', () => {
  it('see what any of them was told is written', async () => {
    await withWorkers(async ({ host, one, other }) => {
      const stores = [one, other, host];
      for (let round = 0; round < 60; round += 1) {
        const writer = stores[round % 3] ?? host;
        const text = `round ${round}`;
        const { sequence } = await put(writer, 'key', text);
        for (const reader of stores) {
          assert.equal(reader.headObject({ bucket: 'bucket', key: 'key' })?.sequence, sequence);
          assert.equal(String(await readAll(reader, 'key')), text);
        }
        await put(writer, `key-${String(round).padStart(3, '0')}`, '');
        for (const reader of stores) assert.equal(listKeys(reader).length, round + 2);
      }
      await one.putBucketConfiguration('bucket', 'cors', { rules: [] });
      assert.deepEqual(other.getBucket('bucket')?.configuration.cors, { rules: [] });
      await other.deleteObject({ bucket: 'bucket', key: 'key' });
      for (const reader of stores) assert.equal(reader.headObject({ bucket: 'bucket', key: 'key' }), undefined);
    });
  });

  it('give blobs different ids, and read each other’s', async () => {
    await withWorkers(async ({ host, directory, one, other }) => {
      const stores = [one, other, host];
      const bodies = Array.from({ length: 9 }, (_, seed) => patternBytes(largeSizeBytes + seed, seed));
      await Promise.all(bodies.map((body, seed) => put(stores[seed % 3] ?? host, `large-${seed}`, body)));
      for (const [seed, body] of bodies.entries()) {
        for (const reader of stores) assert.ok((await readAll(reader, `large-${seed}`))?.equals(body));
      }
      assert.equal(new Set(await blobNames(directory)).size, bodies.length);
    });
  });

  it('keep bytes that one of them still reads', async () => {
    await withWorkers(async ({ directory, one, other }) => {
      const body = patternBytes(largeSizeBytes);
      await put(one, 'large', body);
      const open = other.openObject({ bucket: 'bucket', key: 'large' });
      assert.ok(open);
      await one.deleteObject({ bucket: 'bucket', key: 'large' });
      await sleep(50);
      assert.equal((await blobNames(directory)).length, 1);
      const chunks: Uint8Array[] = [];
      for await (const chunk of open.chunks()) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(body));
      open.close();
      await until(async () => (await blobNames(directory)).length === 0);
    });
  });

  it('keep segments that one of them still reads, and read on while others are compacted', async () => {
    const options = { sizes: { segmentSizeBytes: 20_000 }, compaction: 'on demand' } as const;
    await withWorkers(async ({ host, directory, one, other }) => {
      const bodies = Array.from({ length: 40 }, (_, seed) => patternBytes(2000, seed));
      for (const [seed, body] of bodies.entries()) await put(one, `key-${seed}`, body);
      const open = other.openObject({ bucket: 'bucket', key: 'key-3' });
      assert.ok(open);
      for (const seed of bodies.keys())
        if (seed % 5 !== 0) await one.deleteObject({ bucket: 'bucket', key: `key-${seed}` });
      const segments = (await segmentPaths(directory)).length;
      const compacted = host.compact();
      let done = false;
      void compacted.then(() => {
        done = true;
      });
      for (let round = 0; round < 5; round += 1) {
        for (let seed = 0; seed < 40; seed += 5) {
          assert.ok((await readAll(other, `key-${seed}`))?.equals(patternBytes(2000, seed)));
        }
        await sleep(10);
      }
      assert.equal(done, false, 'a reader of an old place is still there');
      assert.ok(Buffer.from(await open.bytes()).equals(patternBytes(2000, 3)));
      open.close();
      await compacted;
      assert.ok((await segmentPaths(directory)).length < segments);
      for (let seed = 0; seed < 40; seed += 5) {
        assert.ok((await readAll(other, `key-${seed}`))?.equals(patternBytes(2000, seed)));
      }
    }, options);
  });

  it('leave nothing behind of what was staged and never committed', async () => {
    await withWorkers(async ({ host, directory, one, seats }) => {
      await put(one, 'kept', patternBytes(largeSizeBytes, 1));
      await stage(one, patternBytes(largeSizeBytes, 2));
      assert.equal((await blobNames(directory)).length, 2);
      await seats[0]?.leave({ died: true }); // as when the thread has died
      assert.equal((await blobNames(directory)).length, 1);
      await assert.rejects(put(one, 'late', 'x'), storeError('Closed'));
      const next = host.inviteWorker();
      const store = openWorkerStore(next.invitation);
      await put(store, 'more', patternBytes(largeSizeBytes, 3));
      assert.equal((await blobNames(directory)).length, 2);
      await store.close();
      await next.leave({ died: false });
      assert.equal((await blobNames(directory)).length, 2);
      assert.throws(() => [host.inviteWorker(), host.inviteWorker()], /opened for 2 workers/);
    });
  });

  it('all stop writing when the disk fails one of them', async () => {
    await withWorkers(async ({ host, directory, one, other }) => {
      await put(one, 'before', 'safe');
      const blobs = join(directory, 'blobs');
      await rename(blobs, `${blobs}-away`);
      await writeFile(blobs, 'a file where a folder was');
      await assert.rejects(put(one, 'large', patternBytes(largeSizeBytes)), storeError('ReadOnly'));
      await until(() => host.health().status === 'read-only');
      assert.equal(one.health().status, 'read-only');
      await assert.rejects(put(other, 'small', 'x'), storeError('ReadOnly'));
      assert.equal(other.health().status, 'read-only');
      assert.equal(String(await readAll(other, 'before')), 'safe');
    });
  });

  it('are refused where there is no store for them', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory });
      assert.throws(() => store.inviteWorker(), /not opened for workers/);
      await store.close();
    });
  });
});
