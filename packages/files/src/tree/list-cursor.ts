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
  const plain = typeof value === 'string' || typeof value === 'number';
  if (sort !== order || !plain || typeof id !== 'string') throw invalid();
  return { value, id };
}

function invalid(cause?: unknown): FilesError {
  return new FilesError('invalid-request', {
    detail: 'The cursor does not belong to this list in this order. Start again without one.',
    cause,
  });
}
