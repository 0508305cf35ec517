// A segment that recovery reads, and how it knows one before that.

import { join } from 'node:path';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { recordMagic } from './record.ts';
import type { SegmentScanner } from './scanner.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentName } from './segment.ts';

export interface SegmentAtHand {
  readonly number: number;
  readonly name: string;
  readonly salt: number;
  /** Of its header; `undefined` when that is damaged. */
  readonly firstLsn: number | undefined;
  readonly file: DiskFile;
  readonly fileSizeBytes: number;
  readonly scanner: SegmentScanner;
}

/** Whether anything in a segment is ours. It is begun only when all before it is durable, whatever can be read of it now. */
export async function isBegun(
  { disk, folder }: { readonly disk: Disk; readonly folder: string },
  number: number,
): Promise<boolean> {
  const file = await disk.open(join(folder, segmentName(number)), 'read');
  try {
    const bytes = Buffer.alloc(segmentHeaderSizeBytes + 8);
    await readAround(file, bytes, 0);
    return decodeSegmentHeader(bytes) !== undefined || bytes.readUInt32BE(segmentHeaderSizeBytes) === recordMagic;
  } finally {
    await file.close();
  }
}
