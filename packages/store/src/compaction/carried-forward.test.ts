// One by one, what compaction must carry forward: each in a segment of its own, so that removing the segment alone would
// bring back what was gone, or lose what stands. Random histories are rebuild-after-compaction.test.ts.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { applyFact, encodeDeletion } from '../catalog/facts.ts';
import { bucketKey, keyspace, manifestKey, objectKey, partKey } from '../catalog/index-keys.ts';
import { encodeManifest } from '../catalog/manifest.ts';
import { countReferences } from '../catalog/references.ts';
import { encodePartRow } from '../catalog/upload-rows.ts';
import { encodeVersionRow } from '../catalog/version-row.ts';
import {
  completionOf,
  createBucket,
  patternBytes,
  plainAttributes,
  put,
  putPart,
} from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore, DiskStoreOptions } from '../disk-store-options.ts';
import { MemoryIndex } from '../ordered-index/memory-index.ts';
import { copyAsCrashed, segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import { faultyDisk } from '../testing/faulty-disk.ts';
import { dumpIndex } from '../testing/index-dump.ts';
import { keepDeletion, keepRow } from './relocation.ts';

const sizes = { segmentSizeBytes: 3000, zeroAheadBytes: 1024, reserveSizeBytes: 65_536 };
const address = { bucket: 'bucket', key: 'key' };

function open(directory: string, more: Partial<DiskStoreOptions> = {}): Promise<DiskStore> {
  return openDiskStore({ directory, sizes, compaction: 'on demand', ...more });
}

async function currentSegment(directory: string): Promise<number> {
  return Number.parseInt((await segmentPaths(directory)).at(-1)?.slice(-10) ?? '', 10);
}

/** Puts other things until the journal goes on in a new segment. Answers the number of the one that is full. */
async function endSegment(store: DiskStore, directory: string): Promise<number> {
  const full = await currentSegment(directory);
  for (let count = 0; (await currentSegment(directory)) === full; count += 1) {
    await put(store, `filler-${count}`, patternBytes(700, count)); // those of earlier segments die by it
  }
  return full;
}

/** A rebuild from the journal alone comes to the same rows. */
async function checkRebuilt(directory: string): Promise<void> {
  const copy = await copyAsCrashed(directory, 'rebuilt');
  const rows = await dumpIndex(copy);
  await rm(join(copy, 'index'), { recursive: true });
  const store = await open(copy);
  assert.deepEqual(store.health().damage, []);
  await store.close();
  assert.deepEqual(await dumpIndex(copy), rows);
}

interface Scenario {
  begin(store: DiskStore): Promise<unknown>;
  end(store: DiskStore): Promise<unknown>;
}

const upload = { ...address, attributes: plainAttributes, initiator: 'i' };

async function beginUpload(store: DiskStore): Promise<void> {
  const begun = await store.createUpload(upload);
  await putPart(store, begun, 1, patternBytes(100));
}

function openUpload(store: DiskStore, bucket = 'bucket') {
  const page = { bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 1 };
  const [found] = store.listUploads(page).uploads;
  assert.ok(found !== undefined);
  return found;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  'a deleted object': {
    begin: (store) => put(store, 'key', 'x'),
    end: (store) => store.deleteObject(address),
  },
  'an object that is replaced and deleted again': {
    begin: (store) => put(store, 'key', 'x'),
    async end(store) {
      await store.deleteObject(address);
      await put(store, 'key', 'y');
      await store.deleteObject(address);
    },
  },
  'the end of a completed upload, with its manifest': {
    begin: beginUpload,
    async end(store) {
      const found = openUpload(store);
      await store.completeUpload(completionOf(found, store.listParts({ ...found, after: 0, limit: 9 }).parts));
    },
  },
  'a manifest that only a copy names any more': {
    begin: beginUpload,
    async end(store) {
      await scenarios['the end of a completed upload, with its manifest']?.end(store);
      const source = store.headObject(address);
      assert.ok(source !== undefined);
      await store.copyObject({ bucket: 'bucket', key: 'copy', attributes: plainAttributes, source });
      await store.deleteObject(address);
    },
  },
  'an aborted upload': { begin: beginUpload, end: (store) => store.abortUpload(openUpload(store)) },
  'a part that is replaced': {
    begin: beginUpload,
    end: (store) => putPart(store, openUpload(store), 1, patternBytes(50)),
  },
  'a deleted bucket, with its uploads': {
    async begin(store) {
      await createBucket(store, 'other');
      const begun = await store.createUpload({ ...upload, bucket: 'other' });
      await putPart(store, begun, 1, patternBytes(100));
    },
    end: (store) => store.deleteBucket('other'),
  },
  'a bucket that is configured anew': {
    begin: (store) => createBucket(store, 'other'),
    end: (store) => store.putBucketConfiguration('other', 'cors', { rules: [] }),
  },
  'a cursor that is removed': {
    begin: async (store) => (await store.openCursor('cursor', { start: 'now' })).close(),
    end: async (store) => (await store.openCursor('cursor', { start: 'now' })).remove(),
  },
};

describe('what compaction carries forward', () => {
  for (const [name, { begin, end }] of Object.entries(scenarios)) {
    it(name, async () => {
      await withDataFolder(async (directory) => {
        const store = await open(directory);
        await createBucket(store);
        await begin(store);
        await endSegment(store, directory);
        await end(store);
        const ended = await endSegment(store, directory);
        const { removedSegments } = await store.compact([ended]);
        assert.equal(removedSegments, 1);
        await checkRebuilt(directory);
        // What was carried is carried again.
        const again = await endSegment(store, directory);
        assert.equal((await store.compact([again])).removedSegments, 1);
        await checkRebuilt(directory);
        // And whatever an older segment says when it goes at last, too.
        assert.ok((await store.compact([1])).removedSegments === 1);
        await checkRebuilt(directory);
        await store.close();
      });
    });
  }

  it('the latest of two deletions that come to lie in one segment', async () => {
    await withDataFolder(async (directory) => {
      const store = await open(directory);
      await createBucket(store);
      const remove = (): Promise<unknown> => store.deleteObject(address);
      await put(store, 'key', 'first');
      await endSegment(store, directory); // stands to the end
      await remove();
      const first = await endSegment(store, directory);
      await store.compact([first]);
      const firstCarried = await endSegment(store, directory);
      await put(store, 'key', 'second');
      await endSegment(store, directory); // stands to the end
      await remove();
      const second = await endSegment(store, directory);
      await store.compact([firstCarried]);
      await store.compact([second]);
      const both = await endSegment(store, directory);
      assert.equal((await store.compact([both])).removedSegments, 1);
      await checkRebuilt(directory);
      await store.close();
    });
  });

  it('all the same when a batch finds no room at first', async () => {
    await withDataFolder(async (directory) => {
      let failing = false;
      const disk = faultyDisk(nodeDisk, ({ kind, path }) => {
        if (!failing || kind !== 'write' || !path.endsWith('.seg')) return undefined;
        failing = false;
        return 'ENOSPC';
      });
      const store = await open(directory, { disk });
      await createBucket(store);
      const full = await endSegment(store, directory);
      failing = true;
      assert.equal((await store.compact([full])).removedSegments, 1);
      assert.equal(failing, false);
      await checkRebuilt(directory);
      await store.close();
    });
  });
});

describe('operations of compaction', () => {
  const moment = { sequence: 9, nowMs: 0, random: (sizeBytes: number) => Buffer.alloc(sizeBytes) };

  it('leave behind what was replaced or deleted before their commit', () => {
    const index = new MemoryIndex();
    const key = objectKey(1, 'key');
    const row = Buffer.from('row');
    assert.deepEqual(keepRow({ key, row, body: undefined }).judge(index, moment), { result: false });
    index.put(key, Buffer.from('another'));
    assert.deepEqual(keepRow({ key, row, body: undefined }).judge(index, moment), { result: false });
    assert.deepEqual(keepDeletion({ key, lsn: 5 }).judge(index, moment), { result: false });
    index.put(key, row);
    const kept = keepRow({ key, row, body: undefined }).judge(index, moment);
    assert.deepEqual(kept, { fact: { type: 'rowKept', key, row }, result: true });
    assert.notEqual(kept.fact?.row, row, 'the journal writes into it');
  });
});

describe('facts of compaction', () => {
  const blobId = Buffer.alloc(10, 7);
  const blobRow = Buffer.concat([Buffer.of(keyspace.blob), blobId]);
  const version = {
    sequence: 20,
    sizeBytes: 5,
    lastModifiedMs: 1,
    etag: 'e',
    checksum: undefined,
    attributes: plainAttributes,
  };

  it('set an index right that lacks the record which they stand for', () => {
    const manifest = encodeManifest({
      completionHash: Buffer.alloc(16),
      checksumSizeBytes: 0,
      parts: [{ partNumber: 1, start: 0, sizeBytes: 5, blobId, checksum: Buffer.alloc(0) }],
    });
    const kept = [
      [objectKey(1, 'key'), encodeVersionRow({ ...version, location: { kind: 'blob', blobId } })],
      [partKey(1, 1), encodePartRow({ blobId, sizeBytes: 5, lastModifiedMs: 1, etag: 'e', checksum: '' })],
      [manifestKey(1), manifest],
    ] as const;
    for (const [key, row] of kept) {
      const index = new MemoryIndex();
      for (const _ of [1, 2]) applyFact({ type: 'rowKept', key, row }, index, countReferences(index));
      assert.ok(index.get(key)?.equals(row));
      assert.equal(index.get(blobRow)?.readUInt32BE(0), 1, 'counted once, however often it is said');
    }
  });

  it('never remove what is younger than the deletion', () => {
    const index = new MemoryIndex();
    const key = objectKey(1, 'key');
    index.put(key, encodeVersionRow({ ...version, location: { kind: 'empty' } }));
    index.put(
      bucketKey('bucket'),
      Buffer.concat([encodeDeletion(20), Buffer.alloc(6), Buffer.alloc(4), Buffer.from('\0\0\0\x02{}')]),
    );
    for (const at of [key, bucketKey('bucket')]) {
      applyFact({ type: 'rowGone', key: at, row: encodeDeletion(20) }, index, countReferences(index));
      assert.ok(index.get(at) !== undefined);
      applyFact({ type: 'rowGone', key: at, row: encodeDeletion(21) }, index, countReferences(index));
      assert.equal(index.get(at), undefined);
    }
  });
});
