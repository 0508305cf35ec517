// What stands between a place where no record holds and the next record that does: the one rule by which damage is passed
// over, for recovery, for the check of a segment and for cursors.

import type { ScannedRecord, SegmentScanner } from './scanner.ts';

interface DamagedStretch {
  /** The first record behind it that holds; `undefined` when there is none in the segment. */
  readonly next: ScannedRecord | undefined;
  readonly endOffset: number;
  readonly description: string;
  /** Which records stood there. When the stretch ends the segment, only the next segment tells how far they went. */
  readonly records?: { readonly first: number; readonly last: number };
}

/**
 * The stretch from `offset` to the next record that holds and is not earlier than the one that is expected (`undefined`: it
 * is not known which one is).
 */
export async function findDamagedStretch(
  scanner: SegmentScanner,
  offset: number,
  expectedLsn: number | undefined,
): Promise<DamagedStretch> {
  let next = await scanner.findNext(offset);
  while (next !== undefined && next.head.lsn < (expectedLsn ?? 0)) next = await scanner.findNext(next.endOffset);
  const last = next === undefined ? undefined : next.head.lsn - 1;
  const first = expectedLsn ?? last;
  const description = `${recordsInWords(first, last)} cannot be read`;
  const stretch = { next, endOffset: next?.offset ?? scanner.fileSizeBytes, description };
  return first === undefined || last === undefined ? stretch : { ...stretch, records: { first, last } };
}

/** Records that cannot be read; the last of them may be unknown. */
export function recordsInWords(first: number | undefined, last: number | undefined): string {
  if (first !== undefined && first === last) return `record ${first}`;
  return `records ${first ?? '(unknown)'} to ${last ?? 'the last of the segment'}`;
}
