// What an object key may be: 1 to 1,024 bytes of UTF-8 ("Naming Amazon S3 objects"). A key is never a path: `..`, `//`, `a/`
// and control characters are keys like any other.

import { S3Error } from './errors.ts';

/** The longest key, in bytes of UTF-8. */
export const maxKeyBytes = 1024;

/**
 * @throws S3Error `KeyTooLongError` beyond 1,024 bytes; `InvalidURI` for text that is not UTF-8 (a lone surrogate);
 * `InvalidArgument` for an empty key.
 */
export function checkObjectKey(key: string): void {
  if (key.length === 0) throw new S3Error('InvalidArgument', 'An object key has at least one byte; this one is empty.');
  // A UTF-16 unit makes at most three bytes: most keys need no count.
  if (key.length * 3 > maxKeyBytes) {
    const sizeBytes = Buffer.byteLength(key);
    if (sizeBytes > maxKeyBytes) {
      throw new S3Error('KeyTooLongError', undefined, {
        details: { Size: String(sizeBytes), MaxSizeAllowed: String(maxKeyBytes) },
      });
    }
  }
  if (!key.isWellFormed()) throw new S3Error('InvalidURI', 'An object key is UTF-8; this one holds a lone surrogate.');
}
