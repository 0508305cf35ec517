// Temporary data folders for the disk store's tests, and what a crash leaves of one.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function withDataFolder(run: (directory: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'stowage-store-'));
  try {
    await run(join(root, 'data'));
  } finally {
    await rm(root, { recursive: true });
  }
}

/** Copies the folder of an open store as it stands: what a process that is killed now would leave. */
export async function copyAsCrashed(directory: string, name: string): Promise<string> {
  const copy = join(directory, '..', name);
  await rm(copy, { recursive: true, force: true });
  await cp(directory, copy, { recursive: true, filter: (source) => !source.endsWith('data.mdb-lock') });
  return copy;
}

/** The segments of a journal, in order. */
export async function segmentPaths(directory: string): Promise<string[]> {
  const folder = join(directory, 'journal');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.seg'));
  return names.sort().map((name) => join(folder, name));
}

/** All blob files. */
export async function blobPaths(directory: string): Promise<string[]> {
  const entries = await readdir(join(directory, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Turns one bit of a file over. */
export async function flipByte(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x40;
  await writeFile(path, bytes);
}
