// Facts: what a commit has established, as it stands in the journal, and what each does to the index. Applying a fact
// looks only at the fact and the index, so live commits and recovery do the same; it never fails and never judges
// (that is judge.ts, once, before the fact exists).
//
// A blob row counts references: from versions and parts directly, and from a manifest for all that share the manifest.
// At zero the blob moves to the garbage rows, from which blobs/blob-reaper.ts removes the bytes.

import type { IndexView } from '../ordered-index/ordered-index.ts';
import { decodeBucketRow } from './bucket-row.ts';
import {
  afterPrefix,
  blobKey,
  bucketIdOf,
  keyBytesOf,
  keyspace,
  manifestKey,
  parseUploadKey,
  partKey,
  uploadKey,
  uploadPrefix,
} from './index-keys.ts';
import { manifestPart, manifestPartCount, referencesOf, withReferences } from './manifest.ts';
import { decodePartRow } from './upload-rows.ts';
import { locationOf } from './version-row.ts';

/** Types of journal records that carry a fact, with their codes in the journal. */
export const factCodes = {
  bucketPut: 1,
  bucketDeleted: 2,
  objectPut: 3,
  objectDeleted: 4,
  uploadCreated: 5,
  partPut: 6,
  uploadCompleted: 7,
  uploadAborted: 8,
} as const satisfies Readonly<Record<string, number>>;

export type FactType = keyof typeof factCodes;

export interface Fact {
  readonly type: FactType;
  /** The index key that it is about. */
  readonly key: Buffer;
  /** The row that stands there afterwards; for a deletion, the row that stood there. */
  readonly row: Buffer;
  /** The manifest of a completed upload. */
  readonly manifest?: Buffer;
}

/** Applies a fact to the index. */
export function applyFact(fact: Fact, view: IndexView): void {
  appliers[fact.type](fact, view);
}

const appliers: Readonly<Record<FactType, (fact: Fact, view: IndexView) => void>> = {
  bucketPut({ key, row }, view) {
    view.put(key, row);
  },

  bucketDeleted({ key, row }, view) {
    const { id } = decodeBucketRow('', row);
    const uploads = uploadPrefix(id, '');
    for (const upload of keysWithin(view, uploads)) dropUpload(view, upload);
    view.delete(key);
  },

  objectPut({ key, row }, view) {
    // The new reference comes before the old one goes: both may be to the same bytes, when an object is copied onto itself.
    addReference(view, row);
    dropVersion(view, key);
    view.put(key, row);
  },

  objectDeleted({ key }, view) {
    dropVersion(view, key);
    view.delete(key);
  },

  uploadCreated({ key, row }, view) {
    view.put(key, row);
  },

  partPut({ key, row }, view) {
    addBlobReference(view, decodePartRow(row).blobId);
    const replaced = view.get(key);
    if (replaced !== undefined) dropBlobReference(view, decodePartRow(replaced).blobId);
    view.put(key, row);
  },

  uploadCompleted({ key, row, manifest }, view) {
    const location = locationOf(row);
    if (manifest === undefined || location.kind !== 'manifest') {
      throw new Error('A completed upload has no manifest in its record: the journal was written wrongly.');
    }
    for (let index = 0; index < manifestPartCount(manifest); index += 1) {
      addBlobReference(view, manifestPart(manifest, index).blobId);
    }
    dropUpload(view, uploadKey(bucketIdOf(key), keyBytesOf(key).toString(), location.manifestId));
    dropVersion(view, key);
    view.put(manifestKey(location.manifestId), manifest);
    view.put(key, row);
  },

  uploadAborted({ key }, view) {
    dropUpload(view, key);
  },
};

function addReference(view: IndexView, row: Buffer): void {
  const location = locationOf(row);
  if (location.kind === 'blob') addBlobReference(view, location.blobId);
  if (location.kind === 'manifest') {
    const key = manifestKey(location.manifestId);
    const manifest = view.get(key);
    if (manifest !== undefined) view.put(key, withReferences(manifest, referencesOf(manifest) + 1));
  }
}

/** Gives up the bytes of the version at a key, if there is one. The caller replaces or deletes the row. */
function dropVersion(view: IndexView, key: Buffer): void {
  const row = view.get(key);
  if (row === undefined) return;
  const location = locationOf(row);
  if (location.kind === 'blob') dropBlobReference(view, location.blobId);
  if (location.kind === 'manifest') dropManifestReference(view, location.manifestId);
}

function dropManifestReference(view: IndexView, manifestId: number): void {
  const key = manifestKey(manifestId);
  const manifest = view.get(key);
  if (manifest === undefined) return;
  const references = referencesOf(manifest) - 1;
  if (references > 0) {
    view.put(key, withReferences(manifest, references));
    return;
  }
  for (let index = 0; index < manifestPartCount(manifest); index += 1) {
    dropBlobReference(view, manifestPart(manifest, index).blobId);
  }
  view.delete(key);
}

function dropUpload(view: IndexView, key: Buffer): void {
  const { uploadSequence } = parseUploadKey(key);
  const parts = partKey(uploadSequence, 0).subarray(0, 7);
  for (const part of keysWithin(view, parts)) {
    const row = view.get(part);
    if (row !== undefined) dropBlobReference(view, decodePartRow(row).blobId);
    view.delete(part);
  }
  view.delete(key);
}

function addBlobReference(view: IndexView, blobId: Buffer): void {
  const key = blobKey(keyspace.blob, blobId);
  view.put(key, encodeCount(decodeCount(view.get(key)) + 1));
}

function dropBlobReference(view: IndexView, blobId: Buffer): void {
  const key = blobKey(keyspace.blob, blobId);
  const count = decodeCount(view.get(key)) - 1;
  if (count > 0) {
    view.put(key, encodeCount(count));
    return;
  }
  view.delete(key);
  view.put(blobKey(keyspace.garbage, blobId), noBytes);
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

/** Collected before anything is changed: a view is not scanned while it is written to. */
function keysWithin(view: IndexView, prefix: Buffer): Buffer[] {
  const keys: Buffer[] = [];
  view.scan({ from: prefix, to: afterPrefix(prefix) }, (key) => {
    keys.push(key);
    return true;
  });
  return keys;
}
