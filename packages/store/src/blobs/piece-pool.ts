// The memory that large bodies pass through on their way to the disk: pieces of one size, lent out, written from, and used
// again. There is a fixed number of them, whoever sends: a body that finds none waits, and with it the client that sends it.
// No wait is for ever: a piece that is being written comes back, and when too few are, whoever has filled a part of one the
// longest time ago is asked to have that part written now. So ten thousand slow bodies need no more memory than ten.
// The memory is shared (SharedArrayBuffer), so that hashing threads see it without a copy; pages are touched as needed.

export interface Piece {
  /** Where it lies in the pool's memory. */
  readonly start: number;
  readonly bytes: Buffer;
}

/** Who fills a piece, bit by bit. */
export interface PieceHolder {
  /** Others wait: send what is in your piece, however little. Called only between `filling` and `sent`. */
  sendNow(): void;
}

interface Waiter {
  take(piece: Piece): void;
}

/** A whole number of blocks. */
export const pieceSizeBytes: number = 256 * 1024;

export class PiecePool {
  readonly #maxPieces: number;
  #memory: SharedArrayBuffer | undefined;
  /** The one that came back last is lent first: it is still in the processor's cache. */
  readonly #free: Piece[] = [];
  #made = 0;
  /** How many are lent out. */
  #lent = 0;
  readonly #waiters = new Set<Waiter>();
  /** Holders of a piece with something in it, in the order in which they began. */
  readonly #filling = new Set<PieceHolder>();

  constructor(sizeBytes: number) {
    this.#maxPieces = Math.max(1, Math.floor(sizeBytes / pieceSizeBytes));
  }

  /** All of it, made at the first use. */
  get memory(): SharedArrayBuffer {
    const sizeBytes = this.#maxPieces * pieceSizeBytes;
    // One that might grow is given whole pages of its own, which direct writes ask for; it never does.
    this.#memory ??= new SharedArrayBuffer(sizeBytes, { maxByteLength: sizeBytes });
    return this.#memory;
  }

  /** A piece, if there is one and nobody waits. It must be given back. */
  take(): Piece | undefined {
    if (this.#waiters.size > 0) return undefined;
    const piece = this.#free.pop() ?? this.#make();
    if (piece !== undefined) this.#lent += 1;
    return piece;
  }

  /** A piece as soon as there is one, in the order of asking. It must be given back. */
  async wait(): Promise<Piece> {
    const piece = this.take();
    if (piece !== undefined) return piece;
    return new Promise((resolve) => {
      this.#waiters.add({ take: resolve });
      this.#hurry();
    });
  }

  /** Something is in the holder's piece now, and it may be asked to send it. */
  filling(holder: PieceHolder): void {
    this.#filling.add(holder);
    this.#hurry();
  }

  /** The holder's piece is on its way, or was given up: it comes back without being asked for. */
  sent(holder: PieceHolder): void {
    this.#filling.delete(holder);
  }

  giveBack(piece: Piece): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.take(piece);
      return;
    }
    this.#lent -= 1;
    this.#free.push(piece);
  }

  #make(): Piece | undefined {
    if (this.#made === this.#maxPieces) return undefined;
    const start = this.#made * pieceSizeBytes;
    this.#made += 1;
    return { start, bytes: Buffer.from(this.memory, start, pieceSizeBytes) };
  }

  /** Sees to it that for everyone who waits a piece is on its way back. */
  #hurry(): void {
    for (const holder of this.#filling) {
      if (this.#waiters.size <= this.#lent - this.#filling.size) return;
      this.#filling.delete(holder);
      holder.sendNow();
    }
  }
}

/**
 * Copies bytes into shared memory. Not by `set`, nor by a `copy` of everything, which is the same: V8 then goes byte by byte
 * unless both sides happen to be aligned, at a third of the speed. A `copy` of a part is node's own, and a plain memcpy.
 */
export function copyIntoPiece(piece: Piece, at: number, source: Uint8Array, from: number, until: number): void {
  const last = until - 1;
  const bytes = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  bytes.copy(piece.bytes, at, from, last);
  piece.bytes[at + last - from] = bytes[last] ?? 0;
}
