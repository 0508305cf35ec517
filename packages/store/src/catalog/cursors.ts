// Cursors in the catalog: finding, listing, and the operations that make, move and remove them. What they read is cursors/.

import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import { type ChangePosition, decodeCursorRow, encodeCursorRow, requireCursorName } from './cursor-row.ts';
import { cursorKey, keyspace, nameOf, wholeKeyspace } from './index-keys.ts';
import type { Operation } from './operation.ts';

/** Of one store. Each pins journal, and is asked for at every compaction. */
const maxCursors = 256;

export function findCursor(index: IndexReader, name: string): ChangePosition | undefined {
  const row = index.get(cursorKey(name));
  return row === undefined ? undefined : decodeCursorRow(row);
}

/** All cursors, by name. */
export function listCursorRows(index: IndexReader): { readonly name: string; readonly position: ChangePosition }[] {
  const rows: { name: string; position: ChangePosition }[] = [];
  index.scan(wholeKeyspace(keyspace.cursor), (key, row) => {
    rows.push({ name: nameOf(key), position: decodeCursorRow(row) });
    return true;
  });
  return rows;
}

interface NewCursor {
  readonly name: string;
  /** Where it begins, at the latest. */
  readonly position: ChangePosition;
  /** Begins behind the record that makes it. */
  readonly now: boolean;
}

/** Makes a cursor; answers where it stands. One that is there already stays where it is. */
export function createCursor({ name, position, now }: NewCursor): Operation<ChangePosition> {
  return {
    frees: false,
    strict: true,
    judge(view, { sequence, nowMs }) {
      requireCursorName(name);
      const found = findCursor(view, name);
      if (found !== undefined) return { result: found };
      if (listCursorRows(view).length >= maxCursors) {
        throw new StoreError('TooManyCursors', { details: { max: String(maxCursors) } });
      }
      const begin = now ? { ...position, sequence, atMs: nowMs } : position;
      return { fact: { type: 'cursorPut', key: cursorKey(name), row: encodeCursorRow(begin) }, result: begin };
    },
  };
}

interface CursorMove {
  readonly name: string;
  readonly position: ChangePosition;
}

/** Takes note of how far a consumer has come. It frees: what is behind may be compacted. */
export function moveCursor({ name, position }: CursorMove): Operation<void> {
  return {
    frees: true,
    strict: true,
    judge(view) {
      const found = findCursor(view, name);
      if (found === undefined) throw new StoreError('NoSuchCursor', { details: { cursor: name } });
      if (position.sequence <= found.sequence && position.segment <= found.segment) return { result: undefined };
      const row = encodeCursorRow(position);
      return { fact: { type: 'cursorPut', key: cursorKey(name), row }, result: undefined };
    },
  };
}

export function removeCursor(name: string): Operation<void> {
  return {
    frees: true,
    strict: true,
    judge(view) {
      const key = cursorKey(name);
      const row = view.get(key);
      if (row === undefined) throw new StoreError('NoSuchCursor', { details: { cursor: name } });
      return { fact: { type: 'cursorGone', key, row }, result: undefined };
    },
  };
}
