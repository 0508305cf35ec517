// Large bodies on disk: how much memory they pass through, and what becomes of many at once.

import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { blockSizeBytes } from './blobs/block-checksums.ts';
import { createBucket, patternBytes, plainAttributes, put, readAll, storeError } from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import type { DiskStore } from './disk-store-options.ts';
import type { BodyWriter, LentBytes, ObjectStore, PieceReader, StagedBody } from './object-store.ts';
import { smallReadBytes } from './read-buffers.ts';
import { blobPaths } from './testing/data-folder.ts';

const mebibyte = 1024 * 1024;

describe('disk store: many large bodies', () => {
  let directory: string;
  let store: DiskStore;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
    // Two pieces for everyone who writes, one large buffer for everyone who reads.
    const sizes = { pieceMemoryBytes: mebibyte / 2, readMemoryBytes: mebibyte / 4 };
    store = await openDiskStore({ directory, sizes });
    await createBucket(store);
  });
  after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('takes a hundred slow bodies side by side through the memory of two', async () => {
    const bodies = Array.from({ length: 100 }, (_, index) => patternBytes(mebibyte + 40_000 + index, index));
    const writers = bodies.map(() => store.stageBody({ maxSizeBytes: 2 * mebibyte, digests: ['MD5'] }));
    const stepBytes = 90_000;
    // Each gives a little in turn, as slow clients do; none may wait for one that is yet to send.
    for (let at = 0; at < 2 * mebibyte; at += stepBytes) {
      await Promise.all(writers.map((writer, index) => writeStep(writer, bodies[index], at, stepBytes)));
    }
    await Promise.all(writers.map((writer, index) => putStaged(store, `slow-${index}`, writer)));
    for (const [index, body] of bodies.entries()) {
      assert.ok((await readAll(store, `slow-${index}`))?.equals(body), `body ${index}`);
    }
  });

  it('lets go of the memory of bodies that are given up', async () => {
    const before = await blobPaths(directory);
    for (let round = 0; round < 10; round += 1) {
      const writer = store.stageBody({ maxSizeBytes: 4 * mebibyte, digests: ['MD5'] });
      await writer.write(patternBytes(1_300_000));
      await writer.discard();
    }
    assert.deepEqual(await blobPaths(directory), before);
    await put(store, 'after', patternBytes(2 * mebibyte));
  });

  it('lets a body that waits for memory be given up', async () => {
    const hogs = [1, 2].map(() =>
      store.stageBody({ sizeBytes: 3 * mebibyte, maxSizeBytes: 3 * mebibyte, digests: [] }),
    );
    for (const hog of hogs) await hog.write(Buffer.alloc(10));
    const writer = store.stageBody({ sizeBytes: 3 * mebibyte, maxSizeBytes: 3 * mebibyte, digests: [] });
    const writing = writer.write(Buffer.alloc(mebibyte)); // waits for one of the two pieces
    await Promise.all([writing, ...hogs.map((hog) => hog.discard())]);
    await writer.discard();
  });

  it('serves many readers at once, each its own bytes', async () => {
    const bodies = [3, 4, 5].map((seed) => patternBytes(1_700_000 + seed, seed));
    for (const [index, body] of bodies.entries()) await put(store, `read-${index}`, body);
    const readers = Array.from({ length: 12 }, (_, number) => {
      const index = number % bodies.length;
      const object = store.openObject({ bucket: 'bucket', key: `read-${index}` });
      assert.ok(object !== undefined);
      return { object, pieces: object.pieces(), body: bodies[index] ?? Buffer.alloc(0) };
    });
    await Promise.all(
      readers.map(async ({ object, pieces, body }) => {
        assert.ok((await readSlowly(pieces)).equals(body));
        object.close();
      }),
    );
  });

  it('reads in small pieces when the memory is lent out', async () => {
    const object = store.openObject({ bucket: 'bucket', key: 'read-0' });
    assert.ok(object !== undefined);
    const first = await object.pieces().next();
    const second = await object.pieces().next();
    assert.equal(first?.bytes.length, 256 * 1024);
    assert.equal(second?.bytes.length, smallReadBytes);
    first?.giveBack();
    second?.giveBack();
    object.close();
  });
});

describe('disk store: the memory of small bodies', () => {
  const sizeBytes = 60_000;
  const stageSmall = async (store: ObjectStore): Promise<StagedBody> => {
    const writer = store.stageBody({ sizeBytes, maxSizeBytes: sizeBytes, digests: ['MD5'] });
    await writer.write(patternBytes(sizeBytes));
    return writer.finish();
  };
  const commit = (store: ObjectStore, body: StagedBody, bucket: string): Promise<unknown> =>
    store.putObject({ bucket, key: 'key', body, etag: 'e', attributes: plainAttributes });

  it('is counted until they are committed or given up: others go to files meanwhile', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
    // Room for one of them.
    const store = await openDiskStore({ directory, sizes: { gatherMemoryBytes: 100_000 } });
    await createBucket(store);
    const ends: [string, (body: StagedBody) => Promise<unknown>][] = [
      ['committed', (body) => commit(store, body, 'bucket')],
      ['refused', (body) => assert.rejects(commit(store, body, 'none'), storeError('NoSuchBucket'))],
      ['discarded', (body) => body.discard()],
    ];
    for (const [what, end] of ends) {
      const first = await stageSmall(store);
      assert.equal((await blobPaths(directory)).length, 0, `memory is back, before one is ${what}`);
      const second = await stageSmall(store);
      assert.equal((await blobPaths(directory)).length, 1, `the first still has its memory, before it is ${what}`);
      await second.discard();
      await end(first);
      await first.discard(); // does no harm, and gives nothing back twice
    }
    const writer = store.stageBody({ sizeBytes, maxSizeBytes: sizeBytes, digests: [] });
    await writer.write(patternBytes(10));
    await assert.rejects(writer.finish(), storeError('BodySizeMismatch'));
    const last = await stageSmall(store);
    const beside = await stageSmall(store);
    assert.equal((await blobPaths(directory)).length, 1, 'there is memory for one, and for no more');
    await Promise.all([last.discard(), beside.discard()]);
    await store.close();
    await rm(directory, { recursive: true });
  });
});

describe('disk store: a body of many blocks', () => {
  let directory: string;
  const sizeBytes = 40 * mebibyte + 5; // its checksums fill more than a page
  const body = patternBytes(sizeBytes, 9);
  let store: DiskStore;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-store-'));
    store = await openDiskStore({ directory });
    await createBucket(store);
    await put(store, 'long', body);
  });
  after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('reads ranges on both sides of a page of checksums, and across', async () => {
    const object = store.openObject({ bucket: 'bucket', key: 'long' });
    assert.ok(object !== undefined);
    const page = 32 * mebibyte;
    for (const [start, end] of [
      [page - 1, page],
      [page - 300_000, page + 300_000],
      [page - 10, page - 1],
      [page, page + 10],
      [sizeBytes - 1, sizeBytes - 1],
    ] as const) {
      const bytes = Buffer.from(await object.bytes({ start, end }));
      assert.ok(bytes.equals(body.subarray(start, end + 1)), `bytes ${start}-${end}`);
    }
    assert.ok((await readSlowly(object.pieces())).equals(body));
    object.close();
  });

  it('serves no block whose checksum was changed on the disk', async () => {
    await store.close();
    const [path] = await blobPaths(directory);
    const file = await open(path ?? '', 'r+');
    const badBlock = 1030;
    await file.write(Buffer.from([1, 2, 3, 4]), 0, 4, sizeBytes + badBlock * 4);
    await file.close();
    store = await openDiskStore({ directory });
    const object = store.openObject({ bucket: 'bucket', key: 'long' });
    assert.ok(object !== undefined);
    const start = badBlock * blockSizeBytes;
    await assert.rejects(async () => object.pieces({ start, end: start }).next(), storeError('Corrupt'));
    const before = await object.pieces({ start: start - 5, end: start - 1 }).next();
    assert.ok(Buffer.from(before?.bytes ?? []).equals(body.subarray(start - 5, start)));
    before?.giveBack();
    object.close();
  });
});

async function writeStep(writer: BodyWriter, body: Buffer | undefined, at: number, stepBytes: number): Promise<void> {
  const bytes = body?.subarray(at, at + stepBytes);
  if (bytes !== undefined && bytes.length > 0) await writer.write(bytes);
}

async function putStaged(store: ObjectStore, key: string, writer: BodyWriter): Promise<void> {
  const body = await writer.finish();
  const etag = Buffer.from(body.digests.get('MD5') ?? []).toString('hex');
  await store.putObject({ bucket: 'bucket', key, body, etag, attributes: plainAttributes });
}

/** Reads one piece ahead and gives each back a little later, as a socket does. */
async function readSlowly(pieces: PieceReader): Promise<Buffer> {
  const read: Buffer[] = [];
  let held: LentBytes | undefined;
  for (let next = pieces.next(); next !== undefined; next = pieces.next()) {
    const piece = await next;
    await nextTurn();
    if (held !== undefined) {
      read.push(Buffer.from(held.bytes));
      held.giveBack();
    }
    held = piece;
  }
  if (held !== undefined) {
    read.push(Buffer.from(held.bytes));
    held.giveBack();
  }
  return Buffer.concat(read);
}
