// The index in LMDB, whose pages do not go through the simulated disk: real files, of whose pages written since the last
// checkpoint any subset may have reached the disk. Whatever is left, opening must show the checkpoint.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeDisk } from '../../packages/store/src/disk/node-disk.ts';
import { openLmdbIndex } from '../../packages/store/src/ordered-index/lmdb-index.ts';
import type { IndexChange, OrderedIndex } from '../../packages/store/src/ordered-index/ordered-index.ts';
import { SeededRandom } from '../../packages/store/src/testing/seeded-random.ts';

/** STOWAGE_CRASH_SEEDS sets how many. */
const seeds = Number(process.env.STOWAGE_CRASH_SEEDS ?? 4);
const crashesPerSeed = 6;
const pageBytes = 4096;
const maxKeys = 400;
const firstSeed = randomInt(2 ** 32);

/** Rows by key in latin1. */
type Rows = Map<string, Buffer>;

/** The files of an index at one moment, by name. */
type Files = ReadonlyMap<string, Buffer>;

async function readFiles(folder: string): Promise<Files> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith('-lock'));
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

/** Applies a few batches, to the index and to the rows that it must show. */
function change(index: OrderedIndex, rows: Rows, random: SeededRandom): void {
  for (let batches = random.between(1, 6); batches > 0; batches -= 1) {
    const changes = new Map<string, IndexChange>();
    for (let count = random.between(1, 40); count > 0; count -= 1) {
      const key = Buffer.from(`key ${random.below(maxKeys)}`);
      const name = key.toString('latin1');
      const removes = random.chance(0.3);
      // Some rows are longer than a page: those have pages of their own.
      const value = removes ? undefined : random.bytes(random.chance(0.1) ? 9000 : random.between(1, 300));
      changes.set(name, { key, value });
      if (value === undefined) rows.delete(name);
      else rows.set(name, value);
    }
    index.apply(changes);
  }
}

function rowsOf(index: OrderedIndex): Rows {
  const rows: Rows = new Map();
  index.scan({ from: Buffer.alloc(1), to: Buffer.from([0xff]) }, (key, value) => {
    rows.set(key.toString('latin1'), Buffer.from(value));
    return true;
  });
  return rows;
}

/** What power loss leaves of a file: of the pages that differ any subset, and any length between the two. */
function afterLoss(durable: Buffer, written: Buffer, random: SeededRandom): Buffer {
  const chance = random.pick([0, 0.1, 0.5, 0.9, 1]);
  const pages = Math.max(durable.length, written.length) / pageBytes;
  const left = Buffer.alloc(Math.ceil(pages) * pageBytes);
  durable.copy(left);
  for (let at = 0; at < written.length; at += pageBytes) {
    if (random.chance(chance)) written.copy(left, at, at, at + pageBytes);
  }
  const shortest = Math.min(durable.length, written.length);
  const length = random.chance(0.5)
    ? written.length
    : random.between(shortest / pageBytes, left.length / pageBytes) * pageBytes;
  return left.subarray(0, Math.max(length, durable.length));
}

async function writeAfterLoss(folder: string, durable: Files, written: Files, random: SeededRandom): Promise<void> {
  await mkdir(folder);
  for (const [name, bytes] of durable) {
    // All but the data is written once, and made durable before it gets its name.
    const left = name === 'data.mdb' ? afterLoss(bytes, written.get(name) ?? Buffer.alloc(0), random) : bytes;
    await writeFile(join(folder, name), left);
  }
}

/** One index through several losses of power; each opening goes on from what the last one left. */
async function runSeed(root: string, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  let folder = join(root, `${seed}-0`);
  let index = await openLmdbIndex({ disk: nodeDisk, folder });
  let rows: Rows = new Map();
  for (let crash = 1; crash <= crashesPerSeed; crash += 1) {
    change(index, rows, random);
    await index.flush(async () => undefined);
    let durable = await readFiles(folder);
    let expected: Rows = new Map(rows);
    for (let more = random.below(3); more > 0; more -= 1) {
      change(index, rows, random);
      if (random.chance(0.5)) continue;
      // In the middle of a checkpoint, while others go on writing, the one before still holds.
      const half = new Map(rows);
      let during: Files | undefined;
      await index.flush(async () => {
        change(index, rows, random);
        during = await readFiles(folder);
      });
      if (random.chance(0.4) && during !== undefined) {
        await requireAfterLoss(join(root, `${seed}-${crash}-${more}-half`), {
          durable,
          written: during,
          expected,
          random,
        });
      }
      durable = await readFiles(folder);
      expected = half;
    }
    change(index, rows, random);
    const written = await readFiles(folder);
    await index.close();
    folder = join(root, `${seed}-${crash}`);
    await writeAfterLoss(folder, durable, written, random);
    index = await openLmdbIndex({ disk: nodeDisk, folder });
    assert.deepEqual(rowsOf(index), expected);
    rows = new Map(expected);
  }
  await index.close();
}

async function requireAfterLoss(
  folder: string,
  loss: { readonly durable: Files; readonly written: Files; readonly expected: Rows; readonly random: SeededRandom },
): Promise<void> {
  await writeAfterLoss(folder, loss.durable, loss.written, loss.random);
  const index = await openLmdbIndex({ disk: nodeDisk, folder });
  try {
    assert.deepEqual(rowsOf(index), loss.expected);
  } finally {
    await index.close();
  }
}

describe('index in LMDB, and the power goes', () => {
  it(`shows its last checkpoint, whatever pages were written since (${seeds} seeds from ${firstSeed})`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-lmdb-'));
    try {
      for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) await runSeed(root, seed);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
