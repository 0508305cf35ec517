// How durable an acknowledged write is: levels compared, and the configuration document by which a bucket has a level of its
// own. What each level means is `Durability` in object-store.ts; who waits for the disk is journal/journal.ts.

import type { Bucket, Durability, JsonValue } from './object-store.ts';

/** The kind of the configuration document. */
export const durabilityKind = 'durability';

/** The longest that `interval` may leave a write to chance. */
export const maxIntervalMs = 60_000;

const ranks = { memory: 0, interval: 1, strict: 2 } as const satisfies Readonly<Record<Durability['level'], number>>;

/** The level that keeps what both promise. */
export function stronger(one: Durability, other: Durability): Durability {
  if (one.level === 'interval' && other.level === 'interval') return one.intervalMs <= other.intervalMs ? one : other;
  return ranks[one.level] >= ranks[other.level] ? one : other;
}

/** The level that a bucket has of its own; absent: it has the store's. */
export function ownDurability(bucket: Bucket | undefined): Durability | undefined {
  const document = bucket?.configuration[durabilityKind];
  return document === undefined ? undefined : readDurability(document);
}

/** What a configuration document says. @throws RangeError when it is no durability. */
export function readDurability(document: JsonValue): Durability {
  if (typeof document === 'object' && document !== null && 'level' in document) {
    const { level } = document;
    if (level === 'strict' || level === 'memory') return { level };
    const { intervalMs } = document;
    if (level === 'interval' && typeof intervalMs === 'number' && isInterval(intervalMs)) return { level, intervalMs };
  }
  throw new RangeError(
    `${JSON.stringify(document)} is no durability: give {"level":"strict"}, {"level":"memory"} or ` +
      `{"level":"interval","intervalMs":N} with 1 to ${maxIntervalMs} for N.`,
  );
}

/** The configuration document of a level. */
export function durabilityDocument(durability: Durability): JsonValue {
  return durability.level === 'interval'
    ? { level: 'interval', intervalMs: durability.intervalMs }
    : { level: durability.level };
}

function isInterval(intervalMs: number): boolean {
  return Number.isInteger(intervalMs) && intervalMs >= 1 && intervalMs <= maxIntervalMs;
}
