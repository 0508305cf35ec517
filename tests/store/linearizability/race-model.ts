// What conditional puts and deletes, reads and listings do to a few keys, one after the other: the specification that
// histories of races are held against. A version is named by its ETag, which is another one for each put; '' is none.

import type { Model } from './checker.ts';

/** How a conditional write ended: it took effect; its condition did not hold; there was no object to hold it against. */
export type WriteOutcome = 'done' | 'refused' | 'missing';

export type RaceOperation =
  | {
      readonly kind: 'put';
      readonly client: number;
      readonly key: number;
      readonly etag: string;
      /** `*`: only where nothing is; an ETag: only over this version. */
      readonly condition: RaceCondition;
      readonly outcome: WriteOutcome;
    }
  | {
      readonly kind: 'delete';
      readonly client: number;
      readonly key: number;
      readonly condition: RaceCondition;
      readonly outcome: WriteOutcome;
    }
  | { readonly kind: 'read'; readonly client: number; readonly key: number; readonly etag: string }
  | { readonly kind: 'list'; readonly client: number; readonly etags: readonly string[] };

export type RaceCondition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string } | undefined;

/** The ETags that stand at the keys. */
type Keys = readonly string[];

/** @param keys how many there are; nothing stands at them in the beginning. */
export function raceModel(keys: number): Model<Keys, RaceOperation> {
  return {
    initial: Array.from({ length: keys }, () => ''),
    step,
    nameOf: (state) => state.join(),
  };
}

function step(state: Keys, operation: RaceOperation): Keys | undefined {
  switch (operation.kind) {
    case 'put': {
      const { key, etag, condition, outcome } = operation;
      if (judge(condition, state[key] ?? '') !== outcome) return undefined;
      return outcome === 'done' ? state.with(key, etag) : state;
    }
    case 'delete': {
      const { key, condition, outcome } = operation;
      if (judge(condition, state[key] ?? '') !== outcome) return undefined;
      return outcome === 'done' ? state.with(key, '') : state;
    }
    case 'read':
      return state[operation.key] === operation.etag ? state : undefined;
    case 'list':
      return state.every((etag, key) => etag === operation.etags[key]) ? state : undefined;
  }
}

function judge(condition: RaceCondition, current: string): WriteOutcome {
  if (condition === undefined) return 'done';
  if ('ifNoneMatch' in condition) return current === '' ? 'done' : 'refused';
  if (current === '') return 'missing';
  return current === condition.ifMatch ? 'done' : 'refused';
}
