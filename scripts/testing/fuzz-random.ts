// The random numbers that a *.fuzz.ts file makes its inputs from: the same for the same seed, on every machine.

/** What a fuzz file is given to make its input from. */
export interface FuzzRandom {
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** That many random bytes. */
  bytes(length: number): Uint8Array;
  /** One of the given values. */
  pick<T>(values: readonly [T, ...T[]]): T;
}

/** Mulberry32: small, fast, and the same on every machine for the same seed. */
export function createRandom(seed: number): FuzzRandom {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
    pick: (values) => values[below(values.length)] ?? values[0],
  };
}
