import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { blockChecksums } from '../blobs/block-checksums.ts';
import type { Fact } from '../catalog/facts.ts';
import { objectKey } from '../catalog/index-keys.ts';
import { encodeVersionRow } from '../catalog/version-row.ts';
import { plainAttributes } from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { DiskTrust } from '../disk-trust.ts';
import type { Durability, StoreDamage } from '../object-store.ts';
import { usualSizes } from '../store-sizes.ts';
import { flipByte, withDataFolder } from '../testing/data-folder.ts';
import { type BatchMark, Journal } from './journal.ts';
import { commitHeaderSizeBytes } from './record.ts';
import { align, recordOverheadBytes } from './record-layout.ts';
import { IndexAheadError, type Recovered, recoverJournal } from './recovery.ts';
import { segmentHeaderSizeBytes, segmentName } from './segment.ts';

const storeId = Buffer.alloc(16, 7);
const strict: Durability = { level: 'strict' };

interface Found {
  readonly keys: string[];
  readonly damage: StoreDamage[];
  readonly recovered: Recovered;
}

async function recover(folder: string, from?: BatchMark, readOnly = false): Promise<Found> {
  const keys: string[] = [];
  const damage: StoreDamage[] = [];
  const recovered = await recoverJournal({
    disk: nodeDisk,
    folder,
    storeId,
    from,
    readOnly,
    onBatch: async (facts) => {
      keys.push(...facts.map(({ key }) => key.toString('utf8', 7)));
    },
    onDamage: async (found) => {
      damage.push(found);
    },
  });
  return { keys, damage, recovered };
}

function openJournal(folder: string, recovered?: Recovered, durability = strict): Promise<Journal> {
  let salt = 1;
  const random = (sizeBytes: number): Uint8Array => {
    salt += 1;
    return Buffer.alloc(sizeBytes, salt);
  };
  const trust = new DiskTrust((cause) => {
    throw cause;
  });
  const end = recovered?.end ?? { segment: undefined, lastSegmentNumber: 0, nextLsn: 1, changeCount: 0 };
  return Journal.open({ disk: nodeDisk, folder, storeId, durability, random, sizes: usualSizes, trust }, end);
}

function objectPut(key: string, body: Buffer): Fact {
  const row = encodeVersionRow({
    sequence: 1,
    sizeBytes: body.length,
    lastModifiedMs: 1,
    etag: 'e',
    checksum: undefined,
    attributes: plainAttributes,
    location: { kind: 'journal', segment: 0, offset: 0, checksums: blockChecksums(body) },
  });
  return { type: 'objectPut', key: objectKey(1, key), row };
}

/** One batch for each list of keys; answers where each ended. */
async function writeBatches(journal: Journal, batches: readonly (readonly string[])[]): Promise<BatchMark[]> {
  const marks: BatchMark[] = [];
  for (const keys of batches) {
    await journal.begin();
    for (const key of keys) {
      const body = Buffer.from(`body of ${key} `.repeat(3));
      journal.addFact(objectPut(key, body), body);
    }
    marks.push(await journal.write(1));
  }
  return marks;
}

async function withJournal(run: (folder: string, path: string) => Promise<void>): Promise<void> {
  await withDataFolder(async (folder) => {
    await mkdir(folder);
    await run(folder, join(folder, segmentName(1)));
  });
}

describe('journal recovery', () => {
  it('finds every batch again, from the start or from a mark', async () => {
    await withJournal(async (folder) => {
      const journal = await openJournal(folder);
      const marks = await writeBatches(journal, [['a', 'b'], ['c'], ['d', 'e']]);
      await journal.close(true);
      const all = await recover(folder);
      assert.deepEqual([all.keys, all.damage, all.recovered.cutBytes], [['a', 'b', 'c', 'd', 'e'], [], 0]);
      const rest = await recover(folder, marks[0]);
      assert.deepEqual(rest.keys, ['c', 'd', 'e']);
      assert.deepEqual(rest.recovered.end, all.recovered.end);
      const nothing = await recover(folder, marks[2]);
      assert.deepEqual([nothing.keys, nothing.recovered.end], [[], all.recovered.end]);
      const next = await openJournal(folder, nothing.recovered);
      await writeBatches(next, [['f']]);
      await next.close(false);
      assert.deepEqual((await recover(folder)).keys, ['a', 'b', 'c', 'd', 'e', 'f']);
    });
  });

  it('cuts a torn tail at every byte, and keeps what came before', async () => {
    await withJournal(async (folder, path) => {
      const journal = await openJournal(folder);
      const [first] = await writeBatches(journal, [
        ['a', 'b'],
        ['c', 'd'],
      ]);
      await journal.close(true);
      const whole = await readFile(path);
      const { end } = (await recover(folder, first)).recovered;
      const commitSizeBytes = recordOverheadBytes + commitHeaderSizeBytes;
      const lastStart = (first?.offset ?? 0) + align(commitSizeBytes);
      const committedEnd = whole.length - (align(commitSizeBytes) - commitSizeBytes); // behind it there is padding
      for (let size = lastStart; size < committedEnd; size += 1) {
        await truncate(path, size);
        const found = await recover(folder);
        assert.deepEqual([found.keys, found.damage], [['a', 'b'], []], `cut at ${size}`);
        assert.equal(found.recovered.end.segment?.position, lastStart);
        await writeFile(path, whole);
      }
      for (let at = lastStart; at < committedEnd; at += 1) {
        const torn = Buffer.from(whole);
        torn.fill(0, at);
        await writeFile(path, torn);
        assert.deepEqual((await recover(folder)).keys, ['a', 'b'], `zeros from ${at}`);
      }
      for (let at = lastStart; at < whole.length; at += 1) {
        await writeFile(path, whole);
        await flipByte(path, at);
        const { keys, damage } = await recover(folder);
        assert.deepEqual(damage, []);
        // A byte of padding belongs to no record.
        if (keys.length === 4) continue;
        assert.deepEqual(keys, ['a', 'b'], `garbled at ${at}`);
      }
      assert.equal(end.segment?.position, whole.length);
    });
  });

  it('reports damage before the tail, and goes on behind it', async () => {
    await withJournal(async (folder, path) => {
      const journal = await openJournal(folder);
      await writeBatches(journal, [['a'], ['b', 'c'], ['d'], ['e']]);
      await journal.close(true);
      const whole = await readFile(path);
      const clean = await recover(folder);
      let reported = 0;
      for (let at = segmentHeaderSizeBytes; at < whole.length; at += 7) {
        await writeFile(path, whole);
        await flipByte(path, at);
        const { keys, damage, recovered } = await recover(folder);
        if (damage.length > 0) {
          reported += 1;
          assert.deepEqual(recovered.end, clean.recovered.end, `flipped at ${at}`);
          assert.ok(keys.length >= 3, `flipped at ${at}: ${keys.join()}`);
        }
        // What is not reported is untouched, or the torn end.
        const expected = ['a', 'b', 'c', 'd', 'e'].slice(0, keys.length);
        if (damage.length === 0) assert.deepEqual(keys, expected);
        if (damage.length === 0) assert.ok(keys.length >= 4);
      }
      assert.ok(reported > 30);
    });
  });

  it('tells what was never durable from damage', async () => {
    await withJournal(async (folder, path) => {
      const journal = await openJournal(folder, undefined, { level: 'memory' });
      const marks = await writeBatches(journal, [['a'], ['b'], ['c']]);
      await journal.close(false);
      await flipByte(path, (marks[0]?.offset ?? 0) + 48 + 40);
      const lost = await recover(folder);
      assert.deepEqual([lost.keys, lost.damage], [['a'], []], 'without syncs, a gap ends the journal');
    });
  });

  it('keeps a record whose body alone is damaged', async () => {
    await withJournal(async (folder, path) => {
      const journal = await openJournal(folder);
      await writeBatches(journal, [['a'], ['b'], ['c']]);
      await journal.close(true);
      const whole = await readFile(path);
      await flipByte(path, whole.indexOf('body of a'));
      const { keys, damage } = await recover(folder);
      assert.deepEqual(keys, ['a', 'b', 'c']);
      assert.equal(damage.length, 1);
      assert.match(damage[0]?.description ?? '', /body of record 1/);
    });
  });

  it('takes no stored bytes for records', async () => {
    await withJournal(async (folder, path) => {
      const journal = await openJournal(folder);
      await writeBatches(journal, [['real']]);
      const forged = (await readFile(path)).subarray(segmentHeaderSizeBytes, segmentHeaderSizeBytes + 400);
      forged.writeUInt32BE(0, 4); // a client cannot know the salt
      await journal.begin();
      journal.addFact(objectPut('holder', forged), forged);
      await journal.write(1);
      await writeBatches(journal, [['after']]);
      await journal.close(true);
      await flipByte(path, segmentHeaderSizeBytes + 400);
      const { keys } = await recover(folder);
      assert.ok(!keys.includes('forged') && keys.includes('after'));
    });
  });

  it('goes through several segments, and reports one that is missing', async () => {
    await withJournal(async (folder) => {
      let recovered: Recovered | undefined;
      for (const key of ['a', 'b', 'c', 'd']) {
        const journal = await openJournal(folder, recovered);
        await writeBatches(journal, [[key]]);
        await journal.close(true);
        recovered = (await recover(folder)).recovered;
        // Has the next batch begin a segment, as a full one would.
        recovered = { ...recovered, end: { ...recovered.end, segment: undefined } };
      }
      assert.deepEqual((await recover(folder)).keys, ['a', 'b', 'c', 'd']);
      const kept = join(folder, 'kept');
      await copyFile(join(folder, segmentName(2)), kept);
      await rm(join(folder, segmentName(2)));
      const missing = await recover(folder);
      assert.deepEqual(missing.keys, ['a', 'c', 'd']);
      assert.match(missing.damage[0]?.description ?? '', /records 3 to 4 are missing/);
      await copyFile(kept, join(folder, segmentName(2)));
      await flipByte(join(folder, segmentName(2)), 10);
      const headerless = await recover(folder);
      assert.deepEqual(headerless.keys, ['a', 'b', 'c', 'd']);
      assert.match(headerless.damage[0]?.description ?? '', /header is damaged/);
    });
  });

  it('takes no end of a segment for a torn one that a later segment stands behind, however damaged that is', async () => {
    await withJournal(async (folder, path) => {
      const journal = await openJournal(folder);
      const [, last] = await writeBatches(journal, [['a'], ['b']]);
      await journal.close(true);
      const { end } = (await recover(folder)).recovered;
      const next = await openJournal(folder, {
        ...(await recover(folder)).recovered,
        end: { ...end, segment: undefined },
      });
      const [later] = await writeBatches(next, [['c']]);
      await next.close(true);
      await flipByte(path, last?.offset ?? 0);
      await flipByte(join(folder, segmentName(2)), later?.offset ?? 0);
      for (const header of ['whole', 'damaged']) {
        if (header === 'damaged') await flipByte(join(folder, segmentName(2)), 10);
        const { keys, damage } = await recover(folder, undefined, true);
        assert.deepEqual(keys, ['a']);
        assert.ok(
          damage.some(({ file }) => file === `journal/${segmentName(1)}`),
          header,
        );
      }
    });
  });

  it('drops the remains of a rotation that was interrupted', async () => {
    await withJournal(async (folder) => {
      const journal = await openJournal(folder);
      await writeBatches(journal, [['a']]);
      await journal.close(true);
      for (const remains of [Buffer.alloc(0), Buffer.from('STOWSEG1'), Buffer.alloc(64)]) {
        await writeFile(join(folder, segmentName(2)), remains);
        const { keys, damage, recovered } = await recover(folder);
        assert.deepEqual([keys, damage, recovered.end.lastSegmentNumber], [['a'], [], 1]);
        await assert.rejects(stat(join(folder, segmentName(2))));
      }
    });
  });

  it('says when the index is ahead of the journal', async () => {
    await withJournal(async (folder) => {
      const journal = await openJournal(folder);
      const [mark] = await writeBatches(journal, [['a']]);
      await journal.close(true);
      assert.ok(mark !== undefined);
      await assert.rejects(recover(folder, { ...mark, lsn: mark.lsn + 1 }), IndexAheadError);
      await assert.rejects(recover(folder, { ...mark, offset: mark.offset + 8 }), IndexAheadError);
      await assert.rejects(recover(folder, { ...mark, segment: 9 }), IndexAheadError);
    });
  });

  it('refuses the segments of another store', async () => {
    await withJournal(async (folder) => {
      const journal = await openJournal(folder);
      await writeBatches(journal, [['a']]);
      await journal.close(true);
      const options = { disk: nodeDisk, folder, storeId: Buffer.alloc(16, 8), from: undefined };
      const run = recoverJournal({ ...options, onBatch: async () => undefined, onDamage: async () => undefined });
      await assert.rejects(run, { name: 'StoreError', code: 'Corrupt' });
    });
  });
});
