// What a hashing thread is told, and what it answers: plain values that cross a thread boundary. A body is a number that
// the teller gives; its pieces lie in the memory that the thread was given at its start.

import type { DigestAlgorithm } from '@stowage/s3';

export type HashCommand =
  | { readonly kind: 'begin'; readonly body: number; readonly algorithms: readonly DigestAlgorithm[] }
  /** The next bytes of the body. Answered by `used`, in order. */
  | { readonly kind: 'update'; readonly body: number; readonly start: number; readonly sizeBytes: number }
  /** Answered by `sums`. */
  | { readonly kind: 'finish'; readonly body: number }
  | { readonly kind: 'discard'; readonly body: number }
  /** Nothing comes after it; the thread ends. */
  | { readonly kind: 'close' };

export type HashAnswer =
  | { readonly kind: 'ready' }
  /** The bytes of the oldest `update` of this body that was not answered are needed no more. */
  | { readonly kind: 'used'; readonly body: number }
  | {
      readonly kind: 'sums';
      readonly body: number;
      readonly digests: readonly (readonly [DigestAlgorithm, Uint8Array])[];
      readonly checksums: Uint8Array;
    };
