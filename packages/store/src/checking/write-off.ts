// Writes damage of the journal off, once all that could be saved is written down elsewhere and the damaged bytes are copied:
// where records cannot be read, `lost` records take their place and their numbers, a segment that ends too early gets them at
// its end, a damaged segment header is made anew, and segments that are gone are added to the list of removed ones. From then
// on nobody takes it for damage that is still to be dealt with. docs/format.md, "Record", type 102.

import { join } from 'node:path';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { markCodes, readRecordHead, writeRecord } from '../journal/record.ts';
import { align, recordOverheadBytes } from '../journal/record-layout.ts';
import { type RemovedRange, RemovedSegments, removedName } from '../journal/removed-segments.ts';
import { encodeSegmentHeader, segmentHeaderSizeBytes, segmentName, segmentNumber } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';
import { findLastRecord, listStandingFiles, type StandingFile, saltOf } from './standing-files.ts';

/** The most filler that one record takes: less than the longest header. */
const maxFillerBytes = 8 * 1024 * 1024;
/** `lost` records that one place may get: as many as records found room in a segment. */
const maxLostBytes = 64 * 1024 * 1024;

interface JournalFolder {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly storeId: Buffer;
}

/** Answers the damages that could not be written off. All of their bytes have been copied aside. */
export async function writeOffDamage(
  folder: JournalFolder,
  damages: readonly StoreDamage[],
): Promise<readonly StoreDamage[]> {
  const writeOff = new WriteOff(folder);
  const left: StoreDamage[] = [];
  for (const damage of damages) if (damage.sizeBytes > 0 && !(await writeOff.stretch(damage))) left.push(damage);
  for (const damage of damages) if (damage.sizeBytes === 0 && !(await writeOff.gap(damage))) left.push(damage);
  await writeOff.writeLedger();
  return left;
}

class WriteOff {
  readonly #folder: JournalFolder;
  readonly #journal: string;
  /** Segments of which nothing can be told: with their gaps they go on the list of removed ones. */
  readonly #unreadable = new Set<number>();
  #ledgerDamaged = false;
  readonly #ranges: RemovedRange[] = [];

  constructor(folder: JournalFolder) {
    this.#folder = folder;
    this.#journal = join(folder.directory, 'journal');
  }

  /** Bytes that are there and do not hold. */
  async stretch(damage: StoreDamage): Promise<boolean> {
    if (damage.file === `journal/${removedName}`) {
      // What it said of gaps, the gaps say themselves: it is written anew with these.
      this.#ledgerDamaged = true;
      return true;
    }
    const number = numberOf(damage);
    if (number === undefined) return false;
    const file = await this.#folder.disk.open(join(this.#journal, segmentName(number)), 'write');
    try {
      const bytes = Buffer.alloc(segmentHeaderSizeBytes + recordOverheadBytes);
      await readAround(file, bytes, 0);
      const salt = saltOf(bytes);
      if (salt === undefined) return await this.#giveUp(number, file);
      if (damage.offset === 0) return await this.#mendHeader({ number, salt, file, bytes });
      const records = damage.bodyOnly === true ? await recordAt(file, damage, salt) : damage.records;
      if (records === undefined) return damage.bodyOnly !== true && (await this.#endAt(number, damage.offset, file));
      const lost = layOutLost({ salt, sizeBytes: align(damage.sizeBytes), ...records });
      if (lost === undefined) return false;
      await file.write([lost], damage.offset);
      await file.sync();
      return true;
    } finally {
      await file.close();
    }
  }

  /** Records that are missing before a segment; or, of the journal as a whole, before the one with which it went on. */
  async gap({ file, records }: StoreDamage): Promise<boolean> {
    if (file === `journal/${removedName}`) {
      this.#ledgerDamaged = true;
      return true;
    }
    const standing = await this.#standing();
    const number = segmentNumber(file.slice(file.lastIndexOf('/') + 1));
    // Without numbers: the journal had ended before a segment that is removed. Once it has gone on, that is over.
    if (records === undefined) return standing.some((one) => one.number > (number ?? Number.POSITIVE_INFINITY));
    const next = standing.find((one) => (number === undefined ? one.firstLsn > records.last : one.number === number));
    return next !== undefined && (await this.#explain(next, standing));
  }

  /** Says in the journal what is missing before a segment. */
  async #explain(next: StandingFile, standing: readonly StandingFile[]): Promise<boolean> {
    const before = standing.findLast((one) => one.number < next.number);
    const last = before === undefined ? undefined : await findLastRecord(this.#folder.disk, this.#journal, before);
    const firstSegment = (before?.number ?? 0) + 1;
    const lost = { first: (last?.lsn ?? 0) + 1, last: next.firstLsn - 1 };
    if (firstSegment < next.number) {
      const range = { firstSegment, lastSegment: next.number - 1, firstLsn: lost.first, lastLsn: lost.last };
      if (!this.#ranges.some((one) => one.firstSegment === firstSegment)) this.#ranges.push(range);
      return true;
    }
    if (lost.first > lost.last) return true;
    // The segment before is there, and ends too early. What stands behind its last record was reported by itself, if anything.
    if (before === undefined || last === undefined || last.endOffset < before.sizeBytes) return false;
    return this.#append(before, last.endOffset, lost);
  }

  /** Adds what the gaps have told to the list of removed segments; a damaged list is thereby replaced. */
  async writeLedger(): Promise<void> {
    const standing = await this.#standing();
    for (const number of this.#unreadable) {
      const next = standing.find((one) => one.number > number);
      if (next !== undefined) await this.#explain(next, standing);
    }
    if (this.#ranges.length > 0 || this.#ledgerDamaged) await (await this.#readLedger()).add(this.#ranges);
  }

  async #standing(): Promise<StandingFile[]> {
    const all = await listStandingFiles(this.#folder.disk, this.#journal);
    const removed = await this.#readLedger();
    return all.filter(({ number }) => !this.#unreadable.has(number) && !removed.has(number));
  }

  #readLedger(): Promise<RemovedSegments> {
    return RemovedSegments.read({ disk: this.#folder.disk, folder: this.#journal });
  }

  /** A segment of which neither header nor first record can be read: the last one ends before its first record from now on. */
  async #giveUp(number: number, file: DiskFile): Promise<boolean> {
    this.#unreadable.add(number);
    if ((await this.#standing()).some((one) => one.number > number)) return true;
    await file.truncate(0);
    await file.sync();
    return true;
  }

  async #mendHeader(segment: {
    readonly number: number;
    readonly salt: number;
    readonly file: DiskFile;
    readonly bytes: Buffer;
  }): Promise<boolean> {
    const { number, salt, file, bytes } = segment;
    const first = readRecordHead(bytes, segmentHeaderSizeBytes, salt);
    if (first === undefined) return false;
    await file.write([encodeSegmentHeader({ number, salt, firstLsn: first.lsn, storeId: this.#folder.storeId })], 0);
    await file.sync();
    return true;
  }

  /** The end of a segment cannot be read: it ends there from now on. How many records are missing, the gap behind it tells. */
  async #endAt(number: number, offset: number, file: DiskFile): Promise<boolean> {
    await file.truncate(offset);
    await file.sync();
    const standing = await this.#standing();
    const own = standing.find((one) => one.number === number);
    const next = standing.find((one) => one.number > number);
    // Where numbers of segments are left out between the two, the list of removed segments has the missing records.
    if (own === undefined || next === undefined || next.number > number + 1) return true;
    const { lsn } = await findLastRecord(this.#folder.disk, this.#journal, own);
    const lost = { first: lsn + 1, last: next.firstLsn - 1 };
    return lost.first > lost.last || (await this.#append(own, offset, lost));
  }

  async #append(
    { number, salt }: StandingFile,
    endOffset: number,
    records: { readonly first: number; readonly last: number },
  ): Promise<boolean> {
    const sizeBytes = (records.last - records.first + 1) * recordOverheadBytes;
    const lost = sizeBytes > maxLostBytes ? undefined : layOutLost({ salt, sizeBytes, ...records });
    if (lost === undefined) return false;
    const file = await this.#folder.disk.open(join(this.#journal, segmentName(number)), 'write');
    try {
      await file.write([lost], endOffset);
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  }
}

function numberOf({ file }: StoreDamage): number | undefined {
  return segmentNumber(file.slice(file.lastIndexOf('/') + 1));
}

/** The record whose body is damaged: its head can be read. */
async function recordAt(file: DiskFile, { offset }: StoreDamage, salt: number): Promise<StoreDamage['records']> {
  const bytes = Buffer.alloc(recordOverheadBytes);
  await readAround(file, bytes, offset);
  const lsn = readRecordHead(bytes, 0, salt)?.lsn;
  return lsn === undefined ? undefined : { first: lsn, last: lsn };
}

/** `lost` records with these numbers that fill a stretch exactly, or `undefined` when it is too short or too long for them. */
function layOutLost(place: {
  readonly salt: number;
  readonly sizeBytes: number;
  readonly first: number;
  readonly last: number;
}): Buffer | undefined {
  const { salt, sizeBytes, first, last } = place;
  const count = last - first + 1;
  let filler = sizeBytes - count * recordOverheadBytes;
  if (count < 1 || filler < 0 || filler > count * maxFillerBytes) return undefined;
  const bytes = Buffer.alloc(sizeBytes);
  let at = 0;
  for (let lsn = first; lsn <= last; lsn += 1) {
    const own = Math.min(filler, maxFillerBytes);
    filler -= own;
    at = writeRecord(bytes, at, { salt, code: markCodes.lost, lsn, bodySizeBytes: 0 }, (_target, start) => start + own);
  }
  return bytes;
}
