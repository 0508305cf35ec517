// Room on the disk for the next batch of the LMDB index, taken before LMDB is asked to write it. LMDB must never be the one to
// find the disk full: where it says what it could not write, the addon prints that into memory that is too short for it, and
// the process ends by that, at once or later ("malloc(): mismatching next->prev_size"; lmdb 3.5.6, `mdb_page_flush`). So the
// data file is kept longer than what LMDB uses of it, by at least as much as one batch may take; what is behind the used part
// is zeros, which LMDB writes over. A full disk is then found here, by an error that can be caught.

import * as fs from 'node:fs';
import { metaSizeBytes, pageSizeBytes, readUsedPages, type UsedPages } from './lmdb-pages.ts';
import type { IndexChanges } from './ordered-index.ts';

/** Lists of free pages, and what a batch touches besides its rows. */
const sparePages = 64;
/** Taken ahead when there is more room than a batch needs, so that most batches need to take none. */
const aheadBytes = 512 * 1024;
/** Written at a time. */
const zeros = Buffer.alloc(256 * 1024);
/** A longer value lies in pages of its own. */
const maxValueInPageBytes = 1024;

export class IndexRoom {
  /** The data file's. */
  readonly #descriptor: number;
  #sizeBytes: number;
  readonly #metaPages: Buffer = Buffer.alloc(metaSizeBytes);

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#sizeBytes = fs.fstatSync(descriptor).size;
  }

  /** Up to where LMDB uses the file. */
  usedBytes(): number {
    return this.#used().pages * pageSizeBytes;
  }

  /** Sees to it that the batch will find room. @throws the system's error: `ENOSPC`, `EDQUOT`, `EIO`. */
  makeFor(changes: IndexChanges): void {
    const used = this.#used();
    const usedBytes = used.pages * pageSizeBytes;
    const neededBytes = usedBytes + pagesFor(changes, used) * pageSizeBytes;
    if (this.#sizeBytes >= neededBytes) return;
    try {
      this.#extend(neededBytes + aheadBytes);
    } catch (cause) {
      if (this.#sizeBytes < neededBytes) throw cause;
    }
  }

  #extend(sizeBytes: number): void {
    // LMDB may have made it longer when it was opened.
    this.#sizeBytes = Math.max(this.#sizeBytes, fs.fstatSync(this.#descriptor).size);
    while (this.#sizeBytes < sizeBytes) {
      const length = Math.min(zeros.length, sizeBytes - this.#sizeBytes);
      this.#sizeBytes += fs.writeSync(this.#descriptor, zeros, 0, length, this.#sizeBytes);
    }
  }

  #used(): UsedPages {
    fs.readSync(this.#descriptor, this.#metaPages, 0, metaSizeBytes, 0);
    return readUsedPages(this.#metaPages);
  }
}

/**
 * The most pages that a batch may add. A row has its own page and those above it written anew, and may split one; but no more
 * pages are written anew than there are.
 */
function pagesFor(changes: IndexChanges, used: UsedPages): number {
  let valuePages = 0;
  for (const { value } of changes.values()) {
    if (value !== undefined && value.length > maxValueInPageBytes) {
      valuePages += 1 + Math.ceil(value.length / pageSizeBytes);
    }
  }
  const rewritten = Math.min(changes.size * used.depth, used.pages);
  return rewritten + changes.size + valuePages + sparePages;
}
