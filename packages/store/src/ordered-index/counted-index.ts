// An index that knows how many rows it holds of each kind, and the sum of their checksums. LMDB trusts what its pages say: a
// damaged one may hide rows, or show others, without a word, and what has no row would then be taken for what nobody needs.
// The sum does not depend on the order of rows, so each change adjusts it; it stands in the index itself, in a row that is
// written in the same transaction. `verify` reads all rows and says whether they are those that were written.
// docs/format.md, "Index", `digest`.

import { crc32c } from '@stowage/s3';
import { stateKey } from '../catalog/index-keys.ts';
import { StoreError } from '../store-error.ts';
import type { IndexChange, IndexChanges, IndexRange, OrderedIndex } from './ordered-index.ts';
import { type IndexRow, rowPages } from './row-pages.ts';

const digestKey = stateKey('digest');
const digestName = digestKey.toString('latin1');
/** Before the first key and behind the last. */
const wholeIndex: IndexRange = { from: Buffer.of(0), to: Buffer.of(0xff) };
/** Keyspaces are numbered from 1; there is room for more of them. */
const maxKeyspaces = 32;
const entrySizeBytes = 13;
const sumBound = 2 ** 48;

/** Rows of one keyspace that are not what was written. */
export interface RowMismatch {
  readonly keyspace: number;
  readonly expectedRows: number;
  readonly foundRows: number;
}

export class CountedIndex implements OrderedIndex {
  readonly #index: OrderedIndex;
  #digest: RowDigest;
  /** How far a verification has come, and what it has seen. */
  #seen: { position: Buffer; digest: RowDigest } | undefined;
  #verifying: Promise<unknown> = Promise.resolve();

  private constructor(index: OrderedIndex, digest: RowDigest) {
    this.#index = index;
    this.#digest = digest;
  }

  /** @throws StoreError `Corrupt` when there are rows and nothing says how many. */
  static over(index: OrderedIndex): CountedIndex {
    const row = index.get(digestKey);
    if (row !== undefined) return new CountedIndex(index, decodeDigest(row));
    let isEmpty = true;
    index.scan(wholeIndex, () => {
      isEmpty = false;
      return false;
    });
    if (isEmpty) return new CountedIndex(index, new RowDigest());
    const message = 'The index is damaged: it has rows, and the one that says how many is not there.';
    throw new StoreError('Corrupt', { message, details: { file: 'index' } });
  }

  get(key: Buffer): Buffer | undefined {
    return this.#index.get(key);
  }

  scan(range: IndexRange, visit: (key: Buffer, value: Buffer) => boolean): void {
    this.#index.scan(range, visit);
  }

  apply(changes: IndexChanges): void {
    const seen = this.#seen;
    const digest = this.#digest.copy();
    const seenDigest = seen?.digest.copy();
    for (const { key, value } of changes.values()) {
      const before = this.#index.get(key);
      digest.change(key, before, value);
      if (seen !== undefined && key.compare(seen.position) <= 0) seenDigest?.change(key, before, value);
    }
    const all = new Map<string, IndexChange>(changes);
    all.set(digestName, { key: digestKey, value: digest.encode() });
    this.#index.apply(all);
    this.#digest = digest;
    if (seen !== undefined && seenDigest !== undefined) seen.digest = seenDigest;
  }

  flush(first: () => Promise<void>): Promise<void> {
    return this.#index.flush(first);
  }

  growthBytes(): number {
    return this.#index.growthBytes();
  }

  close(): Promise<void> {
    return this.#index.close();
  }

  /**
   * Reads all rows, in pages, while the index goes on being read and changed, and answers what is not as it was written.
   * @param pause awaited after each page; throws in order to stop.
   */
  verify(pause: () => Promise<void>): Promise<readonly RowMismatch[]> {
    const run = this.#verifying.then(() => this.#verify(pause));
    this.#verifying = run.catch(() => undefined); // whoever asked for it is told
    return run;
  }

  async #verify(pause: () => Promise<void>): Promise<readonly RowMismatch[]> {
    const seen = { position: wholeIndex.from, digest: new RowDigest() };
    this.#seen = seen;
    try {
      for (const page of rowPages(this.#index, wholeIndex)) {
        seen.digest.addRows(page);
        seen.position = page.at(-1)?.key ?? seen.position;
        await pause();
      }
      return this.#digest.compare(seen.digest);
    } finally {
      this.#seen = undefined;
    }
  }
}

/** By keyspace: how many rows, and the sum of their CRCs. */
class RowDigest {
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  constructor(
    counts: Float64Array = new Float64Array(maxKeyspaces),
    sums: Float64Array = new Float64Array(maxKeyspaces),
  ) {
    this.#counts = counts;
    this.#sums = sums;
  }

  copy(): RowDigest {
    return new RowDigest(this.#counts.slice(), this.#sums.slice());
  }

  addRows(rows: readonly IndexRow[]): void {
    for (const { key, value } of rows) if (!key.equals(digestKey)) this.#add(key, value, 1);
  }

  change(key: Buffer, before: Buffer | undefined, after: Buffer | undefined): void {
    if (before !== undefined) this.#add(key, before, -1);
    if (after !== undefined) this.#add(key, after, 1);
  }

  compare(found: RowDigest): RowMismatch[] {
    const mismatches: RowMismatch[] = [];
    for (const [keyspace, expectedRows] of this.#counts.entries()) {
      const foundRows = found.#counts[keyspace] ?? 0;
      if (expectedRows === foundRows && this.#sums[keyspace] === found.#sums[keyspace]) continue;
      mismatches.push({ keyspace, expectedRows, foundRows });
    }
    return mismatches;
  }

  /** Of each keyspace that has rows: u8 its number, u48 rows, u48 sum. */
  encode(): Buffer {
    const row = Buffer.allocUnsafe(maxKeyspaces * entrySizeBytes);
    let at = 0;
    for (const [keyspace, count] of this.#counts.entries()) {
      if (count === 0 && this.#sums[keyspace] === 0) continue;
      at = row.writeUInt8(keyspace, at);
      at = row.writeUIntBE(count, at, 6);
      at = row.writeUIntBE(this.#sums[keyspace] ?? 0, at, 6);
    }
    return row.subarray(0, at);
  }

  set(keyspace: number, count: number, sum: number): void {
    this.#counts[keyspace] = count;
    this.#sums[keyspace] = sum;
  }

  #add(key: Buffer, row: Buffer, sign: 1 | -1): void {
    const keyspace = (key[0] ?? 0) % maxKeyspaces;
    const sum = (this.#sums[keyspace] ?? 0) + sign * crc32c(row, crc32c(key));
    this.#sums[keyspace] = sum < 0 ? sum + sumBound : sum >= sumBound ? sum - sumBound : sum;
    // More rows can go than were counted only when a damaged page shows rows that were never written.
    this.#counts[keyspace] = Math.max(0, (this.#counts[keyspace] ?? 0) + sign);
  }
}

/** @throws StoreError `Corrupt`. */
function decodeDigest(row: Buffer): RowDigest {
  const digest = new RowDigest();
  for (let at = 0; at < row.length; at += entrySizeBytes) {
    if (at + entrySizeBytes > row.length) {
      const message = 'The index is damaged: the row that says how many rows it has ends too early.';
      throw new StoreError('Corrupt', { message, details: { file: 'index' } });
    }
    digest.set(row.readUInt8(at), row.readUIntBE(at + 1, 6), row.readUIntBE(at + 7, 6));
  }
  return digest;
}
