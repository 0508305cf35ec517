// How long a key of LMDB may be, and what follows for those who ask: a client may name a prefix or a marker of any length,
// and there is simply nothing at a key that cannot be stored.

import { afterPrefix } from '../catalog/index-keys.ts';
import type { IndexRange } from './ordered-index.ts';

/** LMDB takes no longer key, neither to store nor to look for. */
const maxKeySizeBytes = 1978;

/** Whether a row may stand at a key. */
export function isStorable(key: Buffer): boolean {
  return key.length <= maxKeySizeBytes;
}

/** The same rows, between bounds that LMDB takes. */
export function storableRange({ from, to }: IndexRange): { readonly start: Buffer; readonly end: Buffer } {
  return { start: storableBound(from), end: storableBound(to) };
}

/**
 * A key that can be stored is not less than a longer bound exactly when it is behind all that begin with what fits of it:
 * what fits is itself less, and nothing longer than it can be stored.
 */
function storableBound(bound: Buffer): Buffer {
  return isStorable(bound) ? bound : afterPrefix(bound.subarray(0, maxKeySizeBytes));
}
