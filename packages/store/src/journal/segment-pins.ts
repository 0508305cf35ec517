// Who still needs the records of a segment, besides the index: the cursors (events, replication, backup) that have not read
// them yet. Invariant 7: a segment goes only when no cursor needs it.

export interface SegmentPins {
  /** Number of the oldest segment that is still to be read, with all behind it; `undefined` when none is. */
  oldestNeededSegment(): number | undefined;
  /**
   * Does something during which nobody begins to need a segment, and none goes: whoever removes segments asks inside of it which
   * are needed, and whoever begins to need one finds inside of it which are there.
   */
  hold<Result>(work: () => Promise<Result>): Promise<Result>;
}
