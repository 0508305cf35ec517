// The segments that a journal consists of now, with what compaction needs to know of each: its size, and which records it
// holds. A segment says only where it begins; where it ends is told by the one behind it, be it there or in the ledger of
// removed ones. Where neither is, records are missing, and the segment's end is unknown.

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import type { RemovedSegments } from './removed-segments.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentNumber } from './segment.ts';

export interface StandingSegment {
  readonly number: number;
  /** Of the one that is being written: with the zeros ahead of its end. */
  readonly sizeBytes: number;
  /** Which records it holds, exactly; `undefined` when that cannot be told. */
  readonly records: SegmentRecords | undefined;
  /** No record in it is earlier. */
  readonly earliestLsn: number;
  /** No record in it is later. In order of number, the bounds never fall. */
  readonly latestLsn: number;
}

export interface SegmentRecords {
  /** Part of every record in the segment. */
  readonly salt: number;
  readonly firstLsn: number;
  /** Below `firstLsn` when there is none. */
  readonly lastLsn: number;
}

interface KnownSegment {
  /** `undefined` when the header is damaged. */
  readonly head: { readonly salt: number; readonly firstLsn: number } | undefined;
  readonly sizeBytes: number;
  /** Whether it changes no more. */
  readonly sealed: boolean;
}

export class StandingSegments {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #removed: RemovedSegments;
  #known: ReadonlyMap<number, KnownSegment> = new Map();

  constructor(options: { readonly disk: Disk; readonly folder: string; readonly removed: RemovedSegments }) {
    this.#disk = options.disk;
    this.#folder = options.folder;
    this.#removed = options.removed;
  }

  /** All, in order. `current` is the number of the segment that is being written. */
  async list(current: number): Promise<StandingSegment[]> {
    const known = new Map<number, KnownSegment>();
    for (const name of await this.#disk.list(this.#folder)) {
      const number = segmentNumber(name);
      // One behind the current one is being made right now, or is left over from an attempt that found no room.
      if (number === undefined || number > current || this.#removed.has(number)) continue;
      const before = this.#known.get(number);
      known.set(number, before?.sealed === true ? before : await this.#read(name, number < current));
    }
    this.#known = known;
    return this.#describeAll();
  }

  #describeAll(): StandingSegment[] {
    const segments: StandingSegment[] = [];
    let latestLsn = Number.POSITIVE_INFINITY;
    // From the last to the first: what is known of a segment bounds all before it.
    for (const [number, { head, sizeBytes }] of [...this.#known].sort(([a], [b]) => b - a)) {
      const nextLsn = this.#known.get(number + 1)?.head?.firstLsn ?? this.#removed.firstLsnOf(number + 1);
      const complete = head !== undefined && nextLsn !== undefined;
      const records = complete ? { salt: head.salt, firstLsn: head.firstLsn, lastLsn: nextLsn - 1 } : undefined;
      const bound = records?.lastLsn ?? latestLsn;
      segments.push({ number, sizeBytes, records, earliestLsn: head?.firstLsn ?? 0, latestLsn: bound });
      latestLsn = (head?.firstLsn ?? bound + 1) - 1;
    }
    return segments.reverse();
  }

  async #read(name: string, sealed: boolean): Promise<KnownSegment> {
    const file = await this.#disk.open(join(this.#folder, name), 'read');
    try {
      const bytes = Buffer.alloc(segmentHeaderSizeBytes);
      await readAround(file, bytes, 0);
      return { head: decodeSegmentHeader(bytes), sizeBytes: await file.sizeBytes(), sealed };
    } finally {
      await file.close();
    }
  }
}
