// A small file system for a test to fill up. Mounting one needs root; where that is not permitted, the test is skipped, loudly.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Answers false when it may not mount. */
export type Mount = (root: string, folder: string) => Promise<boolean>;

export function mountTmpfs(sizeMebibytes: number): Mount {
  return async (_root, folder) => mount('-t', 'tmpfs', '-o', `size=${sizeMebibytes}m`, 'tmpfs', folder);
}

export function mount(...options: readonly string[]): boolean {
  try {
    execFileSync('mount', options, { stdio: 'ignore' });
    return true;
  } catch {
    return false; // said by the skip
  }
}

/** Runs with a data folder on it, which is gone afterwards. */
export async function withSmallDisk(
  context: TestContext,
  mountAt: Mount,
  run: (directory: string) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'stowage-small-'));
  const folder = await mkdtemp(join(root, 'disk-'));
  try {
    if (!(await mountAt(root, folder))) {
      context.skip('NOT RUN: mounting a small file system needs root (and mkfs.ext4): a full disk was not tried');
      return;
    }
    try {
      await run(join(folder, 'data'));
    } finally {
      execFileSync('umount', ['-l', folder]); // lazily: a test that fails leaves its store open
    }
  } finally {
    await rm(root, { recursive: true });
  }
}
