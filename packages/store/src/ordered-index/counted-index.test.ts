// The digest of an index follows every change, survives reopening, and tells of rows that are not what was written.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeDisk } from '../disk/node-disk.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { CountedIndex } from './counted-index.ts';
import { openLmdbIndex } from './lmdb-index.ts';
import type { IndexChange, IndexChanges, OrderedIndex } from './ordered-index.ts';

function put(key: string, value: string | undefined): [string, IndexChange] {
  const bytes = Buffer.from(`\u0003${key}`);
  return [bytes.toString('latin1'), { key: bytes, value: value === undefined ? undefined : Buffer.from(value) }];
}

function changesOf(...changes: [string, IndexChange][]): IndexChanges {
  return new Map(changes);
}

async function withIndex(run: (under: OrderedIndex, folder: string) => Promise<void>): Promise<void> {
  await withDataFolder(async (directory) => {
    await nodeDisk.createFolder(directory);
    const folder = join(directory, 'index');
    const under = await openLmdbIndex({ disk: nodeDisk, folder });
    try {
      await run(under, folder);
    } finally {
      await under.close();
    }
  });
}

const noPause = async (): Promise<void> => undefined;

describe('counted index', () => {
  it('finds nothing wrong after any changes, also made while it is read through', async () => {
    const seed = Date.now() % 1_000_000_000;
    console.log(`seed ${seed}`);
    const random = new SeededRandom(seed);
    await withIndex(async (under) => {
      const index = CountedIndex.over(under);
      const change = (): void => {
        const changes = Array.from({ length: random.between(1, 40) }, () =>
          put(`key-${random.below(5000)}`, random.chance(0.3) ? undefined : `row-${random.below(1e9)}`),
        );
        index.apply(changesOf(...changes));
      };
      for (let count = 0; count < 300; count += 1) change();
      let pauses = 0;
      const mismatches = await index.verify(async () => {
        pauses += 1;
        for (let count = 0; count < 10; count += 1) change();
      });
      assert.deepEqual(mismatches, []);
      assert.ok(pauses > 1, 'it takes more than one page');
      assert.deepEqual(await index.verify(noPause), []);
      assert.deepEqual(await CountedIndex.over(under).verify(noPause), [], 'the digest stands in the index');
    });
  });

  it('tells of a row that is gone, one that was changed, and one that was never written', async () => {
    for (const [change, foundRows] of [
      [put('b', undefined), 2],
      [put('b', 'other'), 3],
      [put('d', 'new'), 4],
    ] as const) {
      await withIndex(async (under) => {
        const index = CountedIndex.over(under);
        index.apply(changesOf(put('a', '1'), put('b', '2'), put('c', '3')));
        under.apply(changesOf(change));
        assert.deepEqual(await index.verify(noPause), [{ keyspace: 3, expectedRows: 3, foundRows }]);
      });
    }
  });

  it('is not opened over rows that nobody has counted', async () => {
    await withIndex(async (under) => {
      under.apply(changesOf(put('a', '1')));
      assert.throws(() => CountedIndex.over(under), /The index is damaged/);
    });
  });
});
