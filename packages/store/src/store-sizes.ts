// The sizes at which a disk store does one thing rather than another, in one place. They are no settings for users: the
// usual ones were measured. Tests choose small ones, so that a short history meets every threshold.

export interface StoreSizes {
  /** When a segment has reached it, the next batch goes into a new one. */
  readonly segmentSizeBytes: number;
  /** Zeros are written this far ahead of the journal's end, in steps of half of it, while batches are small. */
  readonly zeroAheadBytes: number;
  /** Larger bodies become blobs: from here on, a file of its own costs less than to write the bytes again in compaction. */
  readonly maxInlineBytes: number;
  /** Memory for all small bodies together until they are committed: one that finds none left becomes a blob. */
  readonly gatherMemoryBytes: number;
  /** Memory for all large bodies together while they arrive: one that finds none left waits, and its client with it. */
  readonly pieceMemoryBytes: number;
  /** Memory for all bodies together on their way out; one that finds none left is read in small pieces. */
  readonly readMemoryBytes: number;
  /** The index is made durable after so many bytes of journal: the most that opening must read again. */
  readonly checkpointEveryBytes: number;
  /** Room that is kept back for deletes, and for the index; compaction has its own (space-reserve.ts). */
  readonly reserveSizeBytes: number;
  /** Room that is kept back for compaction, at most: a share of a small file system, whatever its segments are. */
  readonly maxCompactionReserveBytes: number;
  /** Room that there must be beside the reserve before puts are taken again. */
  readonly roomForPutsBytes: number;
}

const mebibyte = 1024 * 1024;

export const usualSizes: StoreSizes = {
  segmentSizeBytes: 56 * mebibyte,
  zeroAheadBytes: 2 * mebibyte,
  maxInlineBytes: mebibyte,
  gatherMemoryBytes: 192 * mebibyte,
  pieceMemoryBytes: 64 * mebibyte,
  readMemoryBytes: 64 * mebibyte,
  checkpointEveryBytes: 32 * mebibyte,
  reserveSizeBytes: 8 * mebibyte,
  maxCompactionReserveBytes: Number.POSITIVE_INFINITY,
  roomForPutsBytes: mebibyte,
};

/** A file system holds so many segments at least, so that room to write one of them again is little of it. */
const minVolumeSegments = 64;
const minSegmentSizeBytes = 4 * mebibyte;
/** Of a file system: at most so much is kept back for compaction. */
const maxCompactionShare = 1 / 4;

/** The usual sizes on a file system of so many bytes: a small one has smaller segments. */
export function sizesForVolume(sizeBytes: number): StoreSizes {
  const share = Math.max(minSegmentSizeBytes, Math.floor(sizeBytes / minVolumeSegments));
  const segmentSizeBytes = Math.min(usualSizes.segmentSizeBytes, share);
  return {
    ...usualSizes,
    segmentSizeBytes,
    maxCompactionReserveBytes: Math.floor(sizeBytes * maxCompactionShare),
    zeroAheadBytes: Math.min(usualSizes.zeroAheadBytes, 2 * Math.floor(segmentSizeBytes / 16)),
  };
}
