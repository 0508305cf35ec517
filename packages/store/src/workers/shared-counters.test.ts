import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blobPath, formBlobId } from '../blobs/blob-file.ts';
import { SharedCounters } from './shared-counters.ts';

it('no two seats get the same number of a blob, nor the same folder', () => {
  const workers = 3;
  const counters = SharedCounters.create(workers);
  const there = new SharedCounters(counters.memory);
  const counts = new Set<number>();
  const folders = new Map<string, number>();
  for (let round = 0; round < 5000; round += 1) {
    const seat = (round * 7) % (workers + 1);
    const count = (round % 2 === 0 ? counters : there).nextBlobCount(seat);
    assert.ok(count >= 1 && !counts.has(count));
    counts.add(count);
    const [, folder] = blobPath(formBlobId(1, count, true));
    assert.equal(folders.get(folder) ?? seat, seat);
    folders.set(folder, seat);
    assert.ok(counters.groupsOf(seat).some((group) => blobPath(formBlobId(1, group * 1024, true))[1] === folder));
  }
});

it('numbers simply rise when there is one seat', () => {
  const counters = SharedCounters.create(0);
  for (let count = 1; count < 3000; count += 1) assert.equal(counters.nextBlobCount(0), count);
});

it('the generation is odd while the index changes', () => {
  const counters = SharedCounters.create(1);
  const before = counters.generation;
  assert.equal(before % 2, 0);
  counters.changeIndex(() => assert.equal(Math.abs(counters.generation % 2), 1));
  assert.notEqual(counters.generation, before);
  assert.throws(() =>
    counters.changeIndex(() => {
      throw new Error('no room');
    }),
  );
  assert.equal(counters.generation % 2, 0);
});
