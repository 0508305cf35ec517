// FORMAT: says that a folder is a store, of which format, and which one. Written once, before anything else.

import { dirname, join } from 'node:path';
import type { Disk } from './disk/disk.ts';
import { StoreError } from './store-error.ts';

/** Grows when an older version could not read the folder any more. docs/format.md describes this one. */
const formatVersion = 1;
const formatName = 'FORMAT';
/** Made only once there is a FORMAT. */
const storeFolders = ['journal', 'blobs', 'index'] as const;
const maxFormatSizeBytes = 4096;

/** The id of the store in a folder, which is made one if it is empty. @throws StoreError `UnsupportedFormat`, `Corrupt`. */
export async function openFormat(options: {
  readonly disk: Disk;
  readonly directory: string;
  readonly random: (sizeBytes: number) => Uint8Array;
}): Promise<Buffer> {
  const { disk, directory, random } = options;
  const path = join(directory, formatName);
  const names = await disk.list(directory);
  if (names.includes(formatName)) return readFormat(disk, path);
  const held = storeFolders.filter((name) => names.includes(name));
  if (held.length > 0) {
    throw new StoreError('Corrupt', {
      message: `${directory} holds ${held.join(', ')}, but no FORMAT file, so it was a store. Put back what is missing of it, FORMAT first: it names the store, whose id stands in each segment of journal/, too (docs/format.md).`,
    });
  }
  // Who made the folders above may have died before their names were durable. Once there is a FORMAT, this was done.
  await syncFoldersAbove(disk, directory);
  const storeId = Buffer.from(random(16));
  const next = `${path}.next`;
  await disk.remove(next);
  const file = await disk.create(next, 'write');
  try {
    await file.write(
      [Buffer.from(`${JSON.stringify({ format: formatVersion, store: storeId.toString('hex') })}\n`)],
      0,
    );
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(next, path);
  await disk.syncFolder(directory);
  return storeId;
}

/**
 * The id of the store in a folder, which must be one: nothing is made.
 * @throws StoreError `UnsupportedFormat`, `Corrupt`; `NotAStore` when there is no FORMAT file.
 */
export async function requireFormat(options: { readonly disk: Disk; readonly directory: string }): Promise<Buffer> {
  const { disk, directory } = options;
  if ((await disk.list(directory)).includes(formatName)) return readFormat(disk, join(directory, formatName));
  throw new StoreError('NotAStore', {
    message: `${directory} holds no store: there is no FORMAT file in it. Name the folder that the store was opened with.`,
  });
}

async function syncFoldersAbove(disk: Disk, path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  try {
    await disk.syncFolder(parent);
  } catch (cause) {
    // A folder that may not be read was made by somebody else, long ago.
    if (!(cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM')))
      throw cause;
  }
  await syncFoldersAbove(disk, parent);
}

async function readFormat(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path, 'read');
  const bytes = Buffer.alloc(maxFormatSizeBytes);
  let sizeBytes: number;
  try {
    sizeBytes = await file.read(bytes, 0);
  } finally {
    await file.close();
  }
  const { format, store } = parseFormat(bytes.toString('utf8', 0, sizeBytes), path);
  if (format > formatVersion) {
    throw new StoreError('UnsupportedFormat', {
      message: `${path} says format ${format}; this version reads up to ${formatVersion}. Use a newer version.`,
      details: { format: String(format) },
    });
  }
  return store;
}

function parseFormat(text: string, path: string): { format: number; store: Buffer } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'format' in value && typeof value.format === 'number') {
      // A newer format may name its store otherwise: that it is newer is said first.
      const name = 'store' in value && typeof value.store === 'string' ? value.store : '';
      if (value.format > formatVersion || /^[0-9a-f]{32}$/.test(name)) {
        return { format: value.format, store: Buffer.from(name, 'hex') };
      }
    }
  } catch (cause) {
    throw new StoreError('Corrupt', { message: `${path} is not readable: put it back from a copy.`, cause });
  }
  throw new StoreError('Corrupt', { message: `${path} names no store: put it back from a copy.` });
}
