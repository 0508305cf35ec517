import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MemoryIndex } from '../ordered-index/memory-index.ts';
import { bucketNameOf, forgetBucketNames, keepBucketName } from './bucket-names.ts';
import { encodeBucketRow } from './bucket-row.ts';
import { bucketKey } from './index-keys.ts';

function rowOf(name: string, id: number): Buffer {
  const bucket = { name, owner: 'o', region: 'r', createdAtMs: 1, configuration: {} };
  return encodeBucketRow({ id, bucket });
}

/** Forgets, as an opening does; answers how many rows were changed. */
function open(index: MemoryIndex, oldestLsn: number, nextLsn: number): number {
  const changes = forgetBucketNames(index, { oldestLsn, nextLsn });
  for (const { key, value } of changes.values()) {
    if (value === undefined) index.delete(key);
    else index.put(key, value);
  }
  return changes.size;
}

it('keeps the name of a bucket that is gone for as long as the journal may speak of it', () => {
  const index = new MemoryIndex();
  const lives = rowOf('lives', 3);
  keepBucketName(index, bucketKey('lives'), lives);
  keepBucketName(index, bucketKey('gone'), rowOf('gone', 5));
  index.put(bucketKey('lives'), lives);
  index.put(bucketKey('gone'), rowOf('gone', 40)); // another one of this name
  keepBucketName(index, bucketKey('gone'), rowOf('gone', 40));

  assert.equal(open(index, 1, 100), 1); // noted as gone before 100
  assert.equal(open(index, 1, 120), 0);
  assert.equal(open(index, 99, 140), 0);
  assert.equal(bucketNameOf(index, 5), 'gone');
  assert.equal(open(index, 100, 160), 1);
  assert.equal(bucketNameOf(index, 5), undefined);
  assert.equal(bucketNameOf(index, 40), 'gone');
  assert.equal(bucketNameOf(index, 3), 'lives');
  assert.equal(open(index, 150, 180), 0);
});
