// Carries forward what a segment alone still states, so that it may go: surveys it, and writes what is needed down again, in
// small groups that share their batches with whatever else is committed. A segment that is damaged is never moved: its
// damaged bodies would be lost without a word, or pass for good ones. Moving may stop anywhere: what was written down twice
// is dead in the old segment, and the next attempt finds less to do.

import { join } from 'node:path';
import { findBadBlock } from '../blobs/block-checksums.ts';
import type { Operation } from '../catalog/operation.ts';
import { locationOf } from '../catalog/version-row.ts';
import type { Disk } from '../disk/disk.ts';
import { type ScannedRecord, SegmentScanner } from '../journal/scanner.ts';
import { segmentName } from '../journal/segment.ts';
import type { SegmentRecords, StandingSegment } from '../journal/standing-segments.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { keepDeletion, keepRow } from './relocation.ts';
import { isNeeded, type SegmentDamage, type SegmentSurvey, statementsIn, surveySegment } from './segment-survey.ts';
import { carriedBytes, hasBody, type Statement } from './statements.ts';
import type { Throttle } from './throttle.ts';

/** Operations that are handed to the committer at once. */
const maxGroupOperations = 64;
/** Bytes of records in one group; one record may come on top. */
const maxGroupBytes = 256 * 1024;

/** A segment of which it is known what it holds. */
export type MovableSegment = StandingSegment & { readonly records: SegmentRecords };

interface MoverOptions {
  readonly disk: Disk;
  /** The journal's. */
  readonly folder: string;
  readonly index: IndexReader;
  readonly commit: (operation: Operation<boolean>) => Promise<boolean>;
}

interface Move {
  readonly segment: MovableSegment;
  /** All other segments that stand, in order, without those that go together with this one. */
  readonly others: readonly StandingSegment[];
  readonly throttle: Throttle;
  /** Asked when it is known what is to be written, and again as it shrinks: is there room, is it worth it? */
  readonly mayCarry: (left: { readonly carriedBytes: number; readonly begun: boolean }) => boolean;
}

export type MoveOutcome =
  | { readonly kind: 'moved'; readonly survey: SegmentSurvey }
  /** It was not worth it, or there was no room. */
  | { readonly kind: 'left'; readonly survey: SegmentSurvey }
  | { readonly kind: 'damaged'; readonly damage: SegmentDamage };

export class SegmentMover {
  readonly #options: MoverOptions;
  #writtenBytes = 0;

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  /** What was written down again since the beginning. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** @throws StoreError of the committer; AbortError once the throttle is stopped. */
  async move(move: Move): Promise<MoveOutcome> {
    const { disk, folder, index } = this.#options;
    const { segment, others, throttle, mayCarry } = move;
    const file = await disk.open(join(folder, segmentName(segment.number)), 'read');
    try {
      const scanner = new SegmentScanner(file, { salt: segment.records.salt, fileSizeBytes: segment.sizeBytes });
      const survey = await surveySegment({ segment, others, scanner, index, throttle });
      if ('damage' in survey) return { kind: 'damaged', damage: survey.damage };
      if (!mayCarry({ carriedBytes: survey.carriedBytes, begun: false })) return { kind: 'left', survey };
      return await this.#carry(move, survey, scanner);
    } catch (cause) {
      const unreadable = cause instanceof Error && 'code' in cause && cause.code === 'EIO';
      if (!unreadable) throw cause;
      return damagedAt(0, segment.sizeBytes, `${cause.message}; the segment is not compacted`);
    } finally {
      await file.close();
    }
  }

  async #carry(move: Move, survey: SegmentSurvey, scanner: SegmentScanner): Promise<MoveOutcome> {
    const { throttle, mayCarry } = move;
    let left = survey.carriedBytes;
    let group: Operation<boolean>[] = [];
    let groupBytes = 0;
    for (const offset of survey.offsets) {
      const record = await scanner.read(offset);
      if (record === undefined) return damagedAt(offset, 0, 'a record cannot be read any more');
      for (const statement of this.#stillNeeded(record, move, survey)) {
        const body = statement.kind === 'row' && hasBody(statement) ? goodBody(record, statement) : undefined;
        if (body === 'damaged') {
          const what = `the body of record ${record.head.lsn} fails its checksum; the segment is not compacted`;
          return damagedAt(offset, record.endOffset - offset, what);
        }
        group.push(statement.kind === 'row' ? keepRow({ ...copied(statement), body }) : keepDeletion(statement));
        groupBytes += carriedBytes(statement);
      }
      const pauseDue = throttle.spend(2 * (record.endOffset - offset)); // read and written
      if (group.length < maxGroupOperations && groupBytes < maxGroupBytes && !pauseDue) continue;
      await this.#commit(group, groupBytes);
      left -= groupBytes;
      group = [];
      groupBytes = 0;
      if (pauseDue) await throttle.pause();
      if (!mayCarry({ carriedBytes: left, begun: true })) return { kind: 'left', survey };
    }
    await this.#commit(group, groupBytes);
    return { kind: 'moved', survey };
  }

  async #commit(group: readonly Operation<boolean>[], sizeBytes: number): Promise<void> {
    await Promise.all(group.map((operation) => this.#options.commit(operation)));
    this.#writtenBytes += sizeBytes;
  }

  /** Some of it may have been replaced or deleted since the survey; of deletions of one key the last one is enough. */
  #stillNeeded(record: ScannedRecord, { others }: Move, { deletions }: SegmentSurvey): Statement[] {
    const needed = (statement: Statement): boolean =>
      isNeeded(statement, { index: this.#options.index, others }) &&
      (statement.kind === 'row' || deletions.get(statement.key.toString('latin1')) === statement.lsn);
    return statementsIn(record)?.filter(needed) ?? []; // the survey knew every record
  }
}

function goodBody(record: ScannedRecord, { row }: { readonly row: Buffer }): Buffer | 'damaged' {
  const location = locationOf(row);
  const complete = location.kind === 'journal' && record.body.length === record.head.bodySizeBytes;
  if (!complete || findBadBlock(record.body, location.checksums, 0) !== undefined) return 'damaged';
  return Buffer.from(record.body);
}

/** In memory of its own, not that of the record's whole header. */
function copied({ key, row }: { readonly key: Buffer; readonly row: Buffer }): { key: Buffer; row: Buffer } {
  return { key: Buffer.from(key), row: Buffer.from(row) };
}

function damagedAt(offset: number, sizeBytes: number, description: string): MoveOutcome {
  return { kind: 'damaged', damage: { offset, sizeBytes, description } };
}
