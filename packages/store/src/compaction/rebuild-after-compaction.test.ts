// The claim that compaction rests on: whatever was removed, and whenever, a rebuild from what remains comes to the same rows.
// Random histories of everything a store does, with random segments compacted at random times, and reopenings and crashes.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  completionOf,
  createBucket,
  patternBytes,
  plainAttributes,
  put,
  putPart,
  readAll,
} from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore } from '../disk-store-options.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { MultipartUpload, Part } from '../object-store.ts';
import { copyAsCrashed, segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import { dumpIndex } from '../testing/index-dump.ts';
import { SeededRandom } from '../testing/seeded-random.ts';

// Segments of a few records each, and checkpoints rarely: short histories meet everything.
const sizes = { segmentSizeBytes: 3000, zeroAheadBytes: 1024, maxInlineBytes: 1500, reserveSizeBytes: 65_536 };
const histories = 8;
const steps = 120;

describe('rebuilding after compaction', () => {
  it('comes to the same rows, whatever was removed', async (context) => {
    const firstSeed = Math.floor(Math.random() * 2 ** 32);
    context.diagnostic(`seeds ${firstSeed} to ${firstSeed + histories - 1}`);
    let removed = 0;
    for (let count = 0; count < histories; count += 1) removed += await live(firstSeed + count);
    assert.ok(removed > 2 * histories, `${removed} segments were removed`);
  });
});

/** Runs one history; answers how many segments went. */
async function live(seed: number): Promise<number> {
  let removed = 0;
  await withDataFolder(async (directory) => {
    const history = new History(seed, directory);
    await history.open();
    for (let step = 0; step < steps; step += 1) await history.step();
    await history.rebuild();
    removed = history.removedSegments;
    await history.close();
  });
  return removed;
}

class History {
  removedSegments = 0;
  readonly #seed: number;
  readonly #random: SeededRandom;
  #directory: string;
  #store: DiskStore | undefined;
  #crashes = 0;
  /** What every bucket should hold. */
  readonly #model = new Map<string, Map<string, Buffer>>();
  readonly #uploads: {
    readonly upload: MultipartUpload;
    readonly parts: Map<number, { part: Part; bytes: Buffer }>;
  }[] = [];

  constructor(seed: number, directory: string) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#directory = directory;
  }

  async open(): Promise<void> {
    this.#store = await openDiskStore({ directory: this.#directory, sizes, compaction: 'on demand' });
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }

  async step(): Promise<void> {
    const action = this.#random.pickWeighted({
      createBucket: 3,
      configure: 2,
      deleteBucket: 1,
      put: 36,
      copy: 6,
      remove: 16,
      createUpload: 6,
      putPart: 10,
      complete: 7,
      abort: 2,
      compact: 14,
      rebuild: 5,
      reopen: 2,
      crash: 2,
    });
    await this[`${action}`]();
  }

  /** Everything is as the model says. */
  async check(store: DiskStore): Promise<void> {
    for (const [bucket, objects] of this.#model) {
      const page = { bucket, prefix: '', delimiter: '', after: '', limit: 1000 };
      const listed = store.listObjects(page).objects.map(({ key }) => key);
      assert.deepEqual(listed, [...objects.keys()].sort(), `seed ${this.#seed}`);
      for (const [key, bytes] of objects) assert.ok((await readAll(store, key, bucket))?.equals(bytes), key);
    }
  }

  async createBucket(): Promise<void> {
    const name = `bucket-${this.#random.below(2)}`;
    if (this.#model.has(name)) return;
    await createBucket(this.#opened, name);
    this.#model.set(name, new Map());
  }

  async configure(): Promise<void> {
    const bucket = this.#anyBucket();
    if (bucket !== undefined)
      await this.#opened.putBucketConfiguration(bucket, 'cors', { count: this.#random.below(3) });
  }

  async deleteBucket(): Promise<void> {
    const bucket = this.#anyBucket();
    if (bucket === undefined) return;
    for (const key of this.#model.get(bucket)?.keys() ?? []) await this.#opened.deleteObject({ bucket, key });
    await this.#opened.deleteBucket(bucket);
    this.#model.delete(bucket);
    const kept = this.#uploads.filter(({ upload }) => upload.bucket !== bucket);
    this.#uploads.splice(0, this.#uploads.length, ...kept);
  }

  async put(): Promise<void> {
    const bucket = this.#anyBucket();
    if (bucket === undefined) return;
    const key = this.#anyKey();
    const bytes = this.#anyBytes(this.#random.chance(0.1) ? 3000 : 900);
    await put(this.#opened, key, bytes, { bucket });
    this.#model.get(bucket)?.set(key, bytes);
  }

  async copy(): Promise<void> {
    const bucket = this.#anyBucket();
    const source = bucket === undefined ? undefined : this.#opened.headObject({ bucket, key: this.#anyKey() });
    if (bucket === undefined || source === undefined) return;
    const key = this.#anyKey();
    await this.#opened.copyObject({ bucket, key, attributes: plainAttributes, source });
    const objects = this.#model.get(bucket);
    objects?.set(key, objects.get(source.key) ?? Buffer.alloc(0));
  }

  async remove(): Promise<void> {
    const bucket = this.#anyBucket();
    if (bucket === undefined) return;
    const key = this.#anyKey();
    await this.#opened.deleteObject({ bucket, key });
    this.#model.get(bucket)?.delete(key);
  }

  async createUpload(): Promise<void> {
    const bucket = this.#anyBucket();
    if (bucket === undefined) return;
    const create = { bucket, key: this.#anyKey(), attributes: plainAttributes, initiator: 'i' };
    this.#uploads.push({ upload: await this.#opened.createUpload(create), parts: new Map() });
  }

  async putPart(): Promise<void> {
    if (this.#uploads.length === 0) return;
    const { upload, parts } = this.#random.pick(this.#uploads);
    const number = this.#random.between(1, 3);
    const bytes = patternBytes(this.#random.between(1, 600), this.#random.below(1e6)); // no part but the last may be empty
    parts.set(number, { part: await putPart(this.#opened, upload, number, bytes), bytes });
  }

  async complete(): Promise<void> {
    const found = this.#uploads.find(({ parts }) => parts.size > 0);
    if (found === undefined) return;
    this.#uploads.splice(this.#uploads.indexOf(found), 1);
    const parts = [...found.parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    const { bucket, key } = found.upload;
    await this.#opened.completeUpload(
      completionOf(
        found.upload,
        parts.map(({ part }) => part),
      ),
    );
    this.#model.get(bucket)?.set(key, Buffer.concat(parts.map(({ bytes }) => bytes)));
  }

  async abort(): Promise<void> {
    const found = this.#uploads.pop();
    if (found !== undefined) await this.#opened.abortUpload(found.upload);
  }

  async compact(): Promise<void> {
    const names = (await segmentPaths(this.#directory)).map((path) => segmentNumber(path.slice(-10)) ?? 0);
    const some = names.filter(() => this.#random.chance(0.4));
    const result = await this.#opened.compact(this.#random.chance(0.2) ? undefined : some);
    this.removedSegments += result.removedSegments;
  }

  /** Holds what a rebuild from the journal alone comes to against the rows as they are. */
  async rebuild(): Promise<void> {
    await this.close();
    const rows = await dumpIndex(this.#directory);
    const copy = await copyAsCrashed(this.#directory, 'rebuilt');
    await rm(join(copy, 'index'), { recursive: true });
    const store = await openDiskStore({ directory: copy, sizes, compaction: 'on demand' });
    assert.deepEqual(store.health().damage, [], `seed ${this.#seed}`);
    await this.check(store);
    await store.close();
    assert.deepEqual(await dumpIndex(copy), rows, `seed ${this.#seed}`);
    await this.open();
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  async crash(): Promise<void> {
    this.#crashes += 1;
    const copy = await copyAsCrashed(this.#directory, `crash-${this.#crashes}`);
    await this.close();
    this.#directory = copy;
    await this.open();
    await this.check(this.#opened);
  }

  get #opened(): DiskStore {
    assert.ok(this.#store !== undefined);
    return this.#store;
  }

  #anyBucket(): string | undefined {
    const names = [...this.#model.keys()];
    return names.length === 0 ? undefined : this.#random.pick(names);
  }

  #anyKey(): string {
    return `key-${this.#random.below(7)}`;
  }

  #anyBytes(maxSizeBytes: number): Buffer {
    return patternBytes(this.#random.below(maxSizeBytes), this.#random.below(1e6));
  }
}
