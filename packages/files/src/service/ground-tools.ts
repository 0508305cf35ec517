// Time, chance and ids, as the options say.

import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { FileServiceOptions } from '../file-service-options.ts';

interface GroundTools {
  readonly clock: () => number;
  /** Milliseconds that only go on. */
  readonly monotonicClock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  /** From 0 to 1. */
  readonly chance: () => number;
  /** Ids that sort by the time they were made, also within a millisecond. */
  readonly newId: () => string;
}

export function openGroundTools({
  clock = Date.now,
  monotonicClock = () => performance.now(),
  random = randomBytes,
}: Pick<FileServiceOptions, 'clock' | 'monotonicClock' | 'random'>): GroundTools {
  const chance = (): number => (random(1)[0] ?? 0) / 256;
  const make = monotonicFactory(chance);
  return { clock, monotonicClock, random, chance, newId: () => make(clock()) };
}
