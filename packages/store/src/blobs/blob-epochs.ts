// Which openings have left blobs. An opening is named by the number of its first record, which is durable before any blob of
// it is begun: so a folder of blobs is a witness that the journal came so far, whatever has become of the journal since.

import type { Disk } from '../disk/disk.ts';

/** The latest opening that has a folder of blobs, or 0. */
export async function highestBlobEpoch(disk: Disk, blobFolder: string): Promise<number> {
  let highest = 0;
  for (const name of await disk.list(blobFolder)) highest = Math.max(highest, epochOfFolder(name) ?? 0);
  return highest;
}

/** The opening that a folder of blobs is of, or `undefined` when it is no folder of ours. */
export function epochOfFolder(name: string): number | undefined {
  return /^[0-9a-f]{12}$/.test(name) ? Number.parseInt(name, 16) : undefined;
}
