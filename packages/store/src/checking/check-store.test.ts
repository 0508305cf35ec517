// fsck finds whatever is wrong with a folder, names the objects, changes nothing unless it is told to, and then says what.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { blobKey, keyspace, objectKey, wholeKeyspace } from '../catalog/index-keys.ts';
import {
  createBucket,
  largeSizeBytes,
  patternBytes,
  put,
  readAll,
  stage,
  storeError,
} from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { openDiskStore } from '../disk-store.ts';
import { openLmdbIndex } from '../ordered-index/lmdb-index.ts';
import type { IndexChange } from '../ordered-index/ordered-index.ts';
import { damageBodies, damageKinds, fillForDamage, findDamagePlace } from '../testing/damage.ts';
import { blobPaths, copyAsCrashed, flipByte, segmentPaths, withDataFolder } from '../testing/data-folder.ts';
import type { CheckReport, FindingKind } from './check-report.ts';
import { checkStore } from './check-store.ts';
import { rebuildStore } from './rebuild-store.ts';

/** Every file of a folder with a digest of its bytes. */
async function listFiles(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // What stands beside LOCK while it is held, SQLite makes and removes by itself.
    if (!entry.isFile() || entry.name === 'LOCK-journal') continue;
    files[path] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return files;
}

/** Checks without repair, and that this changes nothing. */
async function check(directory: string): Promise<CheckReport> {
  const before = await listFiles(directory);
  const report = await checkStore({ directory });
  assert.deepEqual(await listFiles(directory), before, 'a check changes nothing');
  assert.deepEqual(report.actions, []);
  return report;
}

function keysOf(report: CheckReport, kind: FindingKind): string[] {
  const found = report.findings.filter((finding) => finding.kind === kind).flatMap(({ objects = [] }) => objects);
  return found.map(({ key }) => key).sort();
}

/** Changes rows of a closed store's index behind its back. */
async function changeIndex(directory: string, changes: readonly IndexChange[]): Promise<void> {
  const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
  index.apply(new Map(changes.map((change) => [change.key.toString('latin1'), change])));
  await index.flush(async () => undefined);
  await index.close();
}

/** Which kind of finding each place of damage is. */
const expectedKind = {
  'segment header': 'journalDamage',
  'record head': 'journalDamage',
  'record header': 'journalDamage',
  'record body': 'bodyDamage',
  'commit record': 'journalDamage',
  'blob data': 'blobDamage',
  'blob checksums': 'blobFooterDamage',
  'blob trailer': 'blobFooterDamage',
} as const satisfies Record<(typeof damageKinds)[number], FindingKind>;

describe('checking a store', () => {
  it('finds nothing wrong with one that is whole, closed in order or not', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const report = await check(directory);
      assert.deepEqual(
        { ...report, checked: undefined },
        { clean: true, findings: [], counts: {}, checked: undefined, actions: [], lost: [] },
      );
      const { journalBytes, blobBytes, indexRows, ...counted } = report.checked;
      assert.deepEqual(counted, { segments: 1, blobs: 3, buckets: 1, objects: 6, uploads: 0 });
      assert.ok(journalBytes > 8000 && blobBytes > 1_700_000 && indexRows > 10);
      const store = await openDiskStore({ directory });
      await assert.rejects(checkStore({ directory }), storeError('Locked'));
      await put(store, 'more', 'bytes');
      await (await stage(store, patternBytes(largeSizeBytes))).discard();
      await stage(store, patternBytes(largeSizeBytes)); // never committed
      const crashed = await copyAsCrashed(directory, 'crashed');
      await store.close();
      const { clean, counts } = await check(crashed);
      assert.ok(clean, JSON.stringify(counts));
      assert.equal(counts.blobUnswept, 1, 'what was not committed is swept by the store itself');
    });
  });

  it('refuses a folder that is no store', async () => {
    await withDataFolder(async (directory) => {
      await mkdir(directory);
      await assert.rejects(checkStore({ directory }), storeError('NotAStore'));
      assert.deepEqual(await readdir(directory), []);
    });
  });

  for (const kind of damageKinds) {
    for (const indexed of [true, false]) {
      it(`finds and mends a flipped byte: ${kind}${indexed ? '' : ', without an index'}`, async () => {
        await withDataFolder(async (directory) => {
          await fillForDamage(directory);
          const place = await findDamagePlace(directory, kind);
          await flipByte(place.path, place.offset);
          if (!indexed) await rm(join(directory, 'index'), { recursive: true });
          const report = await check(directory);
          assert.equal(report.clean, false);
          assert.equal(report.counts[expectedKind[kind]], 1);
          assert.deepEqual(keysOf(report, expectedKind[kind]), [...place.keys].sort());

          const repaired = await checkStore({ directory, repair: true });
          assert.ok(repaired.actions.some(({ description }) => description.startsWith('copied 1 damaged stretch')));
          const bytesLost = kind === 'record body' || kind === 'blob data';
          const recordLost = !indexed && (kind === 'record head' || kind === 'record header');
          assert.deepEqual(
            repaired.lost.map(({ key }) => key).sort(),
            bytesLost || recordLost ? [...place.keys].sort() : [],
          );
          const again = await check(directory);
          assert.equal(again.clean, !bytesLost, 'only bytes that are lost cannot be mended');

          const store = await openDiskStore({ directory });
          const body = kind.startsWith('blob') ? 'large' : 'small';
          if (bytesLost) await assert.rejects(readAll(store, body), storeError('Corrupt'));
          else if (recordLost) assert.equal(await readAll(store, body), undefined);
          else assert.ok((await readAll(store, body))?.equals(damageBodies[body]));
          assert.ok((await readAll(store, 'other'))?.equals(damageBodies.other));
          if (bytesLost) {
            for (const key of place.keys) await store.deleteObject({ bucket: 'bucket', key });
          }
          await store.close();
          assert.ok(bytesLost ? (await checkStore({ directory, repair: true })).lost.length === 0 : true);
          assert.equal((await check(directory)).clean, true, 'deleted, and written off');
        });
      });
    }
  }

  it('holds every row of the index against the journal, and makes the index anew', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
      const rows: { key: Buffer; value: Buffer }[] = [];
      index.scan({ from: Buffer.of(0), to: Buffer.of(255) }, (key, value) => rows.push({ key, value }) > 0);
      await index.close();
      const rowOf = (part: string): { key: Buffer; value: Buffer } => {
        const row = rows.find(({ key }) => key[0] === keyspace.object && key.toString('latin1', 7) === part);
        assert.ok(row !== undefined);
        return row;
      };
      const bucketId = rowOf('small').key.readUIntBE(1, 6);
      const altered = Buffer.from(rowOf('small').value);
      altered[altered.length - 3] = (altered.at(-3) ?? 0) ^ 1;
      const blob = rows.find(({ key }) => key[0] === keyspace.blob);
      assert.ok(blob !== undefined);
      await changeIndex(directory, [
        { key: rowOf('small').key, value: altered },
        { key: rowOf('before').key, value: undefined },
        { key: objectKey(bucketId, 'never-put'), value: rowOf('other').value },
        { key: blob.key, value: Buffer.from([0, 0, 0, 9]) },
      ]);
      const report = await check(directory);
      assert.deepEqual(keysOf(report, 'indexDiffers'), ['before', 'never-put', 'small']);
      assert.equal(report.counts.countDiffers, 1);
      assert.deepEqual(report.lost, []);
      const repaired = await checkStore({ directory, repair: true });
      assert.deepEqual(repaired.actions, [{ done: true, description: 'made the index anew from the journal' }]);
      assert.ok((await check(directory)).clean);
    });
  });

  it('finds an index of damaged pages without being harmed by it, and so does the opening of a store', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const path = join(directory, 'index', 'data.mdb');
      const pages = await readFile(path);
      for (let page = 2; page * 4096 < pages.length; page += 1) patternBytes(4096, page).copy(pages, page * 4096);
      await writeFile(path, pages);
      const { findings } = await check(directory);
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        ['indexUnusable'],
      );
      assert.match(findings[0]?.description ?? '', /stowage rebuild/);
      const told: string[] = [];
      const store = await openDiskStore({ directory, log: (level, message) => told.push(`${level} ${message}`) });
      assert.ok(
        told.some((line) => line.includes('cannot be opened and is rebuilt')),
        told.join(),
      );
      assert.ok((await readAll(store, 'small'))?.equals(damageBodies.small));
      await store.close();
      assert.ok((await check(directory)).clean);
    });
  });

  it('makes its indexes elsewhere when it is told to, and leaves nothing there', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const scratch = join(directory, '..', 'scratch');
      await mkdir(scratch);
      const before = await listFiles(directory);
      assert.ok((await checkStore({ directory, scratch })).clean);
      assert.deepEqual(await listFiles(directory), before);
      assert.deepEqual(await readdir(scratch), []);
      await assert.rejects(checkStore({ directory, scratch, repair: true }), RangeError);
    });
  });

  it('finds missing blobs and blobs that nothing references, and never removes either silently', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const place = await findDamagePlace(directory, 'blob data');
      const orphan = join(directory, 'blobs', '000000000001', '000000', '00000000000100000077');
      await writeFile(orphan, 'orphan');
      await rm(place.path);
      await rebuildStore({ directory }); // whose index no longer vouches for blobs of earlier times
      const report = await check(directory);
      assert.deepEqual(keysOf(report, 'blobMissing'), ['copy', 'large']);
      assert.equal(report.counts.blobKept, 1);
      const repaired = await checkStore({ directory, repair: true });
      assert.deepEqual(repaired.lost.map(({ key }) => key).sort(), ['copy', 'large']);
      const quarantined = join(directory, 'quarantine', 'blob-00000000000100000077');
      assert.equal(await readFile(quarantined, 'utf8'), 'orphan');
      assert.deepEqual((await check(directory)).counts, { blobMissing: 1 });
    });
  });

  it('tells what is not ours and what was left over, and touches only the latter', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const foreign = ['notes.txt', 'journal/readme', 'index/data.bak', 'blobs/lost+found', 'blobs/000000000001/x'];
      const leftovers = ['FORMAT.next', 'index/checkpoint.next', 'RESERVE.probe', 'journal/removed.next'];
      for (const name of [...foreign, ...leftovers]) await writeFile(join(directory, name), 'x');
      const { clean, findings } = await check(directory);
      assert.ok(clean, 'neither is wrong');
      const files = (kind: FindingKind): unknown =>
        findings
          .filter((one) => one.kind === kind)
          .map(({ file }) => file)
          .sort();
      assert.deepEqual(files('foreign'), foreign.toSorted());
      assert.deepEqual(files('leftover'), leftovers.toSorted());
      const { actions } = await checkStore({ directory, repair: true });
      assert.equal(actions.length, leftovers.length);
      const left = (await check(directory)).findings.map(({ file }) => file).sort();
      assert.deepEqual(left, foreign.toSorted());
    });
  });
});

const smallSegments = { segmentSizeBytes: 20_000, maxInlineBytes: 4096 } as const;

describe('repairing a journal that has lost records', () => {
  it('writes what the index still knows into the journal again: a lost segment, put, deleted, copied and uploaded', async () => {
    await withDataFolder(async (directory) => {
      let store = await openDiskStore({ directory, sizes: smallSegments, compaction: 'on demand' });
      await createBucket(store);
      for (const key of ['kept', 'deleted', 'replaced']) await put(store, key, patternBytes(3000, 1));
      for (let count = 0; count < 6; count += 1) await put(store, `fill/${count}`, patternBytes(4000, count));
      // From here on in the second segment, which is lost.
      await store.deleteObject({ bucket: 'bucket', key: 'deleted' });
      await put(store, 'replaced', patternBytes(9000, 2));
      const source = await put(store, 'large', patternBytes(50_000, 3));
      await put(store, 'small', patternBytes(2000, 4));
      const { attributes } = {
        attributes: { systemMetadata: {}, userMetadata: {}, storageClass: 'STANDARD', owner: 'o' },
      };
      await store.copyObject({ bucket: 'bucket', key: 'copy', attributes, source });
      for (let count = 6; count < 12; count += 1) await put(store, `fill/${count}`, patternBytes(4000, count));
      await put(store, 'last', patternBytes(3000, 5));
      await store.close();
      const [, lost = ''] = await segmentPaths(directory);
      await rm(lost);
      const report = await check(directory);
      assert.equal(report.counts.journalDamage, 1);
      assert.ok(keysOf(report, 'journalDamage').includes('small'));
      const repaired = await checkStore({ directory, repair: true });
      assert.ok(
        repaired.actions.some(({ description }) => /deleted 1 object/.test(description)),
        JSON.stringify(repaired.actions),
      );

      store = await openDiskStore({ directory, sizes: smallSegments });
      for (const [key, bytes] of [
        ['kept', patternBytes(3000, 1)],
        ['replaced', patternBytes(9000, 2)],
        ['large', patternBytes(50_000, 3)],
        ['copy', patternBytes(50_000, 3)],
        ['last', patternBytes(3000, 5)],
      ] as const) {
        assert.ok((await readAll(store, key))?.equals(bytes), key);
      }
      assert.equal(await readAll(store, 'deleted'), undefined, 'what was deleted stays deleted');
      await assert.rejects(
        readAll(store, 'small'),
        storeError('Corrupt'),
        'its bytes are lost, and no older version is served',
      );
      await store.close();
      const again = await check(directory);
      assert.deepEqual(Object.keys(again.counts), ['bodyDamage'], JSON.stringify(again.findings));
      await rm(join(directory, 'index'), { recursive: true });
      store = await openDiskStore({ directory, sizes: smallSegments });
      assert.ok((await readAll(store, 'replaced'))?.equals(patternBytes(9000, 2)), 'a rebuild knows it all');
      assert.equal(await readAll(store, 'deleted'), undefined);
      await store.close();
    });
  });

  it('keeps all blobs after records are lost for good', async () => {
    await withDataFolder(async (directory) => {
      await fillForDamage(directory);
      const [segment = ''] = await segmentPaths(directory);
      await flipByte(segment, (await readFile(segment)).indexOf('large'));
      await rm(join(directory, 'index'), { recursive: true });
      const { counts, actions } = await checkStore({ directory, repair: true });
      assert.equal(counts.journalDamage, 1);
      assert.equal((await blobPaths(directory)).length, 3);
      assert.ok(actions.some(({ done, description }) => !done && description.includes('former index')));
      const store = await openDiskStore({ directory });
      await store.deleteObject({ bucket: 'bucket', key: 'copy' });
      await store.close();
      const index = await openLmdbIndex({ disk: nodeDisk, folder: join(directory, 'index') });
      index.scan(wholeKeyspace(keyspace.garbage), (key) => assert.fail(key.toString('hex')));
      assert.equal(index.get(blobKey(keyspace.blob, Buffer.alloc(10))), undefined);
      await index.close();
    });
  });
});
