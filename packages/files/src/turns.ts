// Lets a few through at a time; others queue, and beyond a limit they are refused rather than kept. Different kinds of work can share
// the turns and queue apart: the queues are served in turn, so that a long one holds up no other.

import { FilesError } from './files-error.ts';

interface Turns {
  /** Resolves when it is one's turn, with how to give it back. Throws `too-many-requests` when too many wait in this queue. */
  take(): Promise<() => void>;
  /** The same turns, with a queue of its own. */
  queue(): Turns;
}

/** `maxWaiting` is of each queue. */
export function openTurns({ atOnce, maxWaiting }: { readonly atOnce: number; readonly maxWaiting: number }): Turns {
  let free = atOnce;
  const queues: (() => void)[][] = [];
  let served = 0;

  const release = (): void => {
    for (let step = 1; step <= queues.length; step += 1) {
      const index = (served + step) % queues.length;
      const next = queues[index]?.shift();
      if (next === undefined) continue;
      served = index;
      next();
      return;
    }
    free += 1;
  };

  function openQueue(): Turns {
    const waiting: (() => void)[] = [];
    queues.push(waiting);
    return {
      queue: openQueue,
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

  return openQueue();
}
