// Comparing signatures in a time that does not tell how much of a guess was right.

import { timingSafeEqual } from 'node:crypto';

// Used within one synchronous call only, so sharing them is safe and spares two allocations a request.
const expectedBytes: Buffer = Buffer.alloc(64);
const presentedBytes: Buffer = Buffer.alloc(64);

/** Whether `presented` is exactly the 64 lower-case hex digits of `expected`. */
export function sameHexSignature(expected: string, presented: string): boolean {
  // Only the length is judged before the comparison; it is no secret. Written as UTF-8, so that no character beyond ASCII
  // can pass for one of the digits.
  if (presented.length !== expectedBytes.length) return false;
  expectedBytes.write(expected, 'utf8');
  return presentedBytes.write(presented, 'utf8') === presented.length && timingSafeEqual(expectedBytes, presentedBytes);
}

/** Whether two texts of any length are the same. */
export function sameText(expected: string, presented: string): boolean {
  const a = Buffer.from(expected, 'utf8');
  const b = Buffer.from(presented, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
