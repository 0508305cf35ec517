// Who still needs the records of a segment, besides the index: the cursors (events, replication, backup) that have not read
// them yet. Invariant 7: a segment goes only when no cursor needs it.

export interface SegmentPins {
  /** Number of the oldest segment that is still to be read, with all behind it; `undefined` when none is. */
  oldestNeededSegment(): number | undefined;
}
