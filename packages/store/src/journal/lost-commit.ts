// What stands around a commit record that the index names and the journal does not have any more.

import { isChange } from '../catalog/change-facts.ts';
import type { BatchMark } from './journal.ts';
import { factTypeOf } from './record.ts';
import { commitOf } from './scanner.ts';
import { segmentHeaderSizeBytes } from './segment.ts';
import type { SegmentAtHand } from './segment-at-hand.ts';

interface Surroundings {
  /** The last record before it, and where that ends. */
  readonly lastLsn: number;
  readonly lastEnd: number;
  /** Whether a later record stands behind it. */
  readonly goesOnBehind: boolean;
  /** Each record that is lost may have been a change: a count that is too low would have cursors ahead of it. */
  readonly changeCount: number;
}

/** What can be read around a commit record that is lost; `undefined` when that is no place where it can have stood. */
export async function lookAround(
  { scanner, firstLsn }: SegmentAtHand,
  from: BatchMark,
  behindMark: number,
): Promise<Surroundings | undefined> {
  let lastLsn = (firstLsn ?? from.lsn) - 1;
  let lastEnd = segmentHeaderSizeBytes;
  let changeCount = 0;
  let next = await scanner.findNext(segmentHeaderSizeBytes);
  for (; next !== undefined && next.offset < from.offset; next = await scanner.findNext(next.endOffset)) {
    const type = factTypeOf(next.head.code);
    const isOne = type !== undefined && isChange(type);
    const lost = Math.max(0, next.head.lsn - lastLsn - 1);
    changeCount = commitOf(next)?.changeCount ?? changeCount + lost + (isOne ? 1 : 0);
    lastLsn = next.head.lsn;
    lastEnd = next.endOffset;
  }
  if (lastLsn >= from.lsn || lastEnd > from.offset) return undefined;
  const behind = await scanner.findNext(behindMark);
  if (behind !== undefined && behind.head.lsn <= from.lsn) return undefined;
  return { lastLsn, lastEnd, goesOnBehind: behind !== undefined, changeCount: changeCount + from.lsn - lastLsn - 1 };
}
