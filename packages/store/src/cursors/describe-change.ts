// From a fact, as it stands in the journal, to the change that it tells a reader of.

import { bucketNameOf } from '../catalog/bucket-names.ts';
import { decodeBucketRow } from '../catalog/bucket-row.ts';
import type { Fact } from '../catalog/facts.ts';
import { bucketIdOf, keyBytesOf, manifestKey, nameOf, parseUploadKey } from '../catalog/index-keys.ts';
import { describeVersion } from '../catalog/objects.ts';
import { decodeUploadRow } from '../catalog/upload-rows.ts';
import { describeUpload } from '../catalog/uploads.ts';
import { decodeVersionRow } from '../catalog/version-row.ts';
import type { ObjectVersion } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import type { Change, ObjectCreated } from './change-cursor.ts';

interface Commit {
  /** Of the fact's record. */
  readonly sequence: number;
  readonly atMs: number;
}

/** The change of a fact, or `undefined` when it is none to anyone. */
export function describeChange(fact: Fact, commit: Commit, index: IndexReader): Change | undefined {
  switch (fact.type) {
    case 'objectPut':
      return objectCreated(fact, 'put', commit, index);
    case 'objectCopied':
      return objectCreated(fact, 'copy', commit, index);
    case 'uploadCompleted':
      return objectCreated(fact, 'complete', commit, index);
    case 'objectDeleted':
      return objectRemoved(fact, commit, index);
    case 'bucketPut':
    case 'bucketDeleted':
      return bucketChanged(fact, commit);
    case 'uploadCreated':
      return uploadChanged(fact, 'uploadCreated', commit, index);
    case 'uploadAborted':
      return uploadChanged(fact, 'uploadAborted', commit, index);
    default:
      return undefined;
  }
}

function objectCreated(fact: Fact, by: ObjectCreated['by'], commit: Commit, index: IndexReader): Change {
  const bucket = bucketNameOf(index, bucketIdOf(fact.key));
  if (bucket === undefined) return nameless(fact, commit);
  const key = keyBytesOf(fact.key).toString();
  return { type: 'objectCreated', by, ...commit, bucket, key, version: describeRow(fact, { bucket, key }, index) };
}

function objectRemoved(fact: Fact, commit: Commit, index: IndexReader): Change {
  const bucket = bucketNameOf(index, bucketIdOf(fact.key));
  if (bucket === undefined) return nameless(fact, commit);
  const key = keyBytesOf(fact.key).toString();
  const version = describeVersion({ bucket, key }, decodeVersionRow(fact.row));
  return { type: 'objectRemoved', ...commit, bucket, key, version };
}

/** The version, with its parts: those of a completion stand beside it, those of a copied object are its source's. */
function describeRow(fact: Fact, address: { bucket: string; key: string }, index: IndexReader): ObjectVersion {
  const row = decodeVersionRow(fact.row);
  const { location } = row;
  const parts =
    location.kind === 'manifest' ? (fact.manifest ?? index.get(manifestKey(location.manifestId))) : undefined;
  return describeVersion(address, row, parts);
}

function bucketChanged(fact: Fact, commit: Commit): Change {
  const name = nameOf(fact.key);
  const { id, bucket } = decodeBucketRow(name, fact.row);
  const about = { ...commit, bucket: name, settings: bucket };
  if (fact.type === 'bucketDeleted') return { type: 'bucketRemoved', ...about };
  // A bucket's id is the sequence of its creation.
  return id === commit.sequence ? { type: 'bucketCreated', ...about } : { type: 'bucketConfigured', ...about };
}

function uploadChanged(
  fact: Fact,
  type: 'uploadCreated' | 'uploadAborted',
  commit: Commit,
  index: IndexReader,
): Change {
  const bucket = bucketNameOf(index, bucketIdOf(fact.key));
  if (bucket === undefined) return nameless(fact, commit);
  const key = parseUploadKey(fact.key).keyBytes.toString();
  const upload = describeUpload(bucket, key, decodeUploadRow(fact.row));
  return { type, ...commit, bucket, key, upload };
}

/** Only damage to the journal can lose a name. */
function nameless(fact: Fact, commit: Commit): Change {
  const description = `The name of bucket ${bucketIdOf(fact.key)} is not known any more (${fact.type}).`;
  return { type: 'changesLost', ...commit, firstSequence: commit.sequence, description };
}
