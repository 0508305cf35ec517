import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { patternBytes, storeError } from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { openLmdbIndex } from './lmdb-index.ts';
import { findPageDamage } from './lmdb-pages.ts';
import type { IndexChange } from './ordered-index.ts';

const pageSizeBytes = 4096;

/** An index with some thousand rows, long values, and pages that were freed and used again. */
async function fillIndex(folder: string, random: () => number): Promise<void> {
  await nodeDisk.createFolder(join(folder, '..'));
  for (let opening = 0; opening < 3; opening += 1) {
    const index = await openLmdbIndex({ disk: nodeDisk, folder });
    for (let batch = 0; batch < 20; batch += 1) {
      const changes = new Map<string, IndexChange>();
      for (let count = 0; count < 150; count += 1) {
        const name = `key/${Math.floor(random() * 4000)}`.repeat(1 + Math.floor(random() * 3));
        const sizeBytes = random() < 0.02 ? random() * 30_000 : random() * 300;
        const value = random() < 0.2 ? undefined : patternBytes(Math.floor(sizeBytes), count);
        changes.set(name, { key: Buffer.from(name), value });
      }
      index.apply(changes);
      if (random() < 0.3) await index.flush(async () => undefined);
    }
    await index.flush(async () => undefined);
    await index.close();
    assert.equal(await findPageDamage(join(folder, 'data.mdb')), undefined, 'pages as LMDB writes them are in order');
  }
}

describe('pages of an index', () => {
  const seed = Date.now() % 1_000_000;

  it(`tells what LMDB would stumble over, and takes what it writes: seed ${seed}`, async () => {
    await withDataFolder(async (directory) => {
      let state = seed;
      const random = (): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        return state / 0x7fff_ffff;
      };
      const folder = join(directory, 'index');
      await fillIndex(folder, random);
      const path = join(folder, 'data.mdb');
      const whole = await readFile(path);
      const used = rootOf(whole);
      const cases: readonly (readonly [string, (bytes: Buffer) => void])[] = [
        ['a page of other bytes', (bytes) => patternBytes(pageSizeBytes, 1).copy(bytes, used * pageSizeBytes)],
        ['a page of zeros', (bytes) => bytes.fill(0, used * pageSizeBytes, (used + 1) * pageSizeBytes)],
        ['another kind of page', (bytes) => bytes.writeUInt16LE(0x0a, used * pageSizeBytes + 18)],
        ['a page of the future', (bytes) => bytes.writeBigUInt64LE(1n << 60n, used * pageSizeBytes + 8)],
        ['a pointer out of the page', (bytes) => bytes.writeUInt16LE(5000, used * pageSizeBytes + 24)],
        ['a child that is not there', (bytes) => bytes.writeUInt32LE(0xff_ff_ff, nodeOf(bytes, used, 0))],
        [
          'two ways to one child',
          (bytes) => bytes.copy(bytes, nodeOf(bytes, used, 0), nodeOf(bytes, used, 1), nodeOf(bytes, used, 1) + 4),
        ],
        ['a longer key', (bytes) => bytes.writeUInt16LE(60, nodeOf(bytes, used, 1) + 6)],
        ['no meta pages', (bytes) => bytes.fill(1, 0, 2 * pageSizeBytes)],
      ];
      for (const [what, change] of cases) {
        const bytes = Buffer.from(whole);
        change(bytes);
        await writeFile(path, bytes);
        assert.notEqual(await findPageDamage(path), undefined, what);
      }
      await writeFile(path, whole.subarray(0, Math.floor(whole.length / 2)));
      assert.notEqual(await findPageDamage(path), undefined, 'half of a file');
    });
  });

  it('is asked when an index was not closed, before LMDB opens it', async () => {
    await withDataFolder(async (directory) => {
      const folder = join(directory, 'index');
      await fillIndex(folder, () => 0.5);
      const path = join(folder, 'data.mdb');
      const bytes = await readFile(path);
      bytes.fill(0, rootOf(bytes) * pageSizeBytes, (rootOf(bytes) + 1) * pageSizeBytes);
      await writeFile(path, bytes);
      await writeFile(join(folder, 'open'), '');
      await assert.rejects(openLmdbIndex({ disk: nodeDisk, folder }), {
        ...storeError('Corrupt'),
        message: /index is damaged.*stowage rebuild/,
      });
      await (await openLmdbIndex({ disk: nodeDisk, folder, fresh: true })).close();
    });
  });
});

/** The root of the rows, by the newer meta page. */
function rootOf(bytes: Buffer): number {
  const newer = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(pageSizeBytes + 152) ? 0 : pageSizeBytes;
  return Number(bytes.readBigUInt64LE(newer + 96 + 40));
}

/** Where a node of a page begins. */
function nodeOf(bytes: Buffer, page: number, node: number): number {
  return page * pageSizeBytes + 24 + bytes.readUInt16LE(page * pageSizeBytes + 24 + 2 * node);
}
