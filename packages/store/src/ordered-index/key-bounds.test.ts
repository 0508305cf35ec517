import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { nodeDisk } from '../disk/node-disk.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { openLmdbIndex } from './lmdb-index.ts';
import { LmdbReader } from './lmdb-reader.ts';

/** As long as a key of LMDB may be. */
const longest = 1978;
const letters = ['\0', 'b', '\xff'];

function keyOf(sizeBytes: number, last: string): Buffer {
  return Buffer.from(`a${'b'.repeat(sizeBytes - 2)}${last}`, 'latin1');
}

/** In order. */
const keys = [
  Buffer.from('Z'),
  ...letters.flatMap((last) => [2, longest - 1, longest].map((size) => keyOf(size, last))),
]
  .concat(Buffer.from('c'))
  .sort((a, b) => a.compare(b));

/** At and beyond the limit, before, between and behind the keys. */
const bounds = [longest - 1, longest, longest + 1, longest + 8, 5000, 20_000].flatMap((sizeBytes) => [
  ...letters.map((last) => keyOf(sizeBytes, last)),
  ...['A', 'a', 'b', 'd'].flatMap((first) =>
    letters.map((letter) => Buffer.alloc(sizeBytes, letter, 'latin1').fill(first, 0, 1)),
  ),
]);

describe('bounds and keys longer than LMDB takes', () => {
  it('lead to the rows between them, and to none', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      const index = await openLmdbIndex({ disk: nodeDisk, folder });
      const reader = new LmdbReader(folder);
      try {
        index.apply(new Map(keys.map((key) => [key.toString('latin1'), { key, value: Buffer.from('row') }])));
        reader.renew();
        for (const each of [index, reader]) {
          /** Which of the keys, as numbers. */
          const found = (from: Buffer, to: Buffer): number[] => {
            const numbers: number[] = [];
            each.scan({ from, to }, (key) => numbers.push(keys.findIndex((known) => known.equals(key))) > 0);
            return numbers;
          };
          for (const bound of bounds) {
            const behind = keys.flatMap((key, number) => (key.compare(bound) >= 0 ? [number] : []));
            const before = keys.flatMap((key, number) => (key.compare(bound) < 0 ? [number] : []));
            assert.deepEqual(found(bound, Buffer.of(0xff)), behind);
            assert.deepEqual(found(Buffer.of(0), bound), before);
            assert.deepEqual(found(bound, bound), []);
            assert.equal(
              each.get(bound) !== undefined,
              keys.some((key) => key.equals(bound)),
            );
          }
        }
      } finally {
        await reader.close();
        await index.close();
      }
    });
  });
});
