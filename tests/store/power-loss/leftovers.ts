// In the end nothing is left over: each blob file is named by an object or an open upload.
//
// One kind of file is not counted: one whose removal a failed sync has given up. The store stops writing for such a failure
// (invariant 5). When the process is started again and the machine is not, the system shows the file as gone, and syncs the
// folder well; but the disk still holds its name, and any later loss of power brings it back. Nobody can see it before, and by
// then what knew of it is gone, rightly: its garbage row, or the sweep that passed. Invariant 6 says when bytes may go, not that
// a disk which has failed lets them go. Nothing names the file and no reader meets it; it costs room, and fsck reports it. To
// remove it at a later opening, the store would have to trust its index about bodies of all times, and a damaged index would
// then cost bodies that are needed (decision 011): so it does not.

import { basename } from 'node:path';
import { blobIdOfName } from '../../../packages/store/src/blobs/blob-file.ts';
import type { SimulatedDisk } from '../../../packages/store/src/testing/simulated-disk.ts';
import { Violation } from './key-account.ts';
import type { Model } from './model.ts';

/** @throws Violation */
export function requireNoLeftovers(disk: SimulatedDisk, model: Model, maxInlineBytes: number): void {
  const files = blobPaths(disk).filter((path) => !disk.mayReturn(path));
  const needed = model.storedBodies(maxInlineBytes).size;
  if (files.length === needed) return;
  throw new Violation(`There are ${files.length} blobs, and ${needed} are needed: ${files.join(', ')}`);
}

export function blobCount(disk: SimulatedDisk): number {
  return blobPaths(disk).length;
}

function blobPaths(disk: SimulatedDisk): string[] {
  return [...disk.files()].map(([path]) => path).filter((path) => blobIdOfName(basename(path)) !== undefined);
}
