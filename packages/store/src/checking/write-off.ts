// Writes damage of the journal off, once all that could be saved is written down elsewhere: where records cannot be read,
// `lost` records take their place and their numbers, a damaged segment header is made anew, and segments that are gone are
// added to the list of removed ones. From then on nobody takes it for damage that is still to be dealt with.
// docs/format.md, "Record", type 102.

import { join } from 'node:path';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { markCodes, readRecordHead, recordMagic, writeRecord } from '../journal/record.ts';
import { recordOverheadBytes } from '../journal/record-layout.ts';
import { RemovedSegments } from '../journal/removed-segments.ts';
import { decodeSegmentHeader, encodeSegmentHeader, segmentHeaderSizeBytes, segmentNumber } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';

/** The most filler that one record takes: less than the longest header. */
const maxFillerBytes = 8 * 1024 * 1024;

interface JournalFolder {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly storeId: Buffer;
}

/** Answers the damages that could not be written off. */
export async function writeOffDamage(
  folder: JournalFolder,
  damages: readonly StoreDamage[],
): Promise<readonly StoreDamage[]> {
  const left: StoreDamage[] = [];
  const gaps = damages.filter(isGap);
  const closed = new Set<StoreDamage>();
  for (const damage of damages.filter((one) => !isGap(one))) {
    // How many records were lost at the end of a segment, the gap before the next one tells.
    const gap = damage.records === undefined ? gaps.find((one) => numberOf(one) === numberOf(damage) + 1) : undefined;
    const done = await writeOffStretch(
      folder,
      gap?.records === undefined ? damage : { ...damage, records: gap.records },
    );
    if (!done) left.push(damage);
    else if (gap !== undefined && damage.bodyOnly !== true && damage.offset > 0) closed.add(gap);
  }
  for (const gap of gaps) {
    if (!closed.has(gap) && !(await explainGap(folder, gap))) left.push(gap);
  }
  return left;
}

function isGap({ sizeBytes, records }: StoreDamage): boolean {
  return sizeBytes === 0 && records !== undefined;
}

function numberOf({ file }: StoreDamage): number {
  return segmentNumber(file.slice(file.lastIndexOf('/') + 1)) ?? Number.NaN;
}

async function writeOffStretch(folder: JournalFolder, damage: StoreDamage): Promise<boolean> {
  if (damage.sizeBytes === 0 || Number.isNaN(numberOf(damage))) return false;
  const file = await folder.disk.open(join(folder.directory, damage.file), 'write');
  try {
    const bytes = Buffer.alloc(segmentHeaderSizeBytes + recordOverheadBytes);
    await readAround(file, bytes, 0);
    if (damage.offset === 0 && damage.sizeBytes === segmentHeaderSizeBytes)
      return await mendHeader(folder, damage, file, bytes);
    const salt = decodeSegmentHeader(bytes)?.salt ?? guessSalt(bytes);
    if (salt === undefined) return false;
    const records = damage.bodyOnly === true ? await recordAt(file, damage, salt) : damage.records;
    if (records === undefined) return false;
    const lost = layOutLost({ salt, sizeBytes: damage.sizeBytes, ...records });
    if (lost === undefined) return false;
    await file.write([lost], damage.offset);
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}

/** The record whose body is damaged: its head can be read. */
async function recordAt(file: DiskFile, { offset }: StoreDamage, salt: number): Promise<StoreDamage['records']> {
  const bytes = Buffer.alloc(recordOverheadBytes);
  await readAround(file, bytes, offset);
  const lsn = readRecordHead(bytes, 0, salt)?.lsn;
  return lsn === undefined ? undefined : { first: lsn, last: lsn };
}

function guessSalt(bytes: Buffer): number | undefined {
  const guessed = bytes.readUInt32BE(segmentHeaderSizeBytes) === recordMagic;
  return guessed ? bytes.readUInt32BE(segmentHeaderSizeBytes + 4) : undefined;
}

async function mendHeader(folder: JournalFolder, damage: StoreDamage, file: DiskFile, bytes: Buffer): Promise<boolean> {
  const salt = guessSalt(bytes);
  const first = salt === undefined ? undefined : readRecordHead(bytes, segmentHeaderSizeBytes, salt);
  if (salt === undefined || first === undefined) return false;
  const header = encodeSegmentHeader({ number: numberOf(damage), salt, firstLsn: first.lsn, storeId: folder.storeId });
  await file.write([header], 0);
  await file.sync();
  return true;
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

/** Whole segments that are gone: only if the numbers of the files say so. */
async function explainGap({ disk, directory }: JournalFolder, gap: StoreDamage): Promise<boolean> {
  const folder = join(directory, 'journal');
  const { records } = gap;
  if (records === undefined) return false;
  // When the end of the journal was lost, the gap is before the segment with which it went on.
  const next = gap.file === 'journal' ? await segmentFrom(disk, folder, records.last + 1) : numberOf(gap);
  if (next === undefined) return false;
  const earlier = (await disk.list(folder))
    .map(segmentNumber)
    .filter((number) => number !== undefined && number < next);
  const removed = await RemovedSegments.read({ disk, folder });
  const before = Math.max(
    0,
    removed.last !== undefined && removed.last.segment < next ? removed.last.segment : 0,
    ...earlier.map((number) => number ?? 0),
  );
  if (removed.damaged || before + 1 >= next) return false;
  await removed.add([
    { firstSegment: before + 1, lastSegment: next - 1, firstLsn: records.first, lastLsn: records.last },
  ]);
  return true;
}

/** The segment whose first record has a number. */
async function segmentFrom(disk: Disk, folder: string, firstLsn: number): Promise<number | undefined> {
  for (const name of await disk.list(folder)) {
    const number = segmentNumber(name);
    if (number === undefined) continue;
    const file = await disk.open(join(folder, name), 'read');
    try {
      const bytes = Buffer.alloc(segmentHeaderSizeBytes);
      await readAround(file, bytes, 0);
      if (decodeSegmentHeader(bytes)?.firstLsn === firstLsn) return number;
    } finally {
      await file.close();
    }
  }
  return undefined;
}
