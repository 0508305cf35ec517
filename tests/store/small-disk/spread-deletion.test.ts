// A disk full of objects over many segments, some of which are deleted, spread over all segments: puts are taken again within
// seconds, because compaction has room of its own, and nothing is lost (invariant 8). One process is killed while it is full.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patternBytes, put, readAll } from '../../../packages/store/src/contract/store-under-test.ts';
import { type DiskStore, openDiskStore } from '../../../packages/store/src/index.ts';
import { startServer } from '../../../scripts/serving/start-server.ts';
import { HttpBucket } from '../http-bucket.ts';
import { mountTmpfs, withSmallDisk } from './small-file-system.ts';

const sizeMebibytes = 64;
const resumesWithinMs = 10_000;
/** Small ones lie in segments, the last one in a blob. */
const objectSizes = [200_000, 100, 60_000, 200_000, 900_000, 200_000, 5000, 200_000, 200_000, 1_500_000];
const bucket = 'bucket';

function keyOf(index: number): string {
  return `key-${String(index).padStart(5, '0')}`;
}

function contentOf(index: number): Buffer {
  return patternBytes(objectSizes[index % objectSizes.length] ?? 0, index);
}

/** Every tenth stays, and others of each ten: spread over all segments and all sizes. */
const shares = {
  '50 %': (index: number) => (index + Math.floor(index / 10)) % 2 === 0,
  '80 %': (index: number) => (index + Math.floor(index / 10)) % 5 === 0,
  '95 %': (index: number) => (index + Math.floor(index / 20)) % 20 === 0,
} as const;

function isDiskFull(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'DiskFull';
}

async function fillUp(store: DiskStore): Promise<number> {
  for (let index = 0; ; index += 1) {
    try {
      await put(store, keyOf(index), contentOf(index));
    } catch (cause) {
      assert.ok(isDiskFull(cause), String(cause));
      return index;
    }
  }
}

async function untilTaken(store: DiskStore, key: string, bytes: Buffer): Promise<void> {
  const endMs = performance.now() + resumesWithinMs;
  for (;;) {
    try {
      await put(store, key, bytes);
      return;
    } catch (cause) {
      assert.ok(isDiskFull(cause), String(cause));
      assert.ok(performance.now() < endMs, `no put is taken again: ${JSON.stringify(store.health())}`);
      await sleep(100);
    }
  }
}

async function requireKept(store: DiskStore, kept: readonly number[]): Promise<void> {
  const page = store.listObjects({ bucket, prefix: 'key-', delimiter: '', after: '', limit: 100_000 });
  assert.deepEqual(
    page.objects.map(({ key }) => key),
    kept.map(keyOf),
  );
  for (const index of kept) assert.ok((await readAll(store, keyOf(index)))?.equals(contentOf(index)), keyOf(index));
  assert.deepEqual(store.health().damage, []);
  assert.equal(store.health().status, 'ok');
}

describe('a disk full of objects over many segments', () => {
  for (const [share, stays] of Object.entries(shares)) {
    it(`takes puts again when ${share} are deleted`, async (context) => {
      await withSmallDisk(context, mountTmpfs(sizeMebibytes), async (directory) => {
        let store = await openDiskStore({ directory });
        await store.createBucket({ name: bucket, owner: 'owner', region: 'us-east-1' });
        const count = await fillUp(store);
        const kept: number[] = [];
        for (let index = 0; index < count; index += 1) {
          if (stays(index)) kept.push(index);
          else await store.deleteObject({ bucket, key: keyOf(index) });
        }
        await untilTaken(store, 'again', patternBytes(500_000, 1));
        await requireKept(store, kept);
        await store.close();
        store = await openDiskStore({ directory });
        await requireKept(store, kept);
        await store.close();
      });
    });
  }

  it('opens where nothing at all is free, for reading and deleting', async (context) => {
    await withSmallDisk(context, mountTmpfs(sizeMebibytes), async (directory) => {
      // Segments of a larger disk, from which it was copied.
      const sizes = { segmentSizeBytes: 56 * 1024 * 1024 };
      let store = await openDiskStore({ directory, sizes, compaction: 'on demand' });
      await store.createBucket({ name: bucket, owner: 'owner', region: 'us-east-1' });
      const count = await fillUp(store);
      await store.deleteObject({ bucket, key: keyOf(0) });
      for (let round = 0; round < 3; round += 1) {
        await store.close();
        store = await openDiskStore({ directory, sizes, compaction: 'on demand' });
        await store.deleteObject({ bucket, key: keyOf(1 + round) });
      }
      await store.close();
      store = await openDiskStore({ directory });
      const kept = Array.from({ length: count - 4 }, (_, index) => index + 4);
      await requireKept(store, kept);
      for (const index of kept) if (!shares['50 %'](index)) await store.deleteObject({ bucket, key: keyOf(index) });
      await untilTaken(store, 'again', patternBytes(500_000, 1));
      await requireKept(store, kept.filter(shares['50 %']));
      await store.close();
    });
  });

  // With one, small-disk.test.ts kills it.
  for (const workers of [3]) {
    it(`takes puts again after it was killed while it was full, with ${workers} workers`, async (context) => {
      await withSmallDisk(context, mountTmpfs(sizeMebibytes), async (directory) => {
        const args = ['engine', '--port', '0', '--data', directory, '--workers', String(workers)];
        let server = await startServer({ args });
        const open = (): HttpBucket =>
          new HttpBucket({ endpoint: server.endpoint, credentials: server.credentials, name: bucket });
        try {
          assert.equal((await open().create()).status, 200);
          let count = 0;
          for (; (await open().put(keyOf(count), contentOf(count))).status === 200; count += 1);
          const isDeletedFirst = (index: number): boolean => index % 4 === 1;
          const remove = async (isDue: (index: number) => boolean): Promise<void> => {
            for (let index = 0; index < count; index += 1) {
              if (!isDue(index)) continue;
              const { status, code } = await open().delete(keyOf(index));
              assert.equal(status, 204, code);
            }
          };
          await remove((index) => index % 40 === 1);
          server.child.kill('SIGKILL');
          await server.ended;
          server = await startServer({ args });
          await remove((index) => isDeletedFirst(index) || index % 4 === 2);
          const endMs = performance.now() + resumesWithinMs;
          while ((await open().put('again', contentOf(4))).status !== 200) {
            assert.ok(performance.now() < endMs, 'no put is taken again');
            await sleep(100);
          }
          const kept = Array.from({ length: count }, (_, index) => index).filter(
            (index) => index % 4 === 0 || index % 4 === 3,
          );
          assert.deepEqual((await open().keys()).sort(), ['again', ...kept.map(keyOf)]);
          for (const index of kept) {
            const { status, body } = await open().get(keyOf(index));
            assert.ok(status === 200 && body.equals(contentOf(index)), keyOf(index));
          }
        } finally {
          await server.stop();
        }
      });
    });
  }
});
