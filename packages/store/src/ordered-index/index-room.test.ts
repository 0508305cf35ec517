// That a full disk is found before LMDB finds it, and that the index goes on once there is room.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeDisk } from '../disk/node-disk.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { openLmdbIndex } from './lmdb-index.ts';
import type { IndexChange, IndexReader } from './ordered-index.ts';

const seed = 20_261_121;

function rowsOf(index: IndexReader): Map<string, Buffer> {
  const rows = new Map<string, Buffer>();
  index.scan({ from: Buffer.of(0), to: Buffer.of(255) }, (key, value) => {
    rows.set(key.toString('latin1'), value);
    return true;
  });
  return rows;
}

/** Batches of up to 60 rows anywhere among many, some of them long. */
function* batches(): Generator<Map<string, IndexChange>, never, undefined> {
  const random = new SeededRandom(seed);
  for (let length = 1; ; length = 1 + ((length * 7) % 60)) {
    const changes = new Map<string, IndexChange>();
    for (let count = 0; count < length; count += 1) {
      const key = Buffer.from(`${random.below(40_000)}`);
      const sizeBytes = count === 0 ? 9000 : random.below(700);
      const value = random.below(5) === 0 ? undefined : Buffer.alloc(sizeBytes, count);
      changes.set(key.toString('latin1'), { key, value });
    }
    yield changes;
  }
}

function applyTo(rows: Map<string, Buffer>, changes: ReadonlyMap<string, IndexChange>): void {
  for (const [name, { value }] of changes) {
    if (value === undefined) rows.delete(name);
    else rows.set(name, value);
  }
}

describe('room for the index', () => {
  it('is found wanting before LMDB writes, again and again, and nothing is lost by that', async (context) => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-room-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', root], { stdio: 'ignore' });
    } catch {
      await rmdir(root);
      context.skip('NOT RUN: mounting a small file system needs root');
      return;
    }
    try {
      const folder = join(root, 'index');
      const hog = join(root, 'hog');
      await writeFile(hog, Buffer.alloc(1024 * 1024));
      let index = await openLmdbIndex({ disk: nodeDisk, folder });
      const rows = new Map<string, Buffer>();
      let refused = 0;
      for (const changes of batches()) {
        try {
          index.apply(changes);
          applyTo(rows, changes);
        } catch (cause) {
          assert.ok(cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC', String(cause));
          // Node's own message: LMDB's says which page it could not write.
          assert.match(String(cause.cause), /ENOSPC: no space left on device, write/);
          refused += 1;
          if (refused === 100) break;
        }
      }
      assert.deepEqual(rowsOf(index), rows);
      await rm(hog);
      await index.flush(async () => undefined);
      const key = Buffer.from('after');
      const change = new Map([['after', { key, value: key }]]);
      index.apply(change);
      applyTo(rows, change);
      await index.flush(async () => undefined);
      await index.close();
      index = await openLmdbIndex({ disk: nodeDisk, folder });
      assert.deepEqual(rowsOf(index), rows);
      await index.close();
    } finally {
      execFileSync('umount', ['-l', root]); // lazily: a test that fails leaves its index open
      await rm(root, { recursive: true, force: true });
    }
  });

  it('counts as growth only what LMDB uses', async () => {
    await withDataFolder(async (folder) => {
      await nodeDisk.createFolder(folder);
      const index = await openLmdbIndex({ disk: nodeDisk, folder });
      await index.flush(async () => undefined);
      const key = Buffer.from('key');
      index.apply(new Map([['key', { key, value: key }]]));
      const grownBytes = index.growthBytes();
      assert.ok(grownBytes > 0 && grownBytes <= 16 * 4096, `${grownBytes} bytes`);
      await index.flush(async () => undefined);
      assert.equal(index.growthBytes(), 0);
      await index.close();
    });
  });
});
