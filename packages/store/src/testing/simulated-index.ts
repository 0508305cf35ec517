// The index of a simulated store: rows in memory, and checkpoints of all of them, written through the disk. It keeps the
// order of lmdb-index.ts: what the index is a view of is made durable first, then the state, then its name.

import { dirname, join } from 'node:path';
import { crc32c } from '@stowage/s3';
import type { Disk } from '../disk/disk.ts';
import { MemoryIndex } from '../ordered-index/memory-index.ts';
import type { IndexChanges, IndexPlace, IndexRange, OrderedIndex } from '../ordered-index/ordered-index.ts';

/** Opens the index at its last checkpoint; it is empty when there is none, or when it cannot be read. */
export async function openSimulatedIndex(place: IndexPlace): Promise<OrderedIndex> {
  const { disk, folder, fresh = false } = place;
  if (await disk.createFolder(folder)) await disk.syncFolder(dirname(folder));
  if (fresh) await disk.remove(join(folder, checkpointName));
  const rows = new MemoryIndex();
  const state = await readState(disk, join(folder, checkpointName));
  if (state !== undefined) decodeRows(state, rows);
  return new SimulatedIndex(place, rows);
}

const checkpointName = 'checkpoint';
/** Beyond every key. */
const endOfKeys = Buffer.from([0xff, 0xff]);

class SimulatedIndex implements OrderedIndex {
  readonly #place: IndexPlace;
  readonly #rows: MemoryIndex;
  #flushing: Promise<void> = Promise.resolve();
  #changed = true;

  constructor(place: IndexPlace, rows: MemoryIndex) {
    this.#place = place;
    this.#rows = rows;
  }

  get(key: Buffer): Buffer | undefined {
    return this.#rows.get(key);
  }

  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    this.#rows.scan(range, visit);
  }

  apply(changes: IndexChanges): void {
    this.#changed = true;
    for (const { key, value } of changes.values()) {
      if (value === undefined) this.#rows.delete(key);
      else this.#rows.put(key, value);
    }
  }

  flush(first: () => Promise<void>): Promise<void> {
    this.#flushing = this.#flushing.then(
      () => this.#checkpoint(first),
      () => this.#checkpoint(first),
    );
    return this.#flushing;
  }

  /** Each state is written whole, in place of the one before. */
  growthBytes(): number {
    return 0;
  }

  async close(): Promise<void> {
    await this.#flushing.catch(() => undefined); // whoever asked for that flush was told
  }

  async #checkpoint(first: () => Promise<void>): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const state = encodeRows(this.#rows);
    try {
      await first();
      await writeState(this.#place, state);
    } catch (cause) {
      this.#changed = true;
      throw cause;
    }
  }
}

async function writeState({ disk, folder }: IndexPlace, state: Buffer): Promise<void> {
  const path = join(folder, checkpointName);
  const next = `${path}.next`;
  await disk.remove(next);
  const file = await disk.create(next, 'write');
  try {
    await file.write([state], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(next, path);
  await disk.syncFolder(folder);
}

async function readState(disk: Disk, path: string): Promise<Buffer | undefined> {
  const names = await disk.list(join(path, '..'));
  if (!names.includes(checkpointName)) return undefined;
  const file = await disk.open(path, 'read');
  try {
    const bytes = Buffer.alloc(await file.sizeBytes());
    await file.read(bytes, 0);
    const holds = bytes.length >= 4 && crc32c(bytes.subarray(0, -4)) === bytes.readUInt32BE(bytes.length - 4);
    return holds ? bytes.subarray(0, -4) : undefined;
  } finally {
    await file.close();
  }
}

/** u16 length and bytes of each key, u32 length and bytes of its row; a CRC32C of all. */
function encodeRows(rows: MemoryIndex): Buffer {
  const chunks: Buffer[] = [];
  rows.scan({ from: Buffer.alloc(0), to: endOfKeys }, (key, value) => {
    const lengths = Buffer.allocUnsafe(6);
    lengths.writeUInt16BE(key.length, 0);
    lengths.writeUInt32BE(value.length, 2);
    chunks.push(lengths, key, value);
    return true;
  });
  const crc = Buffer.alloc(4);
  const state = Buffer.concat([...chunks, crc]);
  state.writeUInt32BE(crc32c(state.subarray(0, -4)), state.length - 4);
  return state;
}

function decodeRows(state: Buffer, rows: MemoryIndex): void {
  for (let at = 0; at < state.length; ) {
    const keyEnd = at + 6 + state.readUInt16BE(at);
    const rowEnd = keyEnd + state.readUInt32BE(at + 2);
    rows.put(Buffer.from(state.subarray(at + 6, keyEnd)), Buffer.from(state.subarray(keyEnd, rowEnd)));
    at = rowEnd;
  }
}
