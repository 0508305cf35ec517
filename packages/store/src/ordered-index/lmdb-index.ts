// The index on disk, in LMDB. It is a view of the journal, so it is not made durable at every commit, which would cost more
// than the journal itself. Instead it has checkpoints: states that are durable whole. Opening goes back to the last
// checkpoint, always, and the caller replays the journal from there.
//
// How a checkpoint survives: LMDB never changes a page that a reader can still see, and a reader is kept on the checkpoint
// until there is a later one. Only the two meta pages at the head of the file are written over; a checkpoint keeps a copy
// of them in a file of its own, written once all other pages are durable. Going back is putting them in their place.

import * as fs from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase, type Transaction } from 'lmdb';
import { crc32c } from '../blobs/block-checksums.ts';
import type { Disk } from '../disk/disk.ts';
import type { IndexChanges, IndexRange, OrderedIndex } from './ordered-index.ts';

interface LmdbIndexOptions {
  readonly disk: Disk;
  readonly folder: string;
}

/** Opens the index at its last checkpoint; it is empty when there is none, or when it cannot be read. */
export async function openLmdbIndex(options: LmdbIndexOptions): Promise<OrderedIndex> {
  const { disk, folder } = options;
  await disk.createFolder(folder);
  await disk.remove(join(folder, lockName)); // readers of processes that are gone
  const checkpoint = await readCheckpoint(options);
  if (checkpoint === undefined || !(await goBack(options, checkpoint))) await disk.remove(join(folder, dataName));
  const database = open<Buffer, Buffer>({
    path: join(folder, dataName),
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    pageSize: pageSizeBytes,
    noSync: true,
    overlappingSync: false,
    cache: false,
  });
  const index = new LmdbIndex(options, database);
  // Opening may have committed by itself: from here on this state's pages are held, not those of the one before.
  await index.flush(async () => undefined);
  return index;
}

/** Removes the index, so that opening begins with an empty one. */
export async function removeLmdbIndex({ disk, folder }: LmdbIndexOptions): Promise<void> {
  for (const name of [checkpointName, dataName, lockName]) await disk.remove(join(folder, name));
}

const dataName = 'data.mdb';
const lockName = 'data.mdb-lock';
const checkpointName = 'checkpoint';
const pageSizeBytes = 4096;
const metaSizeBytes = 2 * pageSizeBytes;
const checkpointMagic = Buffer.from('STOWIDX1');
/** Where in the checkpoint the meta pages stand: behind the magic and the length of the data file. */
const metaStart = checkpointMagic.length + 8;
/** Commit before returning; nothing is to be rolled back by the caller. */
const synchronousCommit = 2;

class LmdbIndex implements OrderedIndex {
  readonly #options: LmdbIndexOptions;
  readonly #database: RootDatabase<Buffer, Buffer>;
  readonly #data: number;
  /** Sees the last checkpoint, so that its pages stay as they are. */
  #checkpointReader: Transaction | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #changed = true;

  constructor(options: LmdbIndexOptions, database: RootDatabase<Buffer, Buffer>) {
    this.#options = options;
    this.#database = database;
    this.#data = fs.openSync(join(options.folder, dataName), 'r+');
    this.#checkpointReader = database.useReadTransaction();
  }

  get(key: Buffer): Buffer | undefined {
    return this.#database.getBinary(key);
  }

  scan({ from, to }: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    for (const { key, value } of this.#database.getRange({ start: from, end: to })) {
      if (!visit(key, value)) return;
    }
  }

  apply(changes: IndexChanges): void {
    const database = this.#database;
    this.#changed = true;
    try {
      database.transactionSync(() => {
        for (const { key, value } of changes.values()) {
          if (value === undefined) database.removeSync(key);
          else database.putSync(key, value);
        }
      }, synchronousCommit);
    } catch (cause) {
      throw asDiskError(cause);
    }
    database.resetReadTxn(); // what is read from here on sees this commit
  }

  flush(first: () => Promise<void>): Promise<void> {
    this.#flushing = this.#flushing.then(
      () => this.#checkpoint(first),
      () => this.#checkpoint(first),
    );
    return this.#flushing;
  }

  async close(): Promise<void> {
    await this.#flushing.catch(() => undefined); // whoever asked for that flush was told
    this.#checkpointReader?.done();
    await this.#database.close();
    fs.closeSync(this.#data);
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
      await writeCheckpoint(this.#options, { metaPages, dataSizeBytes: fs.fstatSync(this.#data).size });
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

/** LMDB gives the number of a system error where node:fs gives its name. */
function asDiskError(cause: unknown): unknown {
  const full = cause instanceof Error && 'code' in cause && cause.code === constants.errno.ENOSPC;
  return full ? Object.assign(new Error('The index finds no room on the disk.', { cause }), { code: 'ENOSPC' }) : cause;
}

interface Checkpoint {
  readonly metaPages: Buffer;
  /** A shorter data file has lost pages that the checkpoint needs. */
  readonly dataSizeBytes: number;
}

async function readCheckpoint({ disk, folder }: LmdbIndexOptions): Promise<Checkpoint | undefined> {
  const names = await disk.list(folder);
  if (!names.includes(checkpointName) || !names.includes(dataName)) return undefined;
  const file = await disk.open(join(folder, checkpointName), 'read');
  try {
    const bytes = Buffer.alloc(metaStart + metaSizeBytes + 4);
    const complete = (await file.read(bytes, 0)) === bytes.length;
    const holds = complete && crc32c(bytes.subarray(0, -4)) === bytes.readUInt32BE(bytes.length - 4);
    if (!holds || !bytes.subarray(0, checkpointMagic.length).equals(checkpointMagic)) return undefined;
    const dataSizeBytes = bytes.readUIntBE(checkpointMagic.length, 6);
    return { metaPages: bytes.subarray(metaStart, -4), dataSizeBytes };
  } finally {
    await file.close();
  }
}

async function writeCheckpoint({ disk, folder }: LmdbIndexOptions, checkpoint: Checkpoint): Promise<void> {
  const bytes = Buffer.alloc(metaStart + metaSizeBytes + 4);
  checkpointMagic.copy(bytes);
  bytes.writeUIntBE(checkpoint.dataSizeBytes, checkpointMagic.length, 6);
  checkpoint.metaPages.copy(bytes, metaStart);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, -4)), bytes.length - 4);
  const path = join(folder, checkpointName);
  const next = `${path}.next`;
  await disk.remove(next);
  const file = await disk.create(next, 'write');
  try {
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(next, path);
  await disk.syncFolder(folder);
}

/** Has the data file show the checkpoint; answers false when it cannot. */
async function goBack({ disk, folder }: LmdbIndexOptions, checkpoint: Checkpoint): Promise<boolean> {
  const file = await disk.open(join(folder, dataName), 'write');
  try {
    if ((await file.sizeBytes()) < checkpoint.dataSizeBytes) return false;
    await file.write([checkpoint.metaPages], 0);
    return true;
  } finally {
    await file.close();
  }
}

function syncFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}
