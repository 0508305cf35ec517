// Names of buckets by their ids. Records of the journal name a bucket by its id, and whoever reads them as changes wants its
// name, also when the bucket is gone: so a name outlives its bucket, for as long as the journal has records from that time.
// A rebuild finds every name that may be asked for: a bucket that lives has its row, and of one that is gone the journal
// still has the deletion, which is later than any record that names the bucket. docs/format.md, "Bucket name row".

import type { IndexChange, IndexChanges, IndexReader, IndexView } from '../ordered-index/ordered-index.ts';
import { bucketRowId } from './bucket-row.ts';
import { bucketKey, bucketNameKey, keyspace, nameOf, wholeKeyspace } from './index-keys.ts';

const goneSizeBytes = 6;

/** Takes note of a bucket's name; called for each bucket row that is put, and for each that is deleted. */
export function keepBucketName(view: IndexView, bucketIndexKey: Buffer, bucketRow: Buffer): void {
  const key = bucketNameKey(bucketRowId(bucketRow));
  if (view.get(key) === undefined) view.put(key, encodeName(0, nameOf(bucketIndexKey)));
}

export function bucketNameOf(index: IndexReader, bucketId: number): string | undefined {
  const row = index.get(bucketNameKey(bucketId));
  return row?.toString('utf8', goneSizeBytes);
}

/**
 * What to change to forget names that no record can ask for any more. A bucket that is gone is first noted as gone before
 * `nextLsn`; once the whole journal is later than that, its name goes. Run at each opening: names are few and small.
 */
export function forgetBucketNames(
  index: IndexReader,
  journal: { readonly oldestLsn: number; readonly nextLsn: number },
): IndexChanges {
  const changes = new Map<string, IndexChange>();
  index.scan(wholeKeyspace(keyspace.bucketName), (key, row) => {
    const bucketId = key.readUIntBE(1, 6);
    const name = row.toString('utf8', goneSizeBytes);
    const bucket = index.get(bucketKey(name));
    if (bucket !== undefined && bucketRowId(bucket) === bucketId) return true;
    const goneBefore = row.readUIntBE(0, goneSizeBytes);
    if (goneBefore === 0) {
      const own = Buffer.from(key);
      changes.set(own.toString('latin1'), { key: own, value: encodeName(journal.nextLsn, name) });
    } else if (goneBefore <= journal.oldestLsn) {
      const own = Buffer.from(key);
      changes.set(own.toString('latin1'), { key: own, value: undefined });
    }
    return changes.size < maxChanges;
  });
  return changes;
}

/** In one go; the next opening goes on. */
const maxChanges = 10_000;

function encodeName(goneBefore: number, name: string): Buffer {
  const row = Buffer.allocUnsafe(goneSizeBytes + Buffer.byteLength(name));
  row.writeUIntBE(goneBefore, 0, goneSizeBytes);
  row.write(name, goneSizeBytes, 'utf8');
  return row;
}
