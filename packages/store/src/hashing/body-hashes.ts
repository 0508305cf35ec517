// Everything that is computed over a large body in the one pass over its bytes: the digests that were asked for, and the
// checksums of its blocks. The same on the main thread and in a hashing thread.

import { createDigest, type Digest, type DigestAlgorithm } from '@stowage/s3';
import { BlockChecksummer } from '../blobs/block-checksums.ts';

export interface BodySums {
  /** Raw digest bytes by algorithm. */
  readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array>;
  /** Four bytes for each block. */
  readonly checksums: Uint8Array;
}

export class BodyHashes {
  readonly #digests: readonly (readonly [DigestAlgorithm, Digest])[];
  readonly #blocks = new BlockChecksummer();

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#digests = algorithms.map((algorithm) => [algorithm, createDigest(algorithm)]);
  }

  /** The bytes are not kept. */
  update(bytes: Uint8Array): void {
    this.#blocks.update(bytes);
    for (const [, digest] of this.#digests) digest.update(bytes);
  }

  finish(): BodySums {
    return {
      digests: new Map(this.#digests.map(([algorithm, digest]) => [algorithm, digest.digest()])),
      checksums: this.#blocks.finish(),
    };
  }
}
