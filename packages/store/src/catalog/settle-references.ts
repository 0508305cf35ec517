// Works out, from the rows alone, what the counts and lists of the index are to be: how often each manifest and each blob
// is referenced, which blobs nothing references any more, and how much of each segment is live. For an index that was rebuilt: counting along while records are
// missing would leave counts that are too low, and with them the bytes of objects that still stand would go.
//
// Memory is bounded: rows are read in pages, and counts are kept in the index itself.

import type { IndexRange, OrderedIndex } from '../ordered-index/ordered-index.ts';
import { PendingView } from '../ordered-index/pending-view.ts';
import { type IndexRow, rowPages } from '../ordered-index/row-pages.ts';
import { decodeBucketRow } from './bucket-row.ts';
import {
  blobKey,
  bucketIdOf,
  keyspace,
  manifestKey,
  parseUploadKey,
  segmentKey,
  uploadSequenceOf,
  wholeKeyspace,
} from './index-keys.ts';
import { manifestPart, manifestPartCount, referencesOf, withReferences } from './manifest.ts';
import { encodeLiveBytes, liveRecordBytes } from './references.ts';
import { decodePartRow } from './upload-rows.ts';
import { locationOf } from './version-row.ts';

/** Changes applied at once. One row may add as many as a manifest has parts. */
const maxPendingChanges = 10_000;

interface SettleOptions {
  /**
   * Whether the rows are those of the whole journal. False when records are lost: then nothing is dropped and nothing is
   * garbage, because a record that is gone may have been what needs it.
   */
  readonly complete: boolean;
}

/** How many rows there are. */
export interface SettledRows {
  readonly buckets: number;
  readonly objects: number;
  readonly uploads: number;
}

/** Sets all that is counted right, and drops rows that have nobody left. Nothing else may change the index meanwhile. */
export async function settleReferences(index: OrderedIndex, { complete }: SettleOptions): Promise<SettledRows> {
  const settling = new Settling(index);
  if (complete) await settling.dropStrays();
  await settling.each(wholeKeyspace(keyspace.blob), ({ key }) => settling.view.delete(key));
  await settling.each(wholeKeyspace(keyspace.segment), ({ key }) => settling.view.delete(key));
  await settling.each(wholeKeyspace(keyspace.manifest), ({ key, value }) => {
    if (referencesOf(value) !== 0) settling.view.put(key, withReferences(value, 0));
  });
  const buckets = await settling.each(wholeKeyspace(keyspace.bucket), () => undefined);
  const uploads = await settling.each(wholeKeyspace(keyspace.upload), () => undefined);
  const objects = await settling.each(wholeKeyspace(keyspace.object), (row) => settling.countVersion(row));
  await settling.each(wholeKeyspace(keyspace.part), ({ value }) => settling.countBlob(decodePartRow(value).blobId));
  await settling.each(wholeKeyspace(keyspace.manifest), (row) => settling.countManifest(row, complete));
  await settling.each(wholeKeyspace(keyspace.garbage), ({ key }) => {
    const referenced = settling.view.get(blobKey(keyspace.blob, key.subarray(1))) !== undefined;
    if (referenced || !complete) settling.view.delete(key);
  });
  settling.writeLiveBytes();
  return { buckets, objects, uploads };
}

class Settling {
  readonly #index: OrderedIndex;
  readonly #liveBytes = new Map<number, number>();
  view: PendingView;

  constructor(index: OrderedIndex) {
    this.#index = index;
    this.view = new PendingView(index);
  }

  /** Visits the rows of a range and applies what comes of it; the rows visited are those from before. Answers their number. */
  async each(range: IndexRange, visit: (row: IndexRow) => void): Promise<number> {
    let count = 0;
    for (const page of rowPages(this.#index, range)) {
      for (const row of page) {
        visit(row);
        if (this.view.changes.size >= maxPendingChanges) this.#apply();
      }
      this.#apply();
      count += page.length;
      await new Promise(setImmediate); // a rebuild takes minutes: signals and progress are to be heard
    }
    return count;
  }

  /** Uploads without a bucket and parts without an upload: what their end took along is not said of each in the journal. */
  async dropStrays(): Promise<void> {
    const buckets = new Set<number>();
    await this.each(wholeKeyspace(keyspace.bucket), ({ value }) => void buckets.add(decodeBucketRow('', value).id));
    const uploads = new Set<number>();
    await this.each(wholeKeyspace(keyspace.upload), ({ key }) => {
      if (buckets.has(bucketIdOf(key))) uploads.add(parseUploadKey(key).uploadSequence);
      else this.view.delete(key);
    });
    await this.each(wholeKeyspace(keyspace.part), ({ key, value }) => {
      if (uploads.has(uploadSequenceOf(key))) return;
      this.view.delete(key);
      this.view.put(blobKey(keyspace.garbage, decodePartRow(value).blobId), noBytes);
    });
  }

  countVersion({ key, value }: IndexRow): void {
    const location = locationOf(value);
    if (location.kind === 'journal') {
      const liveBytes = this.#liveBytes.get(location.segment) ?? 0;
      this.#liveBytes.set(location.segment, liveBytes + liveRecordBytes(key, value));
    }
    if (location.kind === 'blob') this.countBlob(location.blobId);
    if (location.kind !== 'manifest') return;
    const manifestRow = manifestKey(location.manifestId);
    const manifest = this.view.get(manifestRow);
    // One that is missing was lost with its record: reading the object says so.
    if (manifest !== undefined) this.view.put(manifestRow, withReferences(manifest, referencesOf(manifest) + 1));
  }

  countManifest({ key, value }: IndexRow, complete: boolean): void {
    const kept = referencesOf(value) > 0 || !complete;
    for (let index = 0; index < manifestPartCount(value); index += 1) {
      const { blobId } = manifestPart(value, index);
      if (kept) this.countBlob(blobId);
      else this.view.put(blobKey(keyspace.garbage, blobId), noBytes);
    }
    if (!kept) this.view.delete(key);
  }

  writeLiveBytes(): void {
    for (const [segment, liveBytes] of this.#liveBytes) this.view.put(segmentKey(segment), encodeLiveBytes(liveBytes));
    this.#apply();
  }

  countBlob(blobId: Buffer): void {
    const key = blobKey(keyspace.blob, blobId);
    const count = Buffer.alloc(4);
    count.writeUInt32BE((this.view.get(key)?.readUInt32BE(0) ?? 0) + 1, 0);
    this.view.put(key, count);
  }

  #apply(): void {
    if (this.view.changes.size === 0) return;
    this.#index.apply(this.view.changes);
    this.view = new PendingView(this.#index);
  }
}

const noBytes = Buffer.alloc(0);
