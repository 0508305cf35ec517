// What follows from rows beside the rows themselves: how often each blob and manifest is referenced, which blobs have
// become garbage, and how much of each segment of the journal is live. Facts (facts.ts) say which row comes and which goes;
// what that means for the counts is decided here, in one of two ways:
//
//   countReferences(view)   counts at once: at every commit, and when recovery goes on from a checkpoint.
//   settledLater            counts nothing: while the index is rebuilt from the whole journal. Compaction has then taken
//                           part of the history away, so that counting along would be wrong; settle-references.ts counts
//                           once at the end, from the rows alone. Until then no manifest is dropped.
//
// A blob is referenced by versions and parts directly, and by a manifest for all that share the manifest. At zero it moves
// to the garbage rows, from which blobs/blob-reaper.ts removes the bytes.

import { factRecordSize } from '../journal/record-layout.ts';
import type { IndexView } from '../ordered-index/ordered-index.ts';
import { blobKey, keyspace, manifestKey, segmentKey } from './index-keys.ts';
import { manifestPart, manifestPartCount, referencesOf, withReferences } from './manifest.ts';
import { decodePartRow } from './upload-rows.ts';
import { bodySizeOf, isInJournal, locationOf, segmentOf } from './version-row.ts';

export interface References {
  /** A version comes to stand at an object's key. */
  versionAdded(key: Buffer, row: Buffer): void;
  /** A version goes. What it shares with one that comes must have been added before. */
  versionDropped(key: Buffer, row: Buffer): void;
  partAdded(row: Buffer): void;
  partDropped(row: Buffer): void;
  /** A manifest comes, with as many references as its row says; it references its blobs until the last of them goes. */
  manifestAdded(row: Buffer): void;
}

export const settledLater: References = {
  versionAdded: () => undefined,
  versionDropped: () => undefined,
  partAdded: () => undefined,
  partDropped: () => undefined,
  manifestAdded: () => undefined,
};

/** Counts into a view. The counts of segments are gathered, one row each: `settle` writes them. */
export function countReferences(view: IndexView): CountedReferences {
  return new CountedReferences(view);
}

/** What a version takes in its segment, if its body lies in the journal: such records are what the live counters count. */
export function liveRecordBytes(key: Buffer, row: Buffer): number {
  return factRecordSize({ keySizeBytes: key.length, rowSizeBytes: row.length, bodySizeBytes: bodySizeOf(row) });
}

export function decodeLiveBytes(row: Buffer | undefined): number {
  return row === undefined ? 0 : row.readUIntBE(0, 6);
}

class CountedReferences implements References {
  readonly #view: IndexView;
  /** By segment, how many live bytes were won or lost. */
  readonly #liveBytes = new Map<number, number>();
  #deadBytes = 0;

  constructor(view: IndexView) {
    this.#view = view;
  }

  /** Bytes of records that were live and are not any more. */
  get deadBytes(): number {
    return this.#deadBytes;
  }

  versionAdded(key: Buffer, row: Buffer): void {
    if (isInJournal(row)) {
      this.#addLive(segmentOf(row), liveRecordBytes(key, row));
      return;
    }
    const location = locationOf(row);
    if (location.kind === 'blob') this.#addBlob(location.blobId);
    if (location.kind === 'manifest') this.#addManifest(location.manifestId);
  }

  versionDropped(key: Buffer, row: Buffer): void {
    if (isInJournal(row)) {
      const sizeBytes = liveRecordBytes(key, row);
      this.#addLive(segmentOf(row), -sizeBytes);
      this.#deadBytes += sizeBytes;
      return;
    }
    const location = locationOf(row);
    if (location.kind === 'blob') this.#dropBlob(location.blobId);
    if (location.kind === 'manifest') this.#dropManifest(location.manifestId);
  }

  partAdded(row: Buffer): void {
    this.#addBlob(decodePartRow(row).blobId);
  }

  partDropped(row: Buffer): void {
    this.#dropBlob(decodePartRow(row).blobId);
  }

  manifestAdded(row: Buffer): void {
    for (let index = 0; index < manifestPartCount(row); index += 1) this.#addBlob(manifestPart(row, index).blobId);
  }

  /** Writes the counters of segments. To be called once, when all facts of the view are applied. */
  settle(): void {
    for (const [segment, change] of this.#liveBytes) {
      if (change === 0) continue;
      const key = segmentKey(segment);
      const current = this.#view.get(key);
      const liveBytes = decodeLiveBytes(current) + change;
      if (liveBytes > 0) this.#view.put(key, encodeLiveBytes(liveBytes));
      else if (current !== undefined) this.#view.delete(key);
    }
    this.#liveBytes.clear();
  }

  #addLive(segment: number, sizeBytes: number): void {
    this.#liveBytes.set(segment, (this.#liveBytes.get(segment) ?? 0) + sizeBytes);
  }

  #addManifest(manifestId: number): void {
    const key = manifestKey(manifestId);
    const manifest = this.#view.get(key);
    if (manifest !== undefined) this.#view.put(key, withReferences(manifest, referencesOf(manifest) + 1));
  }

  #dropManifest(manifestId: number): void {
    const key = manifestKey(manifestId);
    const manifest = this.#view.get(key);
    if (manifest === undefined) return;
    const references = referencesOf(manifest) - 1;
    if (references > 0) {
      this.#view.put(key, withReferences(manifest, references));
      return;
    }
    for (let index = 0; index < manifestPartCount(manifest); index += 1) {
      this.#dropBlob(manifestPart(manifest, index).blobId);
    }
    this.#view.delete(key);
  }

  #addBlob(blobId: Buffer): void {
    const key = blobKey(keyspace.blob, blobId);
    this.#view.put(key, encodeCount(decodeCount(this.#view.get(key)) + 1));
  }

  #dropBlob(blobId: Buffer): void {
    const key = blobKey(keyspace.blob, blobId);
    const count = decodeCount(this.#view.get(key)) - 1;
    if (count > 0) {
      this.#view.put(key, encodeCount(count));
      return;
    }
    this.#view.delete(key);
    this.#view.put(blobKey(keyspace.garbage, blobId), noBytes);
  }
}

const noBytes = Buffer.alloc(0);

function decodeCount(row: Buffer | undefined): number {
  return row === undefined ? 0 : row.readUInt32BE(0);
}

function encodeCount(count: number): Buffer {
  const row = Buffer.allocUnsafe(4);
  row.writeUInt32BE(count, 0);
  return row;
}

export function encodeLiveBytes(liveBytes: number): Buffer {
  const row = Buffer.allocUnsafe(6);
  row.writeUIntBE(liveBytes, 0, 6);
  return row;
}
