// What befalls a history beside the loss of power: which durability its buckets have, whether the disk fills up or fails,
// whether the index is lost. Drawn from the seed at its beginning.

import type { Durability } from '@stowage/store';
import type { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import { type CutClass, cutClasses } from './cut-points.ts';
import { weakBucket } from './workplace.ts';

const historyKinds = {
  /** Everything is strict. */
  power: 45,
  /** One bucket is of a weaker durability, or all are but two. */
  weak: 18,
  /** The disk fills up, and has room again. */
  full: 15,
  /** The disk fails once or for good. */
  failing: 15,
  /** Bits turn over. */
  rot: 7,
} as const;

export type HistoryKind = keyof typeof historyKinds;

export interface Circumstances {
  readonly kind: HistoryKind;
  /** Of buckets that have none of their own. */
  readonly usual: Durability;
  /** Of the weak bucket. */
  readonly weak: Durability;
  /** Whether the index is lost now and then, and rebuilt from the journal. */
  readonly losesIndex: boolean;
  readonly hasFollower: boolean;
  readonly compactsOften: boolean;
}

const strict: Durability = { level: 'strict' };

export function drawCircumstances(random: SeededRandom): Circumstances {
  const kind = random.pickWeighted(historyKinds);
  const hasWeak = kind === 'weak' || ((kind === 'failing' || kind === 'full') && random.chance(0.4));
  const weak = hasWeak ? drawWeak(random) : strict;
  return {
    kind,
    usual: random.chance(0.4) ? weak : strict,
    weak,
    losesIndex: random.chance(0.25),
    hasFollower: random.chance(kind === 'power' ? 0.4 : kind === 'weak' ? 0.6 : 0),
    compactsOften: random.chance(0.4),
  };
}

function drawWeak(random: SeededRandom): Durability {
  if (random.chance(0.5)) return { level: 'memory' };
  return { level: 'interval', intervalMs: random.pick([30, 1000]) };
}

/** How durable an acknowledged write to a bucket must be. */
export function promiseOf({ weak }: Circumstances, bucket: string): Durability {
  return bucket === weakBucket ? weak : strict;
}

/** An operation of the disk that fails, once or from then on. */
export interface PlannedFault {
  readonly cutClass: CutClass;
  readonly occurrence: number;
  readonly lasts: boolean;
}

/** What the store must stop writing for, at once, when it fails (invariant 5). */
const fatal = /^(?:journal: (?:write|sync|truncate)|rotation|blob: (?:write|sync))/;

export function isFatal(cutClass: CutClass): boolean {
  return fatal.test(cutClass);
}

function isFatalSync(cutClass: CutClass): boolean {
  return isFatal(cutClass) && cutClass.includes('sync');
}

export function drawFault(random: SeededRandom, { weak }: Circumstances): PlannedFault {
  // What a failed sync leaves behind is the hardest to get right.
  const isCandidate = random.chance(0.6)
    ? isFatalSync
    : (name: CutClass) => name !== 'reading' && !name.startsWith('format');
  // Only where weak writes are about does the journal need syncs of their own.
  const atJournal = weak.level !== 'strict' && random.chance(0.5);
  const cutClass = atJournal ? 'journal: sync' : random.pick(cutClasses.filter(isCandidate));
  return { cutClass, occurrence: random.below(random.pick([1, 3, 12])), lasts: random.chance(0.4) };
}
