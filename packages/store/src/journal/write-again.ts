// Writes the end of the journal once more, where it stands.

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { segmentHeaderSizeBytes, segmentName } from './segment.ts';

/** Batches are written again in pieces of this size. */
const maxWrittenAgainBytes = 4 * 1024 * 1024;

interface Place {
  readonly segment: number;
  readonly offset: number;
}

/**
 * Makes the last batches durable by writing them again. A process that was killed may have left them in the system's cache
 * alone; and after a failed sync (invariant 5) the system takes what it has there for written, so that another sync would
 * do nothing. Segments before the last one were made durable before there was a later one.
 */
export async function writeAgain(
  { disk, folder }: { readonly disk: Disk; readonly folder: string },
  { from, end }: { readonly from: Place; readonly end: Place },
): Promise<void> {
  const file = await disk.open(join(folder, segmentName(end.segment)), 'write');
  try {
    let position = from.segment === end.segment ? from.offset : segmentHeaderSizeBytes;
    while (position < end.offset) {
      const bytes = Buffer.alloc(Math.min(end.offset - position, maxWrittenAgainBytes));
      await file.read(bytes, position);
      await file.write([bytes], position);
      position += bytes.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
