// Puts the cursors of a store on disk together, once it is open: everything recovered, and the journal durable.

import { join } from 'node:path';
import { forgetBucketNames } from '../catalog/bucket-names.ts';
import type { Committer } from '../catalog/operations.ts';
import type { Disk } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import type { Journal } from '../journal/journal.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentName, segmentNumber } from '../journal/segment.ts';
import type { SegmentPins } from '../journal/segment-pins.ts';
import type { StoreDamage } from '../object-store.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import { Cursors } from './cursors.ts';
import { JournalFeed } from './journal-feed.ts';

/** The cursors, and what is told of each batch. */
export interface OpenedCursors {
  readonly feed: JournalFeed;
  readonly cursors: Cursors;
}

interface OpenCursorsOptions {
  readonly disk: Disk;
  /** The journal's. */
  readonly folder: string;
  readonly storeId: Buffer;
  readonly index: OrderedIndex;
  readonly journal: Journal;
  readonly committer: Committer;
  /** Shared with whoever removes segments. */
  readonly pins: SegmentPins;
  readonly onDamage: (damage: StoreDamage) => void;
}

export async function openCursors(options: OpenCursorsOptions): Promise<OpenedCursors> {
  const { index, journal, committer, pins } = options;
  const feed = await JournalFeed.open(options, pins.oldestNeededSegment());
  const forgotten = forgetBucketNames(index, {
    oldestLsn: await oldestLsn(options),
    nextLsn: journal.writtenEnd.lsn + 1,
  });
  if (forgotten.size > 0) index.apply(forgotten);
  return { feed, cursors: new Cursors({ index, committer, source: feed, pins }) };
}

/** The first record that the journal may still hold; 0 when that cannot be told. */
async function oldestLsn({ disk, folder }: OpenCursorsOptions): Promise<number> {
  const numbers = (await disk.list(folder)).map(segmentNumber).filter((number) => number !== undefined);
  const file = await disk.open(join(folder, segmentName(Math.min(...numbers))), 'read');
  try {
    const bytes = Buffer.alloc(segmentHeaderSizeBytes);
    await readAround(file, bytes, 0);
    return decodeSegmentHeader(bytes)?.firstLsn ?? 0;
  } finally {
    await file.close();
  }
}
