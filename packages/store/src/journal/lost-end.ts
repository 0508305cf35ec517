// A journal that ends before the place that others say it had come to.

import type { JournalEnd } from './journal.ts';
import { reportDamage, type TakesDamage } from './report-damage.ts';
import { segmentName } from './segment.ts';

/** A place that the journal had come to. */
export interface KnownEnd {
  readonly lsn: number;
  /** 0: not known. */
  readonly segment: number;
}

interface ReadEnd {
  /** The last segment that counts. */
  readonly kept: number;
  readonly nextLsn: number;
  /** The last segment that compaction removed. */
  readonly removed: KnownEnd | undefined;
  /** Segments that could not be read at all, by number. */
  readonly unreadable: ReadonlyMap<number, number>;
}

/**
 * Where to go on when the journal has lost its end: nothing is removed that it does not go on behind, no index has what it
 * never had, and no blob is written before the record that it is named after. No number of a record may come a second time,
 * nor that of a segment which may be put back; so some are left out, and every later reader sees the gap.
 */
export async function findLostEnd(
  options: { readonly onDamage: TakesDamage; readonly known?: KnownEnd },
  { kept, nextLsn, removed, unreadable }: ReadEnd,
): Promise<Omit<JournalEnd, 'changeCount'> | undefined> {
  const { known = { lsn: 0, segment: 0 } } = options;
  const behind = removed !== undefined && removed.segment > kept ? removed : undefined;
  if (behind !== undefined) {
    const what = `the journal went on behind segment ${behind.segment}, which is removed, and ends in segment ${kept}`;
    await reportDamage(options, { name: segmentName(behind.segment), offset: 0, sizeBytes: 0, what });
  }
  const firstLsn = Math.max(nextLsn, (behind?.lsn ?? 0) + 1);
  const lastSegment = Math.max(kept, behind?.segment ?? 0, ...unreadable.keys());
  if (known.lsn < firstLsn) {
    return behind && { segment: undefined, lastSegmentNumber: lastSegment, nextLsn: firstLsn };
  }
  const what = `the journal ends with record ${firstLsn - 1}, and had come to record ${known.lsn} at least: its end is lost`;
  const records = { first: firstLsn, last: known.lsn };
  await reportDamage(options, { name: undefined, offset: 0, sizeBytes: 0, what, records });
  const lastSegmentNumber = Math.max(lastSegment, known.segment) + 1;
  return { segment: undefined, lastSegmentNumber, nextLsn: known.lsn + 1 };
}
