// Holds the index of a store, row by row, against one that was made from the journal. Both are read in pages side by side, so
// that memory does not grow with them.

import {
  bucketIdOf,
  keyBytesOf,
  keyspace,
  nameOf,
  parseUploadKey,
  partNumberOf,
  uploadSequenceOf,
} from '../catalog/index-keys.ts';
import { withReferences } from '../catalog/manifest.ts';
import type { ObjectAddress } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { type IndexRow, rowPages } from '../ordered-index/row-pages.ts';

export interface RowDifference {
  readonly key: Buffer;
  /** What the journal says; absent: nothing stands there. */
  readonly made: Buffer | undefined;
  /** What the store's index says. */
  readonly held: Buffer | undefined;
  /** `count`: only how often something is referenced, or how much of a segment is live. */
  readonly kind: 'row' | 'count';
}

/**
 * Compares everything but what depends on when an index was made: its own state, its garbage rows, which say only what is
 * still to be removed, and the names of buckets that are gone, which are forgotten in time.
 * Answers how many rows the store's index has.
 */
export async function compareIndexes(
  indexes: { readonly made: IndexReader; readonly held: IndexReader },
  onDifference: (difference: RowDifference) => void,
): Promise<number> {
  const rows = (index: IndexReader): RowReader => new RowReader(index);
  const made = rows(indexes.made);
  const held = rows(indexes.held);
  let count = 0;
  for (let visited = 1; made.row !== undefined || held.row !== undefined; visited += 1) {
    const order = compareRows(made.row, held.row);
    const madeRow = order <= 0 ? made.row : undefined;
    const heldRow = order >= 0 ? held.row : undefined;
    const difference = differenceOf(madeRow, heldRow);
    if (difference !== undefined) onDifference(difference);
    if (heldRow !== undefined) count += 1;
    if (madeRow !== undefined) made.next();
    if (heldRow !== undefined) held.next();
    if (visited % rowsBetweenPauses === 0) await new Promise(setImmediate);
  }
  return count;
}

const rowsBetweenPauses = 5000;

class RowReader {
  readonly #rows: Iterator<IndexRow>;
  row: IndexRow | undefined;

  constructor(index: IndexReader) {
    this.#rows = comparedRows(index);
    this.next();
  }

  next(): void {
    const { done, value } = this.#rows.next();
    this.row = done === true ? undefined : value;
  }
}

function* comparedRows(index: IndexReader): Generator<IndexRow, void, undefined> {
  const ranges = [
    { from: Buffer.of(keyspace.state + 1), to: Buffer.of(keyspace.garbage) },
    { from: Buffer.of(keyspace.garbage + 1), to: Buffer.of(keyspace.bucketName) },
    { from: Buffer.of(keyspace.bucketName + 1), to: Buffer.of(0xff) },
  ];
  for (const range of ranges) {
    for (const page of rowPages(index, range)) yield* page;
  }
}

function compareRows(made: IndexRow | undefined, held: IndexRow | undefined): number {
  if (made === undefined) return 1;
  if (held === undefined) return -1;
  return made.key.compare(held.key);
}

function differenceOf(made: IndexRow | undefined, held: IndexRow | undefined): RowDifference | undefined {
  const key = made?.key ?? held?.key;
  if (key === undefined || (made !== undefined && held !== undefined && made.value.equals(held.value)))
    return undefined;
  return { key, made: made?.value, held: held?.value, kind: kindOf(key, made?.value, held?.value) };
}

function kindOf(key: Buffer, made: Buffer | undefined, held: Buffer | undefined): RowDifference['kind'] {
  if (key[0] === keyspace.blob || key[0] === keyspace.segment) return 'count';
  const bothManifests = key[0] === keyspace.manifest && made !== undefined && held !== undefined;
  return bothManifests && withReferences(made, 0).equals(withReferences(held, 0)) ? 'count' : 'row';
}

/** What stands at a key of the index, in words, and the object or unfinished upload that it belongs to. */
export function describeKey(
  key: Buffer,
  buckets: ReadonlyMap<number, string>,
): { readonly what: string; readonly object?: ObjectAddress } {
  const bucketName = (id: number): string => buckets.get(id) ?? `(bucket ${id})`;
  switch (key[0]) {
    case keyspace.bucket:
      return { what: `bucket ${nameOf(key)}` };
    case keyspace.object: {
      const object = { bucket: bucketName(bucketIdOf(key)), key: keyBytesOf(key).toString() };
      return { what: `object ${object.bucket}/${object.key}`, object };
    }
    case keyspace.upload: {
      const { keyBytes } = parseUploadKey(key);
      const object = { bucket: bucketName(bucketIdOf(key)), key: keyBytes.toString() };
      return { what: `unfinished upload of ${object.bucket}/${object.key}`, object };
    }
    case keyspace.part:
      return { what: `part ${partNumberOf(key)} of upload ${uploadSequenceOf(key)}` };
    case keyspace.manifest:
      return { what: `the list of parts of upload ${key.readUIntBE(1, 6)}` };
    case keyspace.blob:
      return { what: `the count of references to blob ${key.toString('hex', 1)}` };
    case keyspace.segment:
      return { what: `the count of live bytes in segment ${key.readUInt32BE(1)}` };
    case keyspace.cursor:
      return { what: `cursor ${nameOf(key)}` };
    default:
      return { what: `the row at ${key.toString('hex')}` };
  }
}
