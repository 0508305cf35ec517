// The index on disk, in LMDB. It is a view of the journal, so it is not made durable at every commit, which would cost more
// than the journal itself. Instead it has checkpoints: states that are durable whole. Opening goes back to the last
// checkpoint, always, and the caller replays the journal from there.
//
// How a checkpoint survives: LMDB never changes a page that a reader can still see, and a reader is kept on the checkpoint
// until there is a later one. Only the two meta pages at the head of the file are written over; a checkpoint keeps a copy
// of them in a file of its own, written once all other pages are durable. Going back is putting them in their place.

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32c } from '@stowage/s3';
import { open, type RootDatabase, type Transaction } from 'lmdb';
import { type Disk, isDiskFull, lacksDescriptors } from '../disk/disk.ts';
import { StoreError } from '../store-error.ts';
import { IndexRoom } from './index-room.ts';
import { isStorable, storableRange } from './key-bounds.ts';
import { findPageDamage, metaSizeBytes, pageSizeBytes, readUsedPages } from './lmdb-pages.ts';
import type { IndexChanges, IndexPlace, IndexRange, OrderedIndex } from './ordered-index.ts';
import { RowCache } from './row-cache.ts';

/**
 * Opens the index at its last checkpoint; it is empty when there is none. Its pages are looked through first: LMDB trusts
 * them, and damaged ones may end the process, or hide rows.
 * @throws StoreError `Corrupt` when the checkpoint or pages are damaged, or do not fit each other.
 */
export async function openLmdbIndex(options: IndexPlace): Promise<OrderedIndex> {
  const { disk, folder, fresh = false } = options;
  if (await disk.createFolder(folder)) await disk.syncFolder(dirname(folder));
  if (fresh) await removeLmdbIndex(options);
  await disk.remove(join(folder, lockName)); // readers of processes that are gone
  const checkpoint = await readCheckpoint(options);
  const wentBack = checkpoint !== undefined;
  if (wentBack) {
    await goBack(options, checkpoint);
    await requireSoundPages(join(folder, lmdbDataName));
  } else {
    await disk.remove(join(folder, lmdbDataName));
  }
  const database = open<Buffer, Buffer>({ ...lmdbOptions, path: join(folder, lmdbDataName) });
  const index = new LmdbIndex(options, database);
  // Opening may have committed by itself: from here on this state's pages are held, not those of the one before. An empty
  // index has nothing to go back to. Until its first flush nothing is held, and what is freed is used again: a rebuild would
  // grow to many times its size otherwise.
  if (wentBack) await index.flush(async () => undefined);
  return index;
}

/** @throws StoreError `Corrupt`. */
async function requireSoundPages(path: string): Promise<void> {
  const damage = await findPageDamage(path);
  if (damage !== undefined) throw damagedIndex(damage);
}

function damagedIndex(what: string, cause?: unknown): StoreError {
  const message = `The index is damaged (${what}). Stop the store and run \`stowage rebuild\`: it makes the index anew from the journal.`;
  return new StoreError('Corrupt', { message, details: { file: 'index' }, cause });
}

async function removeLmdbIndex({ disk, folder }: IndexPlace): Promise<void> {
  for (const name of indexFileNames) await disk.remove(join(folder, name));
}

export const lmdbDataName = 'data.mdb';
const lockName = 'data.mdb-lock';
export const checkpointName = 'checkpoint';
/** What the next checkpoint is written into: made beforehand, so that a full disk has room for it. */
export const spareName = 'checkpoint.spare';
/** Says that rows were found damaged while the index was in use: the next opening makes it anew. */
export const damagedName = 'damaged';
/** All files of an index; without the first, the others are not looked at. */
export const indexFileNames: readonly string[] = [checkpointName, lmdbDataName, lockName, spareName, damagedName];
/** The same for every thread that has it open (lmdb-reader.ts). */
export const lmdbOptions = {
  noSubdir: true,
  encoding: 'binary',
  encoder: {
    encode: (row: Buffer): Buffer => row,
    decode: (bytes: Uint8Array, size: number) => copyOut(bytes, 0, size),
  },
  keyEncoder: {
    writeKey(key: Buffer, target: Uint8Array, start: number): number {
      target.set(key, start);
      return start + key.length;
    },
    readKey: copyOut,
  },
  pageSize: pageSizeBytes,
  noSync: true,
  overlappingSync: false,
  cache: false,
} as const;
const checkpointMagic = Buffer.from('STOWIDX1');
/** Where in the checkpoint the meta pages stand: behind the magic and the length of the data file. */
const metaStart = checkpointMagic.length + 8;
/** Commit before returning; nothing is to be rolled back by the caller. */
const synchronousCommit = 2;

/**
 * A row or key that a scan has come to, out of LMDB's own memory. Left to itself LMDB gives each an ArrayBuffer of its own,
 * which costs a scan half as much again, and the collector too; these share memory with others that are read with them.
 */
function copyOut(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  // LMDB shortens `bytes` by a property of its own, which only Buffer's methods do not look at.
  Buffer.prototype.copy.call(bytes, copy, 0, start, end);
  return copy;
}

class LmdbIndex implements OrderedIndex {
  readonly #options: IndexPlace;
  readonly #database: RootDatabase<Buffer, Buffer>;
  readonly #data: number;
  readonly #room: IndexRoom;
  /** Sees the last checkpoint, so that its pages stay as they are. */
  #checkpointReader: Transaction | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #changed = true;
  #flushedSizeBytes = 0;
  readonly #cache = new RowCache();

  constructor(options: IndexPlace, database: RootDatabase<Buffer, Buffer>) {
    this.#options = options;
    this.#database = database;
    this.#data = fs.openSync(join(options.folder, lmdbDataName), 'r+');
    this.#room = new IndexRoom(this.#data);
  }

  get(key: Buffer): Buffer | undefined {
    if (!isStorable(key)) return undefined;
    const name = key.toString('latin1');
    const kept = this.#cache.get(name);
    if (kept !== undefined) return kept;
    const row = this.#read(key);
    if (row !== undefined) this.#cache.add(name, row);
    return row;
  }

  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    try {
      for (const { key, value } of this.#database.getRange(storableRange(range))) {
        if (!visit(key, value)) return;
      }
    } catch (cause) {
      throw explain(cause, this.#options.folder);
    }
  }

  apply(changes: IndexChanges): void {
    const database = this.#database;
    this.#changed = true;
    try {
      this.#room.makeFor(changes);
      database.transactionSync(() => {
        for (const { key, value } of changes.values()) {
          if (value === undefined) database.removeSync(key);
          else database.putSync(key, value);
        }
      }, synchronousCommit);
    } catch (cause) {
      throw explain(cause, this.#options.folder);
    }
    database.resetReadTxn(); // what is read from here on sees this commit
    this.#cache.renew(changes);
  }

  flush(first: () => Promise<void>): Promise<void> {
    this.#flushing = this.#flushing.then(
      () => this.#checkpoint(first),
      () => this.#checkpoint(first),
    );
    return this.#flushing;
  }

  growthBytes(): number {
    return this.#room.usedBytes() - this.#flushedSizeBytes;
  }

  async close(): Promise<void> {
    await this.#flushing.catch(() => undefined); // whoever asked for that flush was told
    this.#checkpointReader?.done();
    await this.#database.close();
    fs.closeSync(this.#data);
  }

  #read(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getBinary(key);
    } catch (cause) {
      throw explain(cause, this.#options.folder);
    }
  }

  async #checkpoint(first: () => Promise<void>): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    let reader: Transaction | undefined;
    try {
      // These three lines see one state: nothing is committed between them.
      this.#database.resetReadTxn();
      reader = this.#database.useReadTransaction();
      const metaPages = Buffer.alloc(metaSizeBytes);
      fs.readSync(this.#data, metaPages, 0, metaSizeBytes, 0);
      await first();
      await syncFile(this.#data);
      const dataSizeBytes = fs.fstatSync(this.#data).size;
      await writeCheckpoint(this.#options, { metaPages, dataSizeBytes });
      this.#flushedSizeBytes = readUsedPages(metaPages).pages * pageSizeBytes;
      this.#checkpointReader?.done();
      this.#checkpointReader = reader;
    } catch (cause) {
      // Its pages are those of no checkpoint: kept pinned, each failure would make the file grow for good.
      reader?.done();
      this.#changed = true;
      throw cause;
    }
  }
}

/** LMDB gives the number of a system error where node:fs gives its name, and names its own errors in the message. */
function explain(cause: unknown, folder: string): unknown {
  if (!(cause instanceof Error)) return cause;
  if (cause.message.startsWith('MDB_')) return damagedIndex(cause.message, cause);
  const full = 'code' in cause && (fullCodes.has(cause.code) || (cause.code === constants.errno.EIO && isFull(folder)));
  return full ? Object.assign(new Error('The index finds no room on the disk.', { cause }), { code: 'ENOSPC' }) : cause;
}

const fullCodes: ReadonlySet<unknown> = new Set([constants.errno.ENOSPC, constants.errno.EDQUOT, 'ENOSPC', 'EDQUOT']);
/** A disk that has less free may have had no room for a batch. */
const scarceBytes = 1024 * 1024;

/**
 * A write that was done in part, because the disk became full in the middle of it, LMDB calls an input/output error. On a disk
 * that has room it is one.
 */
function isFull(folder: string): boolean {
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize < scarceBytes;
}

interface Checkpoint {
  readonly metaPages: Buffer;
  /** A shorter data file has lost pages that the checkpoint needs. */
  readonly dataSizeBytes: number;
}

async function readCheckpoint({ disk, folder }: IndexPlace): Promise<Checkpoint | undefined> {
  const names = await disk.list(folder);
  if (!names.includes(checkpointName) || !names.includes(lmdbDataName)) return undefined;
  const file = await disk.open(join(folder, checkpointName), 'read');
  try {
    const bytes = Buffer.alloc(metaStart + metaSizeBytes + 4);
    const complete = (await file.read(bytes, 0)) === bytes.length;
    const holds = complete && crc32c(bytes.subarray(0, -4)) === bytes.readUInt32BE(bytes.length - 4);
    if (!holds || !bytes.subarray(0, checkpointMagic.length).equals(checkpointMagic)) {
      throw damagedIndex('its checkpoint fails its checksum');
    }
    const dataSizeBytes = bytes.readUIntBE(checkpointMagic.length, 6);
    return { metaPages: bytes.subarray(metaStart, -4), dataSizeBytes };
  } finally {
    await file.close();
  }
}

async function writeCheckpoint({ disk, folder }: IndexPlace, checkpoint: Checkpoint): Promise<void> {
  const bytes = Buffer.alloc(metaStart + metaSizeBytes + 4);
  checkpointMagic.copy(bytes);
  bytes.writeUIntBE(checkpoint.dataSizeBytes, checkpointMagic.length, 6);
  checkpoint.metaPages.copy(bytes, metaStart);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, -4)), bytes.length - 4);
  const path = join(folder, checkpointName);
  const spare = join(folder, spareName);
  const isThere = (await disk.list(folder)).includes(spareName);
  const file = await (isThere ? disk.open(spare, 'write') : disk.create(spare, 'write'));
  try {
    await file.write([bytes], 0);
    await madeDurable(() => file.sync());
  } finally {
    await file.close();
  }
  await disk.rename(spare, path);
  await madeDurable(() => disk.syncFolder(folder));
  await makeSpare(disk, spare, bytes.length);
}

/** Its bytes are of no consequence. Where there is none, the next checkpoint needs room. */
async function makeSpare(disk: Disk, path: string, sizeBytes: number): Promise<void> {
  try {
    const file = await disk.create(path, 'write');
    await file.write([randomBytes(sizeBytes)], 0).finally(() => file.close());
  } catch (cause) {
    if (!isDiskFull(cause) && !lacksDescriptors(cause)) throw cause;
  }
}

/** Lack of room is no excuse here, as for `syncFile`. */
async function madeDurable(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw isDiskFull(cause) ? new Error('The index could not be made durable.', { cause }) : cause;
  }
}

/** Has the data file show the checkpoint. @throws StoreError `Corrupt` when it has lost pages of it. */
async function goBack({ disk, folder }: IndexPlace, checkpoint: Checkpoint): Promise<void> {
  const file = await disk.open(join(folder, lmdbDataName), 'write');
  try {
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes < checkpoint.dataSizeBytes) {
      throw damagedIndex(
        `${lmdbDataName} has ${sizeBytes} bytes where its checkpoint needs ${checkpoint.dataSizeBytes}`,
      );
    }
    await file.write([checkpoint.metaPages], 0);
  } finally {
    await file.close();
  }
}

/** Lack of room is no excuse: what the system could not write down, it takes for written the next time (invariant 5). */
function syncFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(descriptor, (error) => {
      if (error === null) resolve();
      else reject(new Error(`The index could not be made durable (${error.message}).`, { cause: error }));
    });
  });
}
