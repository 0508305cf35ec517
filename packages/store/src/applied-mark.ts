// What the index knows of itself: the last batch of the journal that it holds, written in the same transaction as the
// batch's changes; up to which opening blobs were swept for orphans; and whether it is still being rebuilt.

import { stateKey } from './catalog/index-keys.ts';
import type { BatchMark } from './journal/journal.ts';
import type { IndexReader } from './ordered-index/ordered-index.ts';

export const appliedKey: Buffer = stateKey('applied');
export const sweptKey: Buffer = stateKey('swept');
/** Stands while the index is rebuilt: its counts are not settled yet. */
export const rebuildingKey: Buffer = stateKey('rebuilding');

export function encodeMark({ lsn, segment, offset }: BatchMark): Buffer {
  const row = Buffer.allocUnsafe(14);
  row.writeUIntBE(lsn, 0, 6);
  row.writeUInt32BE(segment, 6);
  row.writeUInt32BE(offset, 10);
  return row;
}

export function readMark(index: IndexReader): BatchMark | undefined {
  const row = index.get(appliedKey);
  if (row === undefined) return undefined;
  return { lsn: row.readUIntBE(0, 6), segment: row.readUInt32BE(6), offset: row.readUInt32BE(10) };
}

export function encodeEpoch(epoch: number): Buffer {
  const row = Buffer.allocUnsafe(6);
  row.writeUIntBE(epoch, 0, 6);
  return row;
}

/** All blobs of this opening and of earlier ones are known to be referenced. */
export function readSweptEpoch(index: IndexReader): number {
  return index.get(sweptKey)?.readUIntBE(0, 6) ?? 0;
}
