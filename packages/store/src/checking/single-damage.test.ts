// One damage at a time, anywhere in the folder of a closed store: after one repair nothing is wrong any more but objects whose
// bytes are lost, which stay listed until somebody replaces or deletes them; and then nothing is.

import assert from 'node:assert/strict';
import { cp, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { createBucket, patternBytes, put, readAll, storeError } from '../contract/store-under-test.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskStore } from '../disk-store-options.ts';
import { flipByte, segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import type { CheckReport } from './check-report.ts';
import { checkStore } from './check-store.ts';

const sizes = {
  segmentSizeBytes: 64 * 1024,
  checkpointEveryBytes: 96 * 1024,
  zeroAheadBytes: 16 * 1024,
  reserveSizeBytes: 64 * 1024,
  roomForPutsBytes: 4096,
};
const sectorBytes = 512;

function openStore(directory: string): Promise<DiskStore> {
  return openDiskStore({ directory, sizes, compaction: 'on demand' });
}

/** Segments of which some were removed, a large object, and a last segment with small ones. Answers what each object holds. */
async function fill(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  const bodies = new Map<string, Buffer>();
  const store = await openStore(directory);
  const write = async (key: string, body: Buffer): Promise<void> => {
    await put(store, key, body);
    bodies.set(key, body);
  };
  await createBucket(store);
  for (let index = 0; index < 40; index += 1) await write(`key-${index % 12}`, patternBytes(20_000, index + 1));
  await write('large', patternBytes(1_300_000, 7));
  await store.compact();
  for (let index = 0; index < 6; index += 1) await write(`last-${index}`, patternBytes(300, index + 60));
  await store.close();
  return bodies;
}

/** Runs with a filled folder, of which copies can be made. */
async function withFilled(
  run: (bodies: ReadonlyMap<string, Buffer>, copy: () => Promise<string>) => Promise<void>,
): Promise<void> {
  await withDataFolder(async (source) => {
    const bodies = await fill(source);
    let count = 0;
    await run(bodies, async () => {
      count += 1;
      const directory = join(source, '..', `copy-${count}`);
      await cp(source, directory, { recursive: true });
      return directory;
    });
  });
}

/** Findings about objects whose bytes are lost: no repair ends these. */
const objectKinds: ReadonlySet<string> = new Set(['bodyDamage', 'blobDamage', 'blobMissing', 'rowWithoutBytes']);

function wrongBesidesObjects({ findings, clean }: CheckReport): readonly string[] {
  if (clean) return [];
  return findings
    .filter(({ kind }) => !objectKinds.has(kind))
    .map(({ kind, file, description }) => `${kind} ${file}: ${description}`);
}

/** What is to hold after any single damage. Answers the objects that are lost. */
async function mendAndLook(
  directory: string,
  bodies: ReadonlyMap<string, Buffer>,
  what: string,
): Promise<ReadonlySet<string>> {
  const repaired = await checkStore({ directory, repair: true });
  const lost = new Set(repaired.lost.map(({ key }) => key));
  const again = await checkStore({ directory });
  assert.deepEqual(wrongBesidesObjects(again), [], what);
  const store = await openStore(directory);
  try {
    assert.deepEqual(store.health().damage, [], `${what}: nothing is told of again`);
    for (const [key, body] of bodies) {
      const read = await readAll(store, key).catch(() => undefined);
      if (read === undefined) assert.ok(lost.has(key), `${what}: ${key} is lost, and not named`);
      else assert.ok(read.equals(body), `${what}: ${key}`);
    }
    for (const { objects = [] } of again.findings) {
      for (const object of objects) await store.deleteObject(object);
    }
  } finally {
    await store.close();
  }
  await checkStore({ directory, repair: true });
  const last = await checkStore({ directory });
  assert.ok(last.clean, `${what}: ${JSON.stringify(last.findings)}`);
  return lost;
}

async function overwrite(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(bytes, 0, bytes.length, offset);
  } finally {
    await file.close();
  }
}

/** Fills the last bytes of a file with others. */
async function spoilEnd(path: string, sizeBytes: number): Promise<void> {
  const length = (await stat(path)).size;
  await overwrite(path, length - sizeBytes, Buffer.alloc(sizeBytes, 0x5a));
}

async function namesOf(directory: string, folder: string): Promise<string[]> {
  return (await readdir(join(directory, folder))).sort();
}

describe('a single damage', () => {
  it('anywhere: one repair leaves nothing wrong but lost objects, and these are named', {
    timeout: 120_000,
  }, async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
    const rounds = Number(process.env.ROUNDS ?? 4);
    const random = new SeededRandom(seed);
    await withFilled(async (bodies, copy) => {
      for (let round = 0; round < rounds; round += 1) {
        const directory = await copy();
        const entries = await readdir(directory, { recursive: true, withFileTypes: true });
        const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
        const names = paths
          .map((path) => relative(directory, path))
          .filter((name) => !/^(RESERVE|LOCK)|-lock$/.test(name));
        const journal = names.filter((name) => name.startsWith('journal/'));
        const from = random.chance(0.6) ? journal : names.sort();
        const name = random.pick(from.sort());
        const path = join(directory, name);
        const { size } = await stat(path);
        const nearEnd = random.chance(0.5);
        const at = nearEnd ? Math.max(0, size - 1 - random.below(400)) : random.below(Math.max(size, 1));
        const sector = at - (at % sectorBytes);
        const length = Math.min(sectorBytes, size - sector);
        const damages = {
          flip: () => flipByte(path, at),
          zeros: () => overwrite(path, sector, Buffer.alloc(length)),
          noise: () => overwrite(path, sector, Buffer.from(patternBytes(length, seed + round))),
          cut: () => truncate(path, at),
          gone: () => rm(path),
        };
        const kind = random.pick(Object.keys(damages) as (keyof typeof damages)[]); // of a literal: its own keys
        const what = `seed ${seed}, round ${round}: ${name} ${kind} at ${at} of ${size}`;
        await damages[kind]();
        try {
          await mendAndLook(directory, bodies, what);
        } catch (cause) {
          // A digit may have made the format a newer one, which nobody but a newer version may judge.
          const newer =
            name === 'FORMAT' && cause instanceof Error && 'code' in cause && cause.code === 'UnsupportedFormat';
          if (!newer) throw new Error(what, { cause });
        }
        await rm(directory, { recursive: true });
      }
    });
  });

  it('of the last batch of a store that was closed in order: it opens, and goes on in a new segment', async () => {
    await withFilled(async (bodies, copy) => {
      for (const sizeBytes of [56, 88, sectorBytes]) {
        const directory = await copy();
        const path = (await segmentPaths(directory)).at(-1) ?? '';
        await spoilEnd(path, sizeBytes);
        const spoilt = await readFile(path);
        const store = await openStore(directory);
        const [damage] = store.health().damage ?? [];
        assert.equal(damage?.file, relative(directory, path));
        assert.match(damage?.description ?? '', /the last batch|the last that the index has/);
        await put(store, 'after', 'the damage');
        const unreadable = [];
        for (const key of bodies.keys())
          if ((await readAll(store, key).catch(() => undefined)) === undefined) unreadable.push(key);
        assert.ok(unreadable.length <= (sizeBytes > 88 ? 2 : 0), unreadable.join());
        await store.close();
        if (sizeBytes > 56) {
          assert.deepEqual(await readFile(path), spoilt, 'what cannot be read is left as it is');
          assert.notEqual((await segmentPaths(directory)).at(-1), path);
        }
        const reopened = await openStore(directory);
        assert.equal(String(await readAll(reopened, 'after')), 'the damage');
        await reopened.close();
        await mendAndLook(directory, bodies, `the last ${sizeBytes} bytes`);
      }
    });
  });

  it('is no reason to open a journal that is shorter than the index says, and one repair mends that', async () => {
    await withFilled(async (bodies, copy) => {
      for (const cutBytes of [8, 56, 88, 300, 600]) {
        const directory = await copy();
        const path = (await segmentPaths(directory)).at(-1) ?? '';
        await truncate(path, (await stat(path)).size - cutBytes);
        await assert.rejects(openStore(directory), { ...storeError('Corrupt'), message: /lost its end/ });
        await mendAndLook(directory, bodies, `${cutBytes} bytes cut off the end`);
      }
    });
  });

  it('of the list of removed segments: it is written anew from the gaps, and no index is kept for it', async () => {
    await withFilled(async (bodies, copy) => {
      for (const spoil of [(path: string) => flipByte(path, 17), (path: string) => truncate(path, 0)]) {
        const directory = await copy();
        const path = join(directory, 'journal', 'removed');
        const before = await readFile(path);
        await spoil(path);
        const spoilt = await readFile(path);
        await (await openStore(directory)).close(); // which remembers what it has found
        assert.equal((await mendAndLook(directory, bodies, 'journal/removed')).size, 0);
        assert.deepEqual(await readFile(path), before);
        const kept = await namesOf(directory, 'quarantine');
        assert.deepEqual(kept, spoilt.length === 0 ? [] : [`journal-removed-0-${spoilt.length}`]);
      }
    });
  });

  it('of a segment that ends too early: the numbers that are missing are appended to it', async () => {
    await withFilled(async (bodies, copy) => {
      for (const cutBytes of [8, 56, 100, 20_200]) {
        const directory = await copy();
        const path = (await segmentPaths(directory)).at(-2) ?? '';
        await truncate(path, (await stat(path)).size - cutBytes);
        const { counts } = await checkStore({ directory });
        assert.ok((counts.journalDamage ?? 0) > 0);
        await mendAndLook(directory, bodies, `${cutBytes} bytes cut off ${relative(directory, path)}`);
      }
    });
  });

  it('of the first sector of a segment, which is then given up', async () => {
    await withFilled(async (bodies, copy) => {
      for (const at of [0, 1, -1]) {
        const directory = await copy();
        const path = (await segmentPaths(directory)).at(at) ?? '';
        await overwrite(path, 0, Buffer.alloc(sectorBytes, 0x5a));
        await mendAndLook(directory, bodies, `the first sector of ${relative(directory, path)}`);
      }
    });
  });

  it('of FORMAT: no opening, but a repair writes what all segments say, and keeps what stood there', async () => {
    await withFilled(async (bodies, copy) => {
      const directory = await copy();
      const path = join(directory, 'FORMAT');
      const before = await readFile(path);
      const mend = async (): Promise<void> => {
        await assert.rejects(openStore(directory), { ...storeError('Corrupt'), message: /stowage fsck --repair/ });
        await assert.rejects(checkStore({ directory }));
        const { actions, counts, clean } = await checkStore({ directory, repair: true });
        assert.match(actions[0]?.description ?? '', /^wrote FORMAT anew, with the id that \d+ segments name/);
        assert.deepEqual([counts.formatDamaged, clean], [1, false]);
        assert.deepEqual(await readFile(path), before);
      };
      for (const at of [0, 2, 11, 23, 24, 55]) {
        await writeFile(path, before);
        await flipByte(path, at);
        const damaged = await readFile(path);
        if (JSON.stringify(damaged.toString()) === JSON.stringify(before.toString())) continue;
        await mend();
        assert.deepEqual(await readFile(join(directory, 'quarantine', 'FORMAT-0-56')), damaged);
      }
      const digit = before.indexOf('"store":"') + 9;
      await overwrite(path, digit, Buffer.from(before[digit] === 0x61 ? 'b' : 'a'));
      await assert.rejects(openStore(directory), storeError('Corrupt'));
      await checkStore({ directory, repair: true });
      assert.deepEqual(await readFile(path), before);
      await rm(path);
      await mend();
      await mendAndLook(directory, bodies, 'FORMAT');
    });
  });

  it('of FORMAT is not mended on the word of segments that differ, nor of another store, nor without any', async () => {
    await withFilled(async (_bodies, copy) => {
      const directory = await copy();
      const path = join(directory, 'FORMAT');
      const other = Buffer.from(`{"format":1,"store":"${'0f'.repeat(16)}"}\n`);
      for (const text of ['{"format":2}', String(other)]) {
        await writeFile(path, text);
        await assert.rejects(checkStore({ directory, repair: true }));
        assert.equal(String(await readFile(path)), text);
      }
      const elsewhere = join(directory, '..', 'elsewhere');
      await (await openStore(elsewhere)).close();
      const [foreign = ''] = await segmentPaths(elsewhere);
      await writeFile(path, 'nonsense');
      await cp(foreign, join(directory, 'journal', '000099.seg'));
      await assert.rejects(checkStore({ directory, repair: true }), storeError('Corrupt'));
      const empty = join(directory, '..', 'empty');
      await mkdir(empty);
      await assert.rejects(checkStore({ directory: empty, repair: true }), storeError('NotAStore'));
      assert.deepEqual(await readdir(empty), [], 'nothing was made');
    });
  });
});
