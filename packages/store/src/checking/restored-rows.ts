// What the store's index still knows and a damaged journal has lost: chosen while the two indexes are compared, and then
// written into the journal again, by commits like any other. Where the journal has a row, it is right, unless the index has a
// later version of the object: rows of the journal are covered by checksums, and those of the index are not.

import { join } from 'node:path';
import { findBadBlock } from '../blobs/block-checksums.ts';
import type { Fact } from '../catalog/facts.ts';
import { keyspace } from '../catalog/index-keys.ts';
import { withReferences } from '../catalog/manifest.ts';
import type { Operation } from '../catalog/operation.ts';
import { bodySizeOf, locationOf, sequenceOf } from '../catalog/version-row.ts';
import { type Disk, isMissing } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import type { RowDifference } from './compare-indexes.ts';
import { segmentFileName } from './segment-check.ts';

/** Rows that one repair takes; the next one takes more. */
const maxRowBytes = 64 * 1024 * 1024;

interface ChosenRow {
  readonly key: Buffer;
  readonly row: Buffer;
}

/** Keyspaces in the order in which their rows are written: what is named comes before what names it. */
const restoredKeyspaces: readonly number[] = [
  keyspace.bucket,
  keyspace.manifest,
  keyspace.object,
  keyspace.upload,
  keyspace.part,
  keyspace.cursor,
];

export class RestoredRows {
  readonly #rows: ChosenRow[] = [];
  readonly #deletions: Buffer[] = [];
  #sizeBytes = 0;

  /** Whether there were more than one repair takes. */
  get overflowed(): boolean {
    return this.#sizeBytes > maxRowBytes;
  }

  /** Rows that the index alone has, or has later. */
  get rows(): readonly ChosenRow[] {
    const order = ({ key }: ChosenRow): number => restoredKeyspaces.indexOf(key[0] ?? 0);
    return this.#rows.toSorted((a, b) => order(a) - order(b));
  }

  /** Objects that the journal has and the index has not: their deletion was lost, or their row of the index. */
  get deletions(): readonly Buffer[] {
    return this.#deletions;
  }

  consider({ key, made, held, kind }: RowDifference): void {
    if (kind === 'count' || !restoredKeyspaces.includes(key[0] ?? 0)) return;
    this.#sizeBytes += key.length + (held?.length ?? 0);
    if (this.overflowed) return;
    if (held === undefined) {
      if (key[0] === keyspace.object) this.#deletions.push(Buffer.from(key));
    } else if (made === undefined || isLater(key, held, made)) {
      const row = key[0] === keyspace.manifest ? withReferences(held, 0) : Buffer.from(held);
      this.#rows.push({ key: Buffer.from(key), row });
    }
  }
}

function isLater(key: Buffer, held: Buffer, made: Buffer): boolean {
  if (key[0] === keyspace.object) return sequenceOf(held) > sequenceOf(made);
  return key[0] !== keyspace.manifest; // which is made once, and never changes
}

/** Writes a row down, unless the journal has a later one by now. */
export function restoreRow({ key, row }: ChosenRow, body: Buffer | undefined): Operation<boolean> {
  return {
    frees: false,
    judge(view) {
      const current = view.get(key);
      const later = key[0] === keyspace.object && current !== undefined && sequenceOf(current) >= sequenceOf(row);
      if (later || current?.equals(row) === true) return { result: false };
      const fact: Fact = { type: 'rowKept', key, row: Buffer.from(row) };
      return body === undefined ? { fact, result: true } : { fact, body, result: true };
    },
  };
}

/** Deletes an object whose deletion the journal has lost. */
export function restoreDeletion(key: Buffer): Operation<boolean> {
  return {
    frees: true,
    judge(view) {
      const row = view.get(key);
      return row === undefined ? { result: false } : { fact: { type: 'objectDeleted', key, row }, result: true };
    },
  };
}

/**
 * The bytes of an object that lie in the journal, as they are found there, and whether they hold. What is missing is zero:
 * the object stays listed, and reading it says that its bytes are gone.
 */
export async function readBody(
  place: { readonly disk: Disk; readonly directory: string },
  { key, row }: ChosenRow,
): Promise<{ readonly bytes: Buffer; readonly holds: boolean } | undefined> {
  const location = key[0] === keyspace.object ? locationOf(row) : undefined;
  if (location?.kind !== 'journal') return undefined;
  const bytes = Buffer.alloc(bodySizeOf(row));
  try {
    const file = await place.disk.open(join(place.directory, segmentFileName(location.segment)), 'read');
    try {
      await readAround(file, bytes, location.offset);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
  return { bytes, holds: findBadBlock(bytes, location.checksums, 0) === undefined };
}
