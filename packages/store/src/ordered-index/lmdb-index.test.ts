import assert from 'node:assert/strict';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeDisk } from '../disk/node-disk.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { openLmdbIndex } from './lmdb-index.ts';
import type { IndexChange, IndexReader } from './ordered-index.ts';

const everything = { from: Buffer.of(0), to: Buffer.of(255) };

function change(key: Buffer, value: Buffer | undefined): [string, IndexChange] {
  return [key.toString('latin1'), { key, value }];
}

function rows(index: IndexReader): Map<string, string> {
  const found = new Map<string, string>();
  index.scan(everything, (key, value) => {
    found.set(key.toString('latin1'), value.toString('latin1'));
    return true;
  });
  return found;
}

describe('lmdb index', () => {
  it('reads what was applied, in byte order, from a bound', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      const index = await openLmdbIndex({ disk: nodeDisk, folder });
      const keys = ['b', 'a', 'a\0', '\xff', 'ab', 'x'.repeat(1978)].map((key) => Buffer.from(key, 'latin1'));
      index.apply(new Map(keys.map((key) => change(key, Buffer.from(`of ${key.length}`)))));
      assert.deepEqual(
        [...rows(index).keys()].map((key) => key.slice(0, 2)),
        ['a', 'a\0', 'ab', 'b', 'xx'],
      );
      assert.equal(String(index.get(Buffer.from('\xff', 'latin1'))), 'of 1');
      const seen: string[] = [];
      index.scan({ from: Buffer.from('a\0'), to: Buffer.from('x') }, (key) => seen.push(key.toString('latin1')) < 2);
      assert.deepEqual(seen, ['a\0', 'ab']);
      index.apply(new Map([change(Buffer.from('a'), undefined)]));
      assert.equal(index.get(Buffer.from('a')), undefined);
      await index.close();
    });
  });

  it('opens at the last checkpoint, whatever was written since', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      const index = await openLmdbIndex({ disk: nodeDisk, folder });
      const step = fc.record({
        rows: fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 300 })), {
          minLength: 1,
          maxLength: 200,
        }),
        flush: fc.boolean(),
      });
      let checkpoint = new Map<string, string>();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
          for (const { rows: changed, flush } of steps) {
            const changes = changed.map(([key, size]) =>
              change(numbered(key), size === 0 ? undefined : Buffer.alloc(size, key)),
            );
            index.apply(new Map(changes));
            if (!flush) continue;
            await index.flush(async () => undefined);
            checkpoint = rows(index);
          }
          const copy = join(folder, '..', 'copy');
          await rm(copy, { recursive: true, force: true });
          await cp(folder, copy, { recursive: true });
          const reopened = await openLmdbIndex({ disk: nodeDisk, folder: copy });
          const found = rows(reopened);
          await reopened.close();
          assert.deepEqual(found, checkpoint);
        }),
        { numRuns: 30 },
      );
      await index.close();
    });
  });

  it('opens as closed after a flush, and empty without a checkpoint', async () => {
    await withDataFolder(async (folder) => {
      await mkdir(folder);
      for (const round of [0, 1, 2]) {
        const index = await openLmdbIndex({ disk: nodeDisk, folder });
        assert.equal(rows(index).size, round);
        index.apply(new Map([change(numbered(round), Buffer.from('x'))]));
        await index.flush(async () => undefined);
        await index.close();
      }
      await rm(join(folder, 'checkpoint'));
      const empty = await openLmdbIndex({ disk: nodeDisk, folder });
      assert.equal(rows(empty).size, 0);
      await empty.close();
    });
  });
});

function numbered(key: number): Buffer {
  return Buffer.from(`key-${String(key).padStart(5, '0')}`);
}
