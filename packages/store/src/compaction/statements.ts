// What a record of the journal says that a rebuild of the index may still need once the record is gone. Each record states
// rows ("this stands at this key") and deletions ("nothing stands at this key any more"); whether a statement still holds is
// asked of the index, and whether a deletion still matters, of the segments that are older.

import { completedUploadKey, decodeDeletion, encodeDeletion, type Fact, type FactType } from '../catalog/facts.ts';
import { bucketIdOf, keyspace, manifestKey, parseUploadKey } from '../catalog/index-keys.ts';
import { bodySizeOf, isInJournal, locationOf } from '../catalog/version-row.ts';
import { factRecordSize } from '../journal/record-layout.ts';
import type { StandingSegment } from '../journal/standing-segments.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';

export type Statement =
  | { readonly kind: 'row'; readonly key: Buffer; readonly row: Buffer }
  | { readonly kind: 'deletion'; readonly key: Buffer; readonly lsn: number };

/** What the record `lsn` states. */
export function statementsOf(fact: Fact, lsn: number): readonly Statement[] {
  return readers[fact.type](fact, lsn);
}

/**
 * Whether the row that a record stated is the one that stands now. Rows that name their LSN or the place of their body are
 * equal to no other; of the rest, an equal one that was put later makes this one stand, too, which costs a few bytes and
 * harms nothing. A manifest is made once and changes only in its count of references.
 */
export function rowStands(index: IndexReader, { key, row }: { readonly key: Buffer; readonly row: Buffer }): boolean {
  const current = index.get(key);
  return current !== undefined && (key[0] === keyspace.manifest || current.equals(row));
}

/** Whether the record of a row holds a body. */
export function hasBody({ key, row }: { readonly key: Buffer; readonly row: Buffer }): boolean {
  return key[0] === keyspace.object && isInJournal(row);
}

/** What it takes to write a statement down again. */
export function carriedBytes(statement: Statement): number {
  const row = statement.kind === 'row' ? statement.row : encodeDeletion(statement.lsn);
  const bodySizeBytes = statement.kind === 'row' && hasBody(statement) ? bodySizeOf(row) : 0;
  return factRecordSize({ keySizeBytes: statement.key.length, rowSizeBytes: row.length, bodySizeBytes });
}

/**
 * Whether a segment stands that may hold a row for the key from before its deletion. `standing` is in order and without the
 * segment that the deletion is read from: what lies there goes with it.
 */
export function deletionMatters(
  standing: readonly StandingSegment[],
  { key, lsn }: { readonly key: Buffer; readonly lsn: number },
): boolean {
  const from = earliestLsn(key);
  let low = 0;
  let high = standing.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((standing[middle]?.latestLsn ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  const first = standing[low];
  return first !== undefined && first.earliestLsn < lsn;
}

/** No record can be about a key before the one that made what the key belongs to. */
function earliestLsn(key: Buffer): number {
  if (key[0] === keyspace.object) return bucketIdOf(key);
  if (key[0] === keyspace.upload) return parseUploadKey(key).uploadSequence;
  return 0;
}

type Reader = (fact: Fact, lsn: number) => readonly Statement[];

const row: Reader = ({ key, row }) => [{ kind: 'row', key, row }];
const deletion: Reader = ({ key }, lsn) => [{ kind: 'deletion', key, lsn }];

const readers: Readonly<Record<FactType, Reader>> = {
  bucketPut: row,
  bucketDeleted: deletion,
  objectPut: row,
  objectCopied: row,
  objectDeleted: deletion,
  uploadCreated: row,
  partPut: row,
  uploadAborted: deletion,
  cursorPut: row,
  cursorGone: deletion,
  rowKept: row,
  rowGone: ({ key, row }) => [{ kind: 'deletion', key, lsn: decodeDeletion(row) }],

  uploadCompleted({ key, row, manifest }, lsn) {
    const location = locationOf(row);
    const upload: Statement = { kind: 'deletion', key: completedUploadKey({ key, row }), lsn };
    const version: Statement = { kind: 'row', key, row };
    if (manifest === undefined || location.kind !== 'manifest') return [version, upload];
    // The manifest comes first: a version references what is there already.
    return [{ kind: 'row', key: manifestKey(location.manifestId), row: manifest }, version, upload];
  },
};
