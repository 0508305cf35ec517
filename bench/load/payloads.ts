// The bytes of the objects: random (nothing can be gained by compressing or deduplicating them) and the same in every
// process, so that whoever reads knows what must come. Sixteen different bodies of a size are slices of one buffer.

import { createCipheriv, createHash } from 'node:crypto';

const variants = 16;
const variantStepBytes = 256;
const seed = Buffer.from('bench payloads 1');

/** Bytes `from` to `to` (exclusive) of the payload of a variant. */
export interface PayloadSlice {
  readonly variant: number;
  readonly from: number;
  readonly to: number;
}

export class Payloads {
  readonly sizeBytes: number;
  readonly #bytes: Buffer;
  readonly #digests = new Map<number, string>();

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    const zeros = Buffer.alloc(sizeBytes + variants * variantStepBytes);
    this.#bytes = createCipheriv('aes-128-ctr', seed, Buffer.alloc(16)).update(zeros);
  }

  /** The whole body for the object of this number, as a slice: what a plan names. */
  whole(objectNumber: number): PayloadSlice {
    return { variant: objectNumber % variants, from: 0, to: this.sizeBytes };
  }

  bytes({ variant, from, to }: PayloadSlice): Buffer {
    const start = variant * variantStepBytes;
    return this.#bytes.subarray(start + from, start + to);
  }

  /** MD5 in hex of the whole body, which is the ETag that S3 gives it. */
  etag(objectNumber: number): string {
    const variant = objectNumber % variants;
    let digest = this.#digests.get(variant);
    if (digest === undefined) {
      digest = createHash('md5')
        .update(this.bytes(this.whole(variant)))
        .digest('hex');
      this.#digests.set(variant, digest);
    }
    return digest;
  }
}
