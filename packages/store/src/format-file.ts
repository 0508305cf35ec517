// FORMAT: says that a folder is a store, of which format, and which one. Written once, before anything else. Which store it is
// stands in the header of each segment, too: from there a repair takes it when FORMAT is damaged.

import { dirname, join } from 'node:path';
import type { Disk } from './disk/disk.ts';
import { readAround } from './disk/read-around.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes, segmentNumber } from './journal/segment.ts';
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
      message: `${directory} holds ${held.join(', ')}, but no FORMAT file, so it was a store. Put back what is missing of it, FORMAT first; when there is no copy, \`stowage fsck --repair\` writes FORMAT anew, with the id that the segments of journal/ name.`,
    });
  }
  // Who made the folders above may have died before their names were durable. Once there is a FORMAT, this was done.
  await syncFoldersAbove(disk, directory);
  const storeId = Buffer.from(random(16));
  await writeFormat(disk, directory, storeId);
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
    message: `${directory} holds no store: there is no FORMAT file in it. Name the folder that the store was opened with; if it is this one, put its FORMAT back, or run \`stowage fsck --repair\`, which takes the store's id from the segments of journal/.`,
  });
}

/** What FORMAT must say, and does not. */
export interface FormatMend {
  readonly storeId: Buffer;
  /** How many segments name it; none names another. */
  readonly segments: number;
  /** What stands in FORMAT; absent: there is no such file. */
  readonly damaged: Buffer | undefined;
}

/**
 * Looks whether FORMAT is missing or damaged, and what it must say by the headers of all segments. `undefined`: it is in
 * order, or of a newer format, or it names another store in earnest, or the segments do not tell. Changes nothing.
 */
export async function findFormatMend(place: {
  readonly disk: Disk;
  readonly directory: string;
}): Promise<FormatMend | undefined> {
  const { disk, directory } = place;
  const named = await storeIdsOfSegments(disk, join(directory, 'journal'));
  const [first] = named;
  if (first === undefined || named.some((storeId) => !storeId.equals(first))) return undefined;
  const found = { storeId: first, segments: named.length };
  if (!(await disk.list(directory)).includes(formatName)) return { ...found, damaged: undefined };
  const damaged = await readBytes(disk, join(directory, formatName));
  const said = parseFormat(damaged.toString());
  // Ids are random: one that differs in a single digit is this one, with a digit that has changed.
  if (said !== undefined && (said.format > formatVersion || digitsApart(said.store, first) !== 1)) return undefined;
  return { ...found, damaged };
}

/** Writes FORMAT anew, durably. What stood there is copied to the quarantine folder first; answers the copy's name. */
export async function mendFormat(
  place: { readonly disk: Disk; readonly directory: string },
  { storeId, damaged }: FormatMend,
): Promise<string | undefined> {
  const { disk, directory } = place;
  const copy = damaged === undefined ? undefined : `quarantine/${formatName}-0-${damaged.length}`;
  if (damaged !== undefined && copy !== undefined) {
    await disk.createFolder(join(directory, 'quarantine'));
    await disk.remove(join(directory, copy)); // an attempt that was broken off
    await writeNew(disk, join(directory, copy), damaged);
    await disk.syncFolder(join(directory, 'quarantine'));
  }
  await writeFormat(disk, directory, storeId);
  return copy;
}

async function writeFormat(disk: Disk, directory: string, storeId: Buffer): Promise<void> {
  const path = join(directory, formatName);
  const next = `${path}.next`;
  await disk.remove(next);
  await writeNew(
    disk,
    next,
    Buffer.from(`${JSON.stringify({ format: formatVersion, store: storeId.toString('hex') })}\n`),
  );
  await disk.rename(next, path);
  await disk.syncFolder(directory);
}

async function writeNew(disk: Disk, path: string, bytes: Buffer): Promise<void> {
  const file = await disk.create(path, 'write');
  try {
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The stores that the segments of a journal say they are of, as far as their headers hold. */
async function storeIdsOfSegments(disk: Disk, journalFolder: string): Promise<Buffer[]> {
  const named: Buffer[] = [];
  for (const name of await disk.list(journalFolder)) {
    if (segmentNumber(name) === undefined) continue;
    const file = await disk.open(join(journalFolder, name), 'read');
    try {
      const bytes = Buffer.alloc(segmentHeaderSizeBytes);
      await readAround(file, bytes, 0);
      const header = decodeSegmentHeader(bytes);
      if (header !== undefined) named.push(header.storeId);
    } finally {
      await file.close();
    }
  }
  return named;
}

function digitsApart(a: Buffer, b: Buffer): number {
  const digits = b.toString('hex');
  return [...a.toString('hex')].filter((digit, at) => digit !== digits[at]).length;
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
  const said = parseFormat((await readBytes(disk, path)).toString());
  if (said === undefined) {
    throw new StoreError('Corrupt', {
      message: `${path} does not say which store this is. Put it back from a copy, or run \`stowage fsck --repair\`, which writes it anew with the id that the segments of journal/ name.`,
    });
  }
  if (said.format > formatVersion) {
    throw new StoreError('UnsupportedFormat', {
      message: `${path} says format ${said.format}; this version reads up to ${formatVersion}. Use a newer version.`,
      details: { format: String(said.format) },
    });
  }
  return said.store;
}

async function readBytes(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = Buffer.alloc(Math.min(await file.sizeBytes(), maxFormatSizeBytes));
    await readAround(file, bytes, 0);
    return bytes;
  } finally {
    await file.close();
  }
}

/** What a FORMAT file says, or `undefined` when that cannot be told. */
function parseFormat(text: string): { readonly format: number; readonly store: Buffer } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // it is damaged, which the caller tells of
  }
  if (typeof value !== 'object' || value === null || !('format' in value)) return undefined;
  const { format } = value;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) return undefined;
  // A newer format may name its store otherwise: that it is newer is said first.
  const name = 'store' in value && typeof value.store === 'string' ? value.store : '';
  if (format <= formatVersion && !/^[0-9a-f]{32}$/.test(name)) return undefined;
  return { format, store: Buffer.from(name, 'hex') };
}
