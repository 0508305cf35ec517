// FORMAT: says that a folder is a store, of which format, and which one. Written once, before anything else.

import { join } from 'node:path';
import type { Disk } from './disk/disk.ts';
import { StoreError } from './store-error.ts';

/** Grows when an older version could not read the folder any more. docs/format.md describes this one. */
const formatVersion = 1;
const formatName = 'FORMAT';
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
  if (names.includes('journal')) {
    throw new StoreError('Corrupt', {
      message: `${directory} holds a journal but no FORMAT file. Put FORMAT back from a copy: it names the store.`,
    });
  }
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
