// The index can always be made anew: the same listing, the same bytes, the same counts, whatever happened before.

import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  completionOf,
  createBucket,
  listKeys,
  patternBytes,
  plainAttributes,
  put,
  putPart,
  readAll,
  storeError,
} from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore } from '../disk-store-options.ts';
import type { MultipartUpload } from '../object-store.ts';
import { flipByte, segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import { checkStore } from './check-store.ts';
import { rebuildStore } from './rebuild-store.ts';

/** Small ones, so that a short history fills several segments and compaction has something to do. */
const sizes = { segmentSizeBytes: 60_000, maxInlineBytes: 4096, checkpointEveryBytes: 100_000 } as const;

/** A random history of everything that changes a store. */
async function live(store: DiskStore, random: () => number): Promise<void> {
  const pick = (count: number): number => Math.floor(random() * count);
  const key = (): string => `${pick(3)}/${pick(12)}`;
  const open: MultipartUpload[] = [];
  for (let step = 0; step < 150; step += 1) {
    const kind = pick(21);
    if (kind < 9) await put(store, key(), patternBytes(pick(6000), step));
    else if (kind < 11) await put(store, key(), patternBytes(5000 + pick(50_000), step));
    else if (kind < 14) await store.deleteObject({ bucket: 'bucket', key: key() });
    else if (kind < 16) {
      const source = store.headObject({ bucket: 'bucket', key: key() });
      if (source === undefined) continue;
      await store.copyObject({ bucket: 'bucket', key: key(), attributes: plainAttributes, source });
    } else if (kind < 18) {
      const upload = await store.createUpload({
        bucket: 'bucket',
        key: key(),
        attributes: plainAttributes,
        initiator: 'i',
      });
      await putPart(store, upload, 2, patternBytes(pick(9000), step));
      await putPart(store, upload, 2, patternBytes(pick(9000), step + 1));
      open.push(upload);
    } else if (kind < 19) {
      const upload = open.pop();
      if (upload === undefined) continue;
      const { parts } = store.listParts({ ...upload, after: 0, limit: 10 });
      await store.completeUpload(completionOf(upload, parts));
    } else if (kind < 20) {
      const upload = open.shift();
      if (upload !== undefined) await store.abortUpload(upload);
    } else {
      // A bucket takes its unfinished uploads along when it goes.
      await store.createBucket({ name: 'short-lived', owner: 'o', region: 'r' });
      const address = { bucket: 'short-lived', key: key(), attributes: plainAttributes, initiator: 'i' };
      await putPart(store, await store.createUpload(address), 1, patternBytes(pick(9000), step));
      await store.deleteBucket('short-lived');
    }
  }
}

/** All that a reader can see. */
async function look(store: DiskStore): Promise<unknown> {
  const objects = [];
  for (const key of listKeys(store)) {
    const bytes = await readAll(store, key);
    objects.push({ head: store.headObject({ bucket: 'bucket', key }), bytes: bytes?.toString('base64') });
  }
  const page = { bucket: 'bucket', prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 1000 };
  const { uploads } = store.listUploads(page);
  return { objects, uploads, parts: uploads.map((upload) => store.listParts({ ...upload, after: 0, limit: 100 })) };
}

describe('rebuilding an index', () => {
  const firstSeed = Date.now() % 1_000_000;
  for (const seed of [firstSeed, firstSeed + 1, firstSeed + 2]) {
    it(`answers the same afterwards, and counts the same: seed ${seed}`, async () => {
      await withDataFolder(async (directory) => {
        let state = seed;
        const random = (): number => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
          return state / 0x7fff_ffff;
        };
        let store = await openDiskStore({ directory, sizes, compaction: 'on demand' });
        await createBucket(store);
        await live(store, random);
        const cursor = await store.openCursor('reader', { start: 'oldest' });
        const changes = await cursor.read({ limit: 40, signal: AbortSignal.timeout(10_000) });
        await cursor.acknowledge(changes.at(-1)?.sequence ?? 0);
        await cursor.close();
        await store.compact();
        await live(store, random);
        await store.close();
        const checked = await checkStore({ directory });
        assert.ok(checked.clean, `what commits have counted is what rows say: ${JSON.stringify(checked.findings)}`);
        store = await openDiskStore({ directory, sizes, compaction: 'on demand' });
        const seen = await look(store);
        await store.compact();
        await store.close();
        const told: number[] = [];
        const summary = await rebuildStore({
          directory,
          onProgress: ({ doneBytes, totalBytes }) => told.push(doneBytes / totalBytes),
        });
        assert.deepEqual(summary.damage, []);
        assert.equal(summary.formerIndex, undefined);
        assert.equal(told.at(-1), 1);
        assert.ok((await checkStore({ directory })).clean);
        store = await openDiskStore({ directory, sizes });
        assert.deepEqual(await look(store), seen);
        assert.equal(summary.objects, listKeys(store).length);
        await put(store, 'after', 'rebuilding');
        await store.close();
        assert.ok((await checkStore({ directory })).clean);
      });
    });
  }

  it('mends an index of nonsense, or none, and refuses a store that is open', async () => {
    await withDataFolder(async (directory) => {
      let store = await openDiskStore({ directory });
      await createBucket(store);
      await put(store, 'key', 'bytes');
      await assert.rejects(rebuildStore({ directory }), storeError('Locked'));
      await store.close();
      for (const name of ['data.mdb', 'checkpoint'])
        await writeFile(join(directory, 'index', name), patternBytes(50_000));
      assert.equal((await rebuildStore({ directory })).objects, 1);
      await rm(join(directory, 'index'), { recursive: true });
      assert.equal((await rebuildStore({ directory })).objects, 1);
      assert.deepEqual((await readdir(directory)).includes('check'), false);
      store = await openDiskStore({ directory });
      assert.equal(String(await readAll(store, 'key')), 'bytes');
      await store.close();
    });
  });

  it('keeps the former index when the journal is damaged: it may know what is lost', async () => {
    await withDataFolder(async (directory) => {
      const store = await openDiskStore({ directory });
      await createBucket(store);
      for (const key of ['key-a', 'key-b', 'key-c']) await put(store, key, patternBytes(2000, 1));
      await store.close();
      const [segment = ''] = await segmentPaths(directory);
      await flipByte(segment, (await readFile(segment)).indexOf('key-b'));
      const { objects, damage, formerIndex } = await rebuildStore({ directory, clock: () => 42 });
      assert.equal(objects, 2);
      assert.equal(damage.length, 1);
      assert.equal(formerIndex, 'quarantine/index-42');
      const kept = (await readdir(join(directory, 'quarantine'))).filter((name) => name.startsWith('index-42-'));
      assert.deepEqual(kept.sort(), ['index-42-checkpoint', 'index-42-data.mdb', 'index-42-data.mdb-lock']);
    });
  });
});
