// Which segments are worth compacting, best first. The live counters of the index tell what a segment holds of live records
// with a body; records without one are known only once a survey was made. So the estimate is a lower bound, cheap enough to
// ask for all segments, and the survey decides.

import { segmentKey } from '../catalog/index-keys.ts';
import { decodeLiveBytes } from '../catalog/references.ts';
import type { StandingSegment } from '../journal/standing-segments.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';

/** A segment is compacted when at most so much of it is to be written again: each byte gained costs at most one written. */
const usualLiveRatio = 0.5;
/** When the disk is full, whatever gives back more than it takes in the end is worth its while. */
const fullLiveRatio = 0.95;
/** A survey's figures are taken for out of date when so many segments have been begun since. */
const surveyHoldsForSegments = 16;

/** What a survey has found, kept for the next choice. */
export interface SurveyedSegment {
  readonly bodylessBytes: number;
  /** The number of the segment that was written when it was made. */
  readonly atSegment: number;
}

interface ChoiceOptions<Segment extends StandingSegment> {
  /** Those that may go, in order. */
  readonly segments: readonly Segment[];
  /** What the index counts as live, by segment. */
  readonly liveBytes: ReadonlyMap<number, number>;
  readonly surveyed: ReadonlyMap<number, SurveyedSegment>;
  readonly currentSegment: number;
  readonly diskFull: boolean;
  /** What may be written before a segment goes: a full disk has only the reserve. */
  readonly maxCarriedBytes: number;
}

/** Segments that look worth it, those that give back most for the least first. */
export function chooseSegments<Segment extends StandingSegment>(options: ChoiceOptions<Segment>): Segment[] {
  return options.segments
    .map((segment) => ({ segment, carriedBytes: estimateCarried(segment, options) }))
    .filter(({ segment, carriedBytes }) => isWorthIt({ ...options, sizeBytes: segment.sizeBytes, carriedBytes }))
    .sort((a, b) => a.carriedBytes / a.segment.sizeBytes - b.carriedBytes / b.segment.sizeBytes)
    .map(({ segment }) => segment);
}

/** Whether a segment should go when so much of it is to be written again. */
export function isWorthIt(
  options: Pick<ChoiceOptions<StandingSegment>, 'diskFull' | 'maxCarriedBytes'> & {
    readonly sizeBytes: number;
    readonly carriedBytes: number;
  },
): boolean {
  const { sizeBytes, carriedBytes, diskFull, maxCarriedBytes } = options;
  const liveRatio = diskFull ? fullLiveRatio : usualLiveRatio;
  return carriedBytes <= sizeBytes * liveRatio && carriedBytes <= maxCarriedBytes;
}

/** What of a segment is live as far as the index counts it. */
export function countedLiveBytes(index: IndexReader, segment: number): number {
  return decodeLiveBytes(index.get(segmentKey(segment)));
}

function estimateCarried(
  segment: StandingSegment,
  { liveBytes, surveyed, currentSegment }: ChoiceOptions<StandingSegment>,
): number {
  const survey = surveyed.get(segment.number);
  const holds = survey !== undefined && currentSegment - survey.atSegment < surveyHoldsForSegments;
  return (liveBytes.get(segment.number) ?? 0) + (holds ? survey.bodylessBytes : 0);
}
