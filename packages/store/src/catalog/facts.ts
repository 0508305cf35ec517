// Facts: what a commit has established, as it stands in the journal, and what each does to the index. Applying a fact
// looks only at the fact and the index, so live commits and recovery do the same; it never fails and never judges
// (that is the operation's, once, before the fact exists). What it means for counts is references.ts.
//
// Two facts come from compaction (compaction/compactor.ts has the whole argument), and change nothing in an index that has
// all facts before them. They matter to a rebuild, once the segments that said the same are gone:
//   rowKept   "this row stands at this key." Written for a row that a segment made and that is still there, before that
//             segment goes. It is applied as the fact that it stands for, so that an index which lacks that one, because
//             its record was damaged, comes right again.
//   rowGone   "what stood at this key was deleted by record D." Written for a deletion before its segment goes, while an
//             older segment stands that may still say otherwise.
// What a deletion takes along (the parts of an upload, the uploads of a bucket) need not be carried one by one: a rebuild
// ends by dropping parts without upload and uploads without bucket (settle-references.ts), and no id is ever used twice.

import type { IndexView } from '../ordered-index/ordered-index.ts';
import { keepBucketName } from './bucket-names.ts';
import { decodeBucketRow } from './bucket-row.ts';
import {
  afterPrefix,
  bucketIdOf,
  keyBytesOf,
  keyspace,
  manifestKey,
  parseUploadKey,
  partKey,
  uploadKey,
  uploadPrefix,
} from './index-keys.ts';
import type { References } from './references.ts';
import { locationOf, sequenceOf } from './version-row.ts';

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
  rowKept: 9,
  rowGone: 10,
  cursorPut: 11,
  cursorGone: 12,
  objectCopied: 13,
} as const satisfies Readonly<Record<string, number>>;

export type FactType = keyof typeof factCodes;

export interface Fact {
  readonly type: FactType;
  /** The index key that it is about. */
  readonly key: Buffer;
  /** The row that stands there afterwards; for a deletion, the row that stood there; for `rowGone`, the deletion's LSN. */
  readonly row: Buffer;
  /** The manifest of a completed upload. */
  readonly manifest?: Buffer;
}

/** Applies a fact to the index. */
export function applyFact(fact: Fact, view: IndexView, references: References): void {
  appliers[fact.type](fact, view, references);
}

/** The key of the upload that a completion ended: it goes with the fact, and its parts with it. */
export function completedUploadKey({ key, row }: Pick<Fact, 'key' | 'row'>): Buffer {
  const location = locationOf(row);
  if (location.kind !== 'manifest') {
    throw new Error('A completed upload has no manifest in its record: the journal was written wrongly.');
  }
  return uploadKey(bucketIdOf(key), keyBytesOf(key).toString(), location.manifestId);
}

type Applier = (fact: Fact, view: IndexView, references: References) => void;

const appliers: Readonly<Record<FactType, Applier>> = {
  bucketPut({ key, row }, view) {
    keepBucketName(view, key, row);
    view.put(key, row);
  },

  bucketDeleted({ key, row }, view, references) {
    const { id } = decodeBucketRow('', row);
    const uploads = uploadPrefix(id, '');
    for (const upload of keysWithin(view, uploads)) dropUpload(view, upload, references);
    keepBucketName(view, key, row);
    view.delete(key);
  },

  objectPut({ key, row }, view, references) {
    // The new reference comes before the old one goes: both may be to the same bytes, when an object is copied onto itself.
    references.versionAdded(key, row);
    dropVersion(view, key, references);
    view.put(key, row);
  },

  objectCopied(fact, view, references) {
    appliers.objectPut(fact, view, references);
  },

  objectDeleted({ key }, view, references) {
    dropVersion(view, key, references);
    view.delete(key);
  },

  uploadCreated({ key, row }, view) {
    view.put(key, row);
  },

  partPut({ key, row }, view, references) {
    references.partAdded(row);
    const replaced = view.get(key);
    if (replaced !== undefined) references.partDropped(replaced);
    view.put(key, row);
  },

  uploadCompleted({ key, row, manifest }, view, references) {
    const location = locationOf(row);
    if (manifest === undefined || location.kind !== 'manifest') {
      throw new Error('A completed upload has no manifest in its record: the journal was written wrongly.');
    }
    references.manifestAdded(manifest);
    dropUpload(view, completedUploadKey({ key, row }), references);
    dropVersion(view, key, references);
    view.put(manifestKey(location.manifestId), manifest);
    view.put(key, row);
  },

  uploadAborted({ key }, view, references) {
    dropUpload(view, key, references);
  },

  cursorPut({ key, row }, view) {
    view.put(key, row);
  },

  cursorGone({ key }, view) {
    view.delete(key);
  },

  rowKept(fact, view, references) {
    const { key, row } = fact;
    const current = view.get(key);
    // A manifest changes only in its count of references, and the one in the index has the latest.
    if (current !== undefined && (key[0] === keyspace.manifest || current.equals(row))) return;
    switch (key[0]) {
      case keyspace.object:
        appliers.objectPut(fact, view, references);
        break;
      case keyspace.part:
        appliers.partPut(fact, view, references);
        break;
      case keyspace.bucket:
        appliers.bucketPut(fact, view, references);
        break;
      case keyspace.manifest:
        references.manifestAdded(row);
        view.put(key, row);
        break;
      default:
        view.put(key, row);
    }
  },

  rowGone(fact, view, references) {
    const { key, row } = fact;
    const current = view.get(key);
    if (key[0] === keyspace.upload) {
      dropUpload(view, key, references); // parts may stand where the upload's own record is gone already
      return;
    }
    if (current === undefined) return;
    if (key[0] === keyspace.object) {
      if (sequenceOf(current) < decodeDeletion(row)) appliers.objectDeleted(fact, view, references);
    } else if (key[0] === keyspace.bucket) {
      const { id } = decodeBucketRow('', current);
      if (id < decodeDeletion(row)) appliers.bucketDeleted({ ...fact, row: current }, view, references);
    } else {
      view.delete(key);
    }
  },
};

/** The row of a `rowGone`: the LSN of the deletion that it carries forward. */
export function encodeDeletion(lsn: number): Buffer {
  const row = Buffer.allocUnsafe(6);
  row.writeUIntBE(lsn, 0, 6);
  return row;
}

export function decodeDeletion(row: Buffer): number {
  return row.readUIntBE(0, 6);
}

/** Gives up the bytes of the version at a key, if there is one. The caller replaces or deletes the row. */
function dropVersion(view: IndexView, key: Buffer, references: References): void {
  const row = view.get(key);
  if (row !== undefined) references.versionDropped(key, row);
}

function dropUpload(view: IndexView, key: Buffer, references: References): void {
  const { uploadSequence } = parseUploadKey(key);
  const parts = partKey(uploadSequence, 0).subarray(0, 7);
  for (const part of keysWithin(view, parts)) {
    const row = view.get(part);
    if (row !== undefined) references.partDropped(row);
    view.delete(part);
  }
  view.delete(key);
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
