// Goes through an object's bytes without sending them anywhere, in memory that is lent and given back.

import type { BodyRange, OpenObject } from '@stowage/store';

/** `use` must be done with the bytes when it returns or resolves. @throws StoreError `Corrupt`. */
export async function readPieces(
  object: OpenObject,
  range: BodyRange | undefined,
  use: (bytes: Uint8Array) => Promise<void> | undefined,
): Promise<void> {
  const pieces = object.pieces(range);
  for (let next = pieces.next(); next !== undefined; next = pieces.next()) {
    const piece = await next;
    try {
      await use(piece.bytes);
    } finally {
      piece.giveBack();
    }
  }
}
