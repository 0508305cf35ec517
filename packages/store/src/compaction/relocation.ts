// The operations by which compaction carries statements of the journal forward. They are judged at the commit like any other
// (invariant 4): what was replaced or deleted since the segment was looked at is left behind, and no writer waits for it.
// They give space back in the end, so they are taken when the disk is full, out of the reserve.

import { encodeDeletion } from '../catalog/facts.ts';
import { stateKey } from '../catalog/index-keys.ts';
import type { Operation } from '../catalog/operation.ts';
import { rowStands } from './statements.ts';

interface StandingRow {
  readonly key: Buffer;
  readonly row: Buffer;
  /** Of an object whose bytes lie in the journal. */
  readonly body: Buffer | undefined;
}

/** Writes a row down again if it still stands; answers whether it does. */
export function keepRow({ key, row, body }: StandingRow): Operation<boolean> {
  return {
    frees: true,
    compacts: true,
    judge(view) {
      if (!rowStands(view, { key, row })) return { result: false };
      // The journal writes the place of the body into the row that it is given, and the batch may be judged again.
      const fact = { type: 'rowKept', key, row: Buffer.from(view.get(key) ?? row) } as const;
      return body === undefined ? { fact, result: true } : { fact, body, result: true };
    },
  };
}

/** Writes a deletion down again unless something stands at the key; answers whether it does not. */
export function keepDeletion({ key, lsn }: { readonly key: Buffer; readonly lsn: number }): Operation<boolean> {
  return {
    frees: true,
    compacts: true,
    judge(view) {
      if (view.get(key) !== undefined) return { result: false };
      return { fact: { type: 'rowGone', key, row: encodeDeletion(lsn) }, result: true };
    },
  };
}

/** Says nothing, as the first record of a new segment: with it, the index stands in that segment and not in the one before. */
export function beginSegment(): Operation<boolean> {
  return keepDeletion({ key: stateKey('segment begun'), lsn: 0 });
}
