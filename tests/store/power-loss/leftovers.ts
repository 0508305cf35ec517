// In the end nothing is left over: each blob file is named by an object or an open upload.

import type { SimulatedDisk } from '../../../packages/store/src/disk/simulated-disk.ts';
import { Violation } from './key-account.ts';
import type { Model } from './model.ts';

/** @throws Violation */
export function requireNoLeftovers(disk: SimulatedDisk, model: Model, maxInlineBytes: number): void {
  const files = blobPaths(disk);
  const needed = model.storedBodies(maxInlineBytes).size;
  if (files.length === needed) return;
  throw new Violation(`There are ${files.length} blobs, and ${needed} are needed: ${files.join(', ')}`);
}

export function blobCount(disk: SimulatedDisk): number {
  return blobPaths(disk).length;
}

function blobPaths(disk: SimulatedDisk): string[] {
  return [...disk.files()].map(([path]) => path).filter((path) => path.includes('/blobs/'));
}
