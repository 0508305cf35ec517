import assert from 'node:assert/strict';
import { it } from 'node:test';
import { encodeBucketRow } from '../catalog/bucket-row.ts';
import { encodeCursorRow } from '../catalog/cursor-row.ts';
import { bucketKey, cursorKey } from '../catalog/index-keys.ts';
import { createBucket, put } from '../contract/store-under-test.ts';
import { openMemoryStore } from '../memory-store.ts';
import { MemoryIndex } from '../ordered-index/memory-index.ts';
import { MemoryFeed } from './memory-feed.ts';

it('tells a consumer that has fallen behind the end of the list what it has lost', async () => {
  const feed = new MemoryFeed(new MemoryIndex());
  const start = feed.end;
  feed.add({ type: 'cursorPut', key: cursorKey('slow'), row: encodeCursorRow(start) }, { sequence: 1, atMs: 1 });
  const bucket = { name: 'bucket', owner: 'o', region: 'r', createdAtMs: 1, configuration: {} };
  const fact = { type: 'bucketPut', key: bucketKey('bucket'), row: encodeBucketRow({ id: 2, bucket }) } as const;
  const last = 100_502;
  for (let sequence = 2; sequence <= last; sequence += 1) feed.add(fact, { sequence, atMs: sequence });

  const [lost, next] = feed.changesAfter(start, 2);
  assert.ok(lost?.change.type === 'changesLost' && next?.change.type === 'bucketConfigured');
  assert.equal(lost.change.sequence + 1, next.change.sequence);
  const kept = last - lost.change.sequence;
  assert.ok(kept <= 100_000 && kept >= 90_000, `${kept} are kept`);
  assert.equal(feed.end.changeCount - next.behind.changeCount, kept - 1);
  assert.equal(feed.firstAtMs(lost.behind), next.change.sequence);
  assert.equal(feed.bytesBetween(lost.behind, feed.end), kept * (fact.key.length + fact.row.length));
});

it('keeps nothing without cursors: the oldest change is the next one', async () => {
  const store = openMemoryStore();
  await createBucket(store);
  await put(store, 'before', 'x');
  const cursor = await store.openCursor('first', { start: 'oldest' });
  assert.deepEqual(cursor.lag(), { changes: 0, bytes: 0 });
  await put(store, 'after', 'x');
  const [change] = await cursor.read({ limit: 10 });
  assert.ok(change?.type === 'objectCreated' && change.key === 'after');
  await store.close();
});
