// Reads around sectors that a disk cannot read any more. Such a sector is damage like a changed one, and no reason to leave
// what is before and behind it unread: its bytes are filled with a pattern, so that whatever checksum covers them fails.

import type { DiskFile } from './disk.ts';

/** What a disk reads or fails to read at once, at most as a rule. */
const sectorSizeBytes = 4096;
const unreadableByte = 0xeb;

interface UnreadableStretch {
  /** In the file. */
  readonly start: number;
  readonly end: number;
}

interface ReadAround {
  /** Bytes there were before the end of the file. */
  readonly count: number;
  /** What of them could not be read, in order. */
  readonly unreadable: readonly UnreadableStretch[];
}

/** As `DiskFile.read`, but for what the disk cannot read. */
export async function readAround(file: DiskFile, bytes: Uint8Array, position: number): Promise<ReadAround> {
  try {
    return { count: await file.read(bytes, position), unreadable: [] };
  } catch (cause) {
    if (!isUnreadable(cause)) throw cause;
  }
  const unreadable: UnreadableStretch[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sectorSizeBytes - ((position + at) % sectorSizeBytes));
    const sector = bytes.subarray(at, end);
    try {
      const count = await file.read(sector, position + at);
      if (count < sector.length) return { count: at + count, unreadable };
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause;
      sector.fill(unreadableByte);
      unreadable.push({ start: position + at, end: position + end });
    }
    at = end;
  }
  return { count: bytes.length, unreadable };
}

/** Whether an error of a read says that the disk cannot read what is there. */
export function isUnreadable(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EIO';
}
