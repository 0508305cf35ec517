// The memory that bodies are read into on their way to a socket: buffers of one size, used again and again, so that reading
// leaves nothing to collect. Their number is fixed. When all are lent, because many clients take their time, readers get
// small ones of their own: what ten thousand slow downloads hold is bounded by this and their number.

/** What one reader reads at once, when there is room. A whole number of blocks. */
export const largeReadBytes: number = 256 * 1024;
/** What it reads when there is none, or its client is slow. */
export const smallReadBytes: number = 64 * 1024;

export interface LentBuffer {
  readonly bytes: Buffer;
  /** To be called exactly once, when nobody reads from it any more. */
  giveBack(): void;
}

export class ReadBuffers {
  readonly #free: Buffer[] = [];
  #left: number;

  constructor(sizeBytes: number) {
    this.#left = Math.floor(sizeBytes / largeReadBytes);
  }

  /** A large one if there is one, else a small one. */
  lend(): LentBuffer {
    const bytes = this.#free.pop() ?? this.#make();
    if (bytes === undefined) return this.lendSmall();
    return { bytes, giveBack: () => this.#free.push(bytes) };
  }

  lendSmall(): LentBuffer {
    const bytes = Buffer.allocUnsafeSlow(smallReadBytes);
    // Freed now: the collector would let a lot of it gather first.
    return { bytes, giveBack: () => (bytes.buffer as ArrayBuffer).transfer(0) }; // allocUnsafeSlow shares with nobody
  }

  #make(): Buffer | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return Buffer.allocUnsafeSlow(largeReadBytes);
  }
}
