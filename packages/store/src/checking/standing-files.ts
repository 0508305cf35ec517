// The segments of a closed store's journal that are there and can be told to be segments, as a repair needs them: where each
// begins, and with which record it ends.

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { readRecordHead, recordMagic } from '../journal/record.ts';
import { recordOverheadBytes } from '../journal/record-layout.ts';
import { SegmentScanner } from '../journal/scanner.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentName, segmentNumber } from '../journal/segment.ts';

export interface StandingFile {
  readonly number: number;
  readonly salt: number;
  readonly firstLsn: number;
  readonly sizeBytes: number;
}

/** In order; those are left out whose header and first record cannot be read. */
export async function listStandingFiles(disk: Disk, journalFolder: string): Promise<StandingFile[]> {
  const files: StandingFile[] = [];
  for (const name of await disk.list(journalFolder)) {
    const number = segmentNumber(name);
    if (number === undefined) continue;
    const file = await disk.open(join(journalFolder, name), 'read');
    try {
      const bytes = Buffer.alloc(segmentHeaderSizeBytes + recordOverheadBytes);
      await readAround(file, bytes, 0);
      const salt = saltOf(bytes);
      if (salt === undefined) continue;
      const firstLsn = decodeSegmentHeader(bytes)?.firstLsn ?? readRecordHead(bytes, segmentHeaderSizeBytes, salt)?.lsn;
      if (firstLsn !== undefined) files.push({ number, salt, firstLsn, sizeBytes: await file.sizeBytes() });
    } finally {
      await file.close();
    }
  }
  return files.sort((a, b) => a.number - b.number);
}

/** The salt of a segment by its first bytes: the header's, or that of the first record. */
export function saltOf(firstBytes: Buffer): number | undefined {
  const header = decodeSegmentHeader(firstBytes);
  if (header !== undefined) return header.salt;
  const guessed = firstBytes.readUInt32BE(segmentHeaderSizeBytes) === recordMagic;
  return guessed ? firstBytes.readUInt32BE(segmentHeaderSizeBytes + 4) : undefined;
}

/** The number of the last record of a segment that can be read, and where it ends; without any, where the first would be. */
export async function findLastRecord(
  disk: Disk,
  journalFolder: string,
  { number, salt, firstLsn, sizeBytes }: StandingFile,
): Promise<{ readonly lsn: number; readonly endOffset: number }> {
  const file = await disk.open(join(journalFolder, segmentName(number)), 'read');
  try {
    const scanner = new SegmentScanner(file, { salt, fileSizeBytes: sizeBytes });
    let last = { lsn: firstLsn - 1, endOffset: segmentHeaderSizeBytes };
    for (;;) {
      const record = (await scanner.readHeader(last.endOffset)) ?? (await scanner.findNext(last.endOffset));
      if (record === undefined) return last;
      last = { lsn: record.head.lsn, endOffset: record.endOffset };
    }
  } finally {
    await file.close();
  }
}
