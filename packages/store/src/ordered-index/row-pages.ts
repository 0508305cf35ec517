// Goes through many rows of an index in pages, so that the index may be changed, and other work done, between two of them.
// A scan must not be interrupted; this is for those that must be.

import { afterKey } from '../catalog/index-keys.ts';
import type { IndexRange, IndexReader } from './ordered-index.ts';

/** Rows in one page. */
const maxPageRows = 1000;
/** A page ends with the row that reaches it: a manifest may have most of a megabyte. */
const maxPageBytes = 2 * 1024 * 1024;

export interface IndexRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The rows of a range, in order. Each page shows the index as it is when the page is asked for. */
export function* rowPages(
  index: IndexReader,
  { from, to }: IndexRange,
): Generator<readonly IndexRow[], void, undefined> {
  let start = from;
  for (;;) {
    const page: IndexRow[] = [];
    let sizeBytes = 0;
    index.scan({ from: start, to }, (key, value) => {
      page.push({ key, value });
      sizeBytes += key.length + value.length;
      return page.length < maxPageRows && sizeBytes < maxPageBytes;
    });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    start = afterKey(last.key);
  }
}
