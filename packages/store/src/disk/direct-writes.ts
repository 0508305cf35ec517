// Writes that go from our memory to the disk without the system's cache between (O_DIRECT): no copy, which is most of what
// writing a large body costs the system, and nothing that others read is pushed out of the cache for bytes that are seldom
// read soon. Only whole pages at a whole page's position; the rest goes the usual way, as everything does where the system
// or the file system has no such writes. Not durable by itself: `sync` is.

import * as fs from 'node:fs';

/** What memory, position and length must be multiples of, on any device. */
const pageSizeBytes = 4096;

export class DirectWrites {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** For a file that is there; `undefined` where it cannot be. */
  static open(path: string): Promise<DirectWrites | undefined> {
    const flag: number | undefined = fs.constants.O_DIRECT; // Linux has it, and nothing else
    if (flag === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      fs.open(path, fs.constants.O_WRONLY | flag, (error, descriptor) => {
        resolve(error === null ? new DirectWrites(descriptor) : undefined);
      });
    });
  }

  /** How many of the chunks, from the first on, may be given to `write`. */
  takes(chunks: readonly Uint8Array[], position: number): number {
    if (position % pageSizeBytes !== 0) return 0;
    const odd = chunks.findIndex(
      ({ byteOffset, length }) => (byteOffset % pageSizeBytes) + (length % pageSizeBytes) !== 0,
    );
    return odd === -1 ? chunks.length : odd;
  }

  /** How many bytes were written, from the first on; `undefined` when this file takes no such write, of which nothing is done. */
  write(chunks: readonly Uint8Array[], position: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#descriptor, chunks, position, (error, written) => {
        if (error === null) resolve(written);
        else if (error.code === 'EINVAL' || error.code === 'EOPNOTSUPP') resolve(undefined);
        else reject(error);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#descriptor, (error) => (error ? reject(error) : resolve()));
    });
  }
}
