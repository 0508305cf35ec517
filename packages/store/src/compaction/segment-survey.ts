// Reads a sealed segment through and finds what must be carried forward before it may go. The live counters of the index
// know only of records with a body, because a row does not say which record made it; this is the exact figure.
// A segment that cannot be read to its end, or whose records are not all there, is damaged: what it lacks may be a deletion,
// so it stays.

import { isFactCode, markCodes, readFactHeader } from '../journal/record.ts';
import type { ScannedRecord, SegmentScanner } from '../journal/scanner.ts';
import { segmentHeaderSizeBytes } from '../journal/segment.ts';
import type { SegmentRecords, StandingSegment } from '../journal/standing-segments.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { carriedBytes, deletionMatters, hasBody, rowStands, type Statement, statementsOf } from './statements.ts';
import type { Throttle } from './throttle.ts';

export interface SegmentSurvey {
  /** Where the records stand that state something to be carried forward. */
  readonly offsets: readonly number[];
  /** Deletions to be carried forward, the latest for each key (in latin1): its LSN. */
  readonly deletions: ReadonlyMap<string, number>;
  /** What it takes to write all that down again. */
  readonly carriedBytes: number;
  /** The part of it that the live counters do not know. */
  readonly bodylessBytes: number;
  readonly deletionBytes: number;
}

export interface SegmentDamage {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly description: string;
}

interface SurveyOptions {
  readonly segment: StandingSegment & { readonly records: SegmentRecords };
  /** All other segments that stand, in order, without those that go together with this one. */
  readonly others: readonly StandingSegment[];
  readonly scanner: SegmentScanner;
  readonly index: IndexReader;
  readonly throttle: Throttle;
}

/** Answers what is damaged instead, if anything is. */
export async function surveySegment(
  options: SurveyOptions,
): Promise<SegmentSurvey | { readonly damage: SegmentDamage }> {
  const { segment, scanner, throttle } = options;
  const figures = new Figures();
  let offset = segmentHeaderSizeBytes;
  const { firstLsn, lastLsn } = segment.records;
  let expectedLsn = firstLsn;
  while (offset < segment.sizeBytes && expectedLsn <= lastLsn) {
    const record = await scanner.read(offset);
    if (record?.head.lsn !== expectedLsn) break;
    const statements = statementsIn(record);
    if (statements === undefined) break;
    const needed = statements.filter((statement) => isNeeded(statement, options));
    if (needed.length > 0) figures.add(offset, needed);
    if (throttle.spend(record.endOffset - offset)) await throttle.pause();
    offset = record.endOffset;
    expectedLsn += 1;
  }
  if (expectedLsn > lastLsn) return figures;
  const description = `record ${expectedLsn} cannot be read; the segment is not compacted`;
  return { damage: { offset, sizeBytes: segment.sizeBytes - offset, description } };
}

/** What a record states, or `undefined` when this version does not know its type. */
export function statementsIn(record: ScannedRecord): readonly Statement[] | undefined {
  const { code, lsn } = record.head;
  if (markTypes.has(code)) return [];
  return isFactCode(code) ? statementsOf(readFactHeader(code, record.header), lsn) : undefined;
}

/** Whether a statement must be carried forward: it holds, and a rebuild would not know it otherwise. */
export function isNeeded(
  statement: Statement,
  { index, others }: { readonly index: IndexReader; readonly others: readonly StandingSegment[] },
): boolean {
  if (statement.kind === 'row') return rowStands(index, statement);
  return deletionMatters(others, statement) && index.get(statement.key) === undefined;
}

class Figures implements SegmentSurvey {
  readonly offsets: number[] = [];
  readonly deletions = new Map<string, number>();
  carriedBytes = 0;
  bodylessBytes = 0;
  deletionBytes = 0;

  add(offset: number, statements: readonly Statement[]): void {
    this.offsets.push(offset);
    for (const statement of statements) {
      if (statement.kind === 'row') this.#addRow(statement);
      else this.#addDeletion(statement);
    }
  }

  #addRow(statement: Statement & { readonly kind: 'row' }): void {
    const sizeBytes = carriedBytes(statement);
    this.carriedBytes += sizeBytes;
    if (!hasBody(statement)) this.bodylessBytes += sizeBytes;
  }

  #addDeletion(statement: Statement & { readonly kind: 'deletion' }): void {
    const name = statement.key.toString('latin1');
    const before = this.deletions.get(name);
    this.deletions.set(name, Math.max(before ?? 0, statement.lsn));
    if (before !== undefined) return;
    const sizeBytes = carriedBytes(statement);
    this.carriedBytes += sizeBytes;
    this.bodylessBytes += sizeBytes;
    this.deletionBytes += sizeBytes;
  }
}

const markTypes: ReadonlySet<number> = new Set(Object.values(markCodes));
