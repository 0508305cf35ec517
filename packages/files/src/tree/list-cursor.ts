// Where a page of a list ended, as an opaque text that the client gives back. It names the order it was made in: a cursor
// of one order means nothing in another.

import type { ListPlace } from '../database/database.ts';
import { FilesError } from '../files-error.ts';

export function writePlace(place: ListPlace, order: string): string {
  return Buffer.from(JSON.stringify([order, place.value, place.id])).toString('base64url');
}

/** Throws `invalid-request` when the text is not a cursor of this order. */
export function readPlace(cursor: string, order: string): ListPlace {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch (cause) {
    throw invalid(cause);
  }
  if (!Array.isArray(parsed)) throw invalid();
  const [sort, value, id]: unknown[] = parsed;
  if (sort !== order || typeof id !== 'string' || !idPattern.test(id)) throw invalid();
  if (textOrders.has(order)) {
    // PostgreSQL keeps no other text than this.
    if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) throw invalid();
    return { value, id };
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid();
  return { value, id };
}

/** Orders by a text. All others are by a time, a size or a number. */
const textOrders: ReadonlySet<string> = new Set(['name', '-name']);
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

function invalid(cause?: unknown): FilesError {
  return new FilesError('invalid-request', {
    detail: 'The cursor does not belong to this list in this order. Start again without one.',
    cause,
  });
}
