// Lets a few through at a time; others queue, and beyond a limit they are refused rather than kept.

import { FilesError } from './files-error.ts';

interface Turns {
  /** Resolves when it is one's turn, with how to give it back. Throws `too-many-requests` when too many wait. */
  take(): Promise<() => void>;
}

export function openTurns({ atOnce, maxWaiting }: { readonly atOnce: number; readonly maxWaiting: number }): Turns {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    take: () => {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(release);
      }
      if (waiting.length >= maxWaiting) {
        return Promise.reject(
          new FilesError('too-many-requests', { detail: `${maxWaiting} wait already.`, retryAfterSeconds: 5 }),
        );
      }
      return new Promise((resolve) => waiting.push(() => resolve(release)));
    },
  };
}
