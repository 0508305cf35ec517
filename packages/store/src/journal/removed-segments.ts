// The ledger of segments that compaction has removed: with it, recovery tells a gap that is meant from one that is damage.
// It is durable before the file of a segment goes. Afterwards the segment counts as gone even if its file comes back, which
// the file system may do when power is lost: deletions that only mattered to it have been forgotten by then.
// docs/format.md, "Removed segments".

import { join } from 'node:path';
import { crc32c } from '@stowage/s3';
import type { Disk } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { DiskTrust } from '../disk-trust.ts';

/** A segment, or several in a row, whose records follow each other without a gap. */
export interface RemovedRange {
  readonly firstSegment: number;
  readonly lastSegment: number;
  /** The first and the last record; a segment without records has a `lastLsn` below its `firstLsn`. */
  readonly firstLsn: number;
  readonly lastLsn: number;
}

/** The ledger's file in the journal's folder. */
export const removedName = 'removed';
const magic = Buffer.from('STOWGONE');
const countStart = magic.length;
const rangesStart = countStart + 4;
const rangeSizeBytes = 20;
/** Far more than a journal has segments: a longer ledger is not one of ours. */
const maxRanges = 1_000_000;

export class RemovedSegments {
  readonly #disk: Disk;
  readonly #folder: string;
  /** In order, none touching the next. */
  #ranges: readonly RemovedRange[];
  /** Whether there is a ledger that cannot be read: it counts as empty, and gaps are then unexplained. */
  readonly damaged: boolean;
  /** Of the file, as it was read. */
  readonly sizeBytes: number;

  private constructor(place: LedgerPlace, sizeBytes: number, ranges: readonly RemovedRange[] | undefined) {
    this.#disk = place.disk;
    this.#folder = place.folder;
    this.#ranges = ranges ?? [];
    this.damaged = ranges === undefined;
    this.sizeBytes = sizeBytes;
  }

  /** Reads the ledger of a journal folder; it is empty when there is none. */
  static async read(place: LedgerPlace): Promise<RemovedSegments> {
    if (!(await place.disk.list(place.folder)).includes(removedName)) return new RemovedSegments(place, 0, []);
    const file = await place.disk.open(join(place.folder, removedName), 'read');
    try {
      const sizeBytes = await file.sizeBytes();
      const bytes = Buffer.alloc(Math.min(sizeBytes, rangesStart + maxRanges * rangeSizeBytes + 4));
      await readAround(file, bytes, 0);
      return new RemovedSegments(place, sizeBytes, decodeRanges(bytes));
    } finally {
      await file.close();
    }
  }

  /** The last segment and the last record that are gone, or `undefined` when none is. */
  get last(): { readonly segment: number; readonly lsn: number } | undefined {
    const range = this.#ranges.at(-1);
    return range === undefined ? undefined : { segment: range.lastSegment, lsn: range.lastLsn };
  }

  has(segment: number): boolean {
    const range = this.#ranges.find(({ lastSegment }) => lastSegment >= segment);
    return range !== undefined && range.firstSegment <= segment;
  }

  /** The first record of a removed segment that begins a range, or `undefined` for all others. */
  firstLsnOf(segment: number): number | undefined {
    return this.#ranges.find(({ firstSegment }) => firstSegment === segment)?.firstLsn;
  }

  /** The first record from `lsn` on that is not gone with its segment. */
  skip(lsn: number): number {
    let next = lsn;
    for (const { firstLsn, lastLsn } of this.#ranges) {
      if (firstLsn <= next && next <= lastLsn) next = lastLsn + 1;
    }
    return next;
  }

  /**
   * Writes segments down as gone, in place of what was said of them before. Durable when it resolves; when it rejects,
   * nothing has changed.
   */
  async add(segments: readonly RemovedRange[], trust: DiskTrust = new DiskTrust(() => undefined)): Promise<void> {
    const others = this.#ranges.filter((range) => !segments.some((one) => isWithin(range, one)));
    const ranges = mergeRanges([...others, ...segments]);
    await this.#write(ranges, trust);
    await trust.sync(() => this.#disk.syncFolder(this.#folder));
    this.#ranges = ranges;
  }

  /** Writes the ledger down as it was read: after a failed sync and a restart, its name may be in the system's cache alone. */
  async writeAgain(): Promise<void> {
    await this.#write(this.#ranges, new DiskTrust(() => undefined));
    await this.#disk.syncFolder(this.#folder);
  }

  async #write(ranges: readonly RemovedRange[], trust: DiskTrust): Promise<void> {
    const path = join(this.#folder, removedName);
    const next = `${path}.next`;
    await this.#disk.remove(next);
    const file = await this.#disk.create(next, 'write');
    try {
      await file.write([encodeRanges(ranges)], 0);
      await trust.sync(() => file.sync());
    } finally {
      await file.close();
    }
    await this.#disk.rename(next, path);
  }
}

interface LedgerPlace {
  readonly disk: Disk;
  /** The journal's. */
  readonly folder: string;
}

function isWithin(range: RemovedRange, { firstSegment, lastSegment }: RemovedRange): boolean {
  return firstSegment <= range.firstSegment && range.lastSegment <= lastSegment;
}

function mergeRanges(ranges: readonly RemovedRange[]): RemovedRange[] {
  const merged: RemovedRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.firstSegment - b.firstSegment)) {
    const before = merged.at(-1);
    if (before?.lastSegment === range.firstSegment - 1 && before.lastLsn === range.firstLsn - 1) {
      merged[merged.length - 1] = { ...before, lastSegment: range.lastSegment, lastLsn: range.lastLsn };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

function encodeRanges(ranges: readonly RemovedRange[]): Buffer {
  const bytes = Buffer.alloc(rangesStart + ranges.length * rangeSizeBytes + 4);
  magic.copy(bytes);
  bytes.writeUInt32BE(ranges.length, countStart);
  let at = rangesStart;
  for (const { firstSegment, lastSegment, firstLsn, lastLsn } of ranges) {
    bytes.writeUInt32BE(firstSegment, at);
    bytes.writeUInt32BE(lastSegment, at + 4);
    bytes.writeUIntBE(firstLsn, at + 8, 6);
    bytes.writeUIntBE(lastLsn, at + 14, 6);
    at += rangeSizeBytes;
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, at)), at);
  return bytes;
}

/** The ranges, or `undefined` when the bytes are no ledger, or a damaged one. */
function decodeRanges(bytes: Buffer): RemovedRange[] | undefined {
  if (bytes.length < rangesStart + 4 || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const count = bytes.readUInt32BE(countStart);
  const end = rangesStart + count * rangeSizeBytes;
  if (bytes.length !== end + 4 || crc32c(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;
  const ranges: RemovedRange[] = [];
  for (let at = rangesStart; at < end; at += rangeSizeBytes) {
    ranges.push({
      firstSegment: bytes.readUInt32BE(at),
      lastSegment: bytes.readUInt32BE(at + 4),
      firstLsn: bytes.readUIntBE(at + 8, 6),
      lastLsn: bytes.readUIntBE(at + 14, 6),
    });
  }
  return ranges;
}
