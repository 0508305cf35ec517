// Reads a range of an object piece by piece into memory that is lent and comes back. A client that takes long for a piece
// gets small ones, so that it does not hold what the fast ones could use.

import type { LentBytes, PieceReader } from './object-store.ts';
import { type LentBuffer, type ReadBuffers, smallReadBytes } from './read-buffers.ts';

/** A client that takes longer for a piece is slow. */
const slowPieceMs = 200;

interface ObjectPiecesOptions {
  readonly start: number;
  readonly end: number;
  /** Reads from `start` on into a buffer, and at most to `end`: as much as whole blocks of it fit. */
  readonly read: (start: number, end: number, buffer: Buffer | undefined) => Uint8Array | Promise<Uint8Array>;
  /** Absent: the bytes lie in memory already. */
  readonly buffers: ReadBuffers | undefined;
}

export class ObjectPieces implements PieceReader {
  readonly #options: ObjectPiecesOptions;
  #at: number;
  #clientIsSlow = false;

  constructor(options: ObjectPiecesOptions) {
    this.#options = options;
    this.#at = options.start;
  }

  next(): LentBytes | Promise<LentBytes> | undefined {
    const { end, read, buffers } = this.#options;
    if (this.#at >= end) return undefined;
    const lent = buffers === undefined ? undefined : this.#lend(buffers, end - this.#at);
    try {
      const bytes = read(this.#at, end, lent?.bytes);
      if (!(bytes instanceof Promise)) return this.#piece(bytes, lent);
      return bytes.then(
        (read) => this.#piece(read, lent),
        (cause: unknown) => {
          lent?.giveBack();
          throw cause;
        },
      );
    } catch (cause) {
      lent?.giveBack();
      throw cause;
    }
  }

  #lend(buffers: ReadBuffers, leftBytes: number): LentBuffer {
    return this.#clientIsSlow || leftBytes <= smallReadBytes / 2 ? buffers.lendSmall() : buffers.lend();
  }

  #piece(bytes: Uint8Array, lent: LentBuffer | undefined): LentBytes {
    this.#at += bytes.length;
    const lentAt = performance.now();
    return {
      bytes,
      giveBack: () => {
        this.#clientIsSlow = performance.now() - lentAt > slowPieceMs;
        lent?.giveBack();
      },
    };
  }
}
