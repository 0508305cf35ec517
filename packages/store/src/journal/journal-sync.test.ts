// What `sync` claims: that everything written before it was called is durable, and nothing more, also while segments change.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { bucketKey } from '../catalog/index-keys.ts';
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { DiskTrust } from '../disk-trust.ts';
import { usualSizes } from '../store-sizes.ts';
import { withDataFolder } from '../testing/data-folder.ts';
import { faultyDisk } from '../testing/faulty-disk.ts';
import { Journal } from './journal.ts';

const sizes = { ...usualSizes, segmentSizeBytes: 200 };

/** Nothing is durable by itself: only `sync` and the end of a segment make it so. */
async function openJournal(folder: string, disk: Disk): Promise<Journal> {
  await mkdir(folder);
  return Journal.open(
    {
      disk,
      folder,
      storeId: Buffer.alloc(16),
      durability: { level: 'memory' },
      random: (sizeBytes) => Buffer.alloc(sizeBytes, 1),
      sizes,
      trust: new DiskTrust(() => undefined),
    },
    { segment: undefined, lastSegmentNumber: 0, nextLsn: 1, changeCount: 0 },
  );
}

async function writeBatch(journal: Journal): Promise<void> {
  await journal.begin();
  journal.addFact({ type: 'bucketPut', key: bucketKey('bucket'), row: Buffer.alloc(40) }, undefined);
  await journal.write(1);
}

/** A disk on which syncs of segments wait while it is held. */
function holdingDisk(beneath: Disk): { readonly disk: Disk; hold(): void; release(): void } {
  let held: PromiseWithResolvers<void> | undefined;
  const wrap = async (opening: ReturnType<Disk['open']>): ReturnType<Disk['open']> => {
    const file = await opening;
    return {
      write: (chunks, position) => file.write(chunks, position),
      read: (bytes, position) => file.read(bytes, position),
      readSync: (bytes, position) => file.readSync(bytes, position),
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
      async sync() {
        await held?.promise;
        await file.sync();
      },
    };
  };
  return {
    disk: {
      ...beneath,
      open: (path, mode) => wrap(beneath.open(path, mode)),
      create: (path, mode) => wrap(beneath.create(path, mode)),
    },
    hold: () => {
      held = Promise.withResolvers();
    },
    release: () => held?.resolve(),
  };
}

/** Gives everything that can go on the time to do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}

describe('journal sync', () => {
  it('waits for the full segment while a new one is begun', async () => {
    await withDataFolder(async (folder) => {
      const { disk, hold, release } = holdingDisk(nodeDisk);
      const journal = await openJournal(folder, disk);
      await writeBatch(journal);
      const written = journal.writtenEnd.lsn;
      hold();
      const begun = journal.begin();
      let claimed = false;
      const synced = journal.sync().then(() => {
        claimed = true;
      });
      await settle();
      assert.equal(claimed, false, 'the full segment is not durable yet');
      assert.ok(journal.durableEnd.lsn < written);
      release();
      await Promise.all([begun, synced]);
      assert.equal(journal.durableEnd.lsn, written);
      await journal.close(true);
    });
  });

  it('claims nothing when the full segment cannot be made durable', async () => {
    await withDataFolder(async (folder) => {
      let failing = false;
      const disk = faultyDisk(nodeDisk, ({ kind }) => (failing && kind === 'sync' ? 'EIO' : undefined));
      const journal = await openJournal(folder, disk);
      await writeBatch(journal);
      const { lsn } = journal.writtenEnd;
      failing = true;
      const begun = journal.begin();
      const synced = journal.sync();
      await assert.rejects(begun, { code: 'EIO' });
      await assert.rejects(synced);
      failing = false;
      await assert.rejects(journal.sync(), /has lost its segment/);
      assert.ok(journal.durableEnd.lsn < lsn);
      await journal.close(false);
    });
  });

  it('claims nothing of what is written while it is at it', async () => {
    await withDataFolder(async (folder) => {
      const { disk, hold, release } = holdingDisk(nodeDisk);
      const journal = await openJournal(folder, disk);
      await journal.begin();
      await journal.write(1); // a commit record alone: the segment is far from full
      const { lsn } = journal.writtenEnd;
      hold();
      const synced = journal.sync();
      await settle();
      await journal.begin();
      await journal.write(2);
      assert.ok(journal.writtenEnd.lsn > lsn);
      release();
      await synced;
      assert.equal(journal.durableEnd.lsn, lsn);
      await journal.close(true);
    });
  });
});
