// Where a scrub stands: a row of the index, so that the next opening goes on with a pass and does not begin anew.
// docs/format.md, "Index", `scrub`.

import { ByteReader, ByteWriter } from '../catalog/byte-codec.ts';
import { stateKey } from '../catalog/index-keys.ts';
import { blobIdSizeBytes } from '../catalog/version-row.ts';
import type { IndexChanges, IndexReader } from '../ordered-index/ordered-index.ts';

export interface ScrubPosition {
  /** `pause`: the last pass is done and the next one not yet begun. */
  readonly phase: ScrubPhase;
  /** The segment being checked, and how far. */
  readonly segment: number;
  readonly offset: number;
  /** The last blob that was checked. */
  readonly blobId: Buffer;
  /** Of this pass. */
  readonly checkedBytes: number;
  /** Milliseconds since 1970; 0 before the first pass. */
  readonly startedAtMs: number;
  /** Milliseconds since 1970; 0 before the first pass is completed. */
  readonly completedAtMs: number;
}

const phases = ['pause', 'segments', 'blobs'] as const;
type ScrubPhase = (typeof phases)[number];

const noBlob = Buffer.alloc(blobIdSizeBytes);
export const noScrub: ScrubPosition = {
  phase: 'pause',
  segment: 0,
  offset: 0,
  blobId: noBlob,
  checkedBytes: 0,
  startedAtMs: 0,
  completedAtMs: 0,
};

const scrubKey = stateKey('scrub');

export function readScrubPosition(index: IndexReader): ScrubPosition {
  const row = index.get(scrubKey);
  if (row === undefined) return noScrub;
  const reader = new ByteReader(row);
  return {
    phase: phases[reader.u8()] ?? 'pause',
    segment: reader.u32(),
    offset: reader.u32(),
    blobId: reader.bytes(blobIdSizeBytes),
    checkedBytes: reader.u48(),
    startedAtMs: reader.u48(),
    completedAtMs: reader.u48(),
  };
}

/** What puts a position into the index. */
export function scrubPositionChange(position: ScrubPosition): IndexChanges {
  const writer = new ByteWriter();
  writer.start();
  writer.u8(phases.indexOf(position.phase));
  writer.u32(position.segment);
  writer.u32(position.offset);
  writer.bytes(position.blobId);
  writer.u48(position.checkedBytes);
  writer.u48(position.startedAtMs);
  writer.u48(position.completedAtMs);
  return new Map([[scrubKey.toString('latin1'), { key: scrubKey, value: writer.take() }]]);
}
