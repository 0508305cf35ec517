// Reads a blob through once, in order, when ranges of it are asked for here and there. Large bodies are written past the system's
// cache. What single ranges then bring into it lies there in small pieces, and copying from these costs three times what it costs from
// the large ones that reading in order makes.

import { minBulkBytes } from './blobs/blob-place.ts';
import type { LentFile } from './open-files.ts';

/** Of a blob, what was asked here and there before it is read through: so little of it is no reason to read all. */
const askedShare = 1 / 16;
/** Larger blobs are never read through. Parts of an upload are blobs of their own, and seldom larger. */
const maxSizeBytes = 128 * 1024 * 1024;
const readBytes = 1024 * 1024;

interface RangeRead {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  readonly start: number;
  readonly end: number;
}

export class ReadThrough {
  /** One at a time: it is done beside what others wait for. */
  #running = false;

  /** To be told of each read of a blob. */
  note(lent: LentFile, { sizeBytes, start, end }: RangeRead): void {
    const goesOn = start === lent.lastEnd;
    lent.lastEnd = end;
    if (goesOn || start === 0 || lent.isReadThrough || sizeBytes < minBulkBytes || sizeBytes > maxSizeBytes) return;
    lent.scatteredBytes += end - start;
    if (this.#running || lent.scatteredBytes < sizeBytes * askedShare) return;
    lent.isReadThrough = true;
    this.#running = true;
    lent.keep();
    this.#read(lent, sizeBytes)
      // What cannot be read is told to whoever asks for it.
      .catch(() => undefined)
      .finally(() => {
        lent.giveBack();
        this.#running = false;
      });
  }

  async #read({ file }: LentFile, sizeBytes: number): Promise<void> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(readBytes, sizeBytes));
    for (let position = 0; position < sizeBytes; position += bytes.length) await file.read(bytes, position);
  }
}
