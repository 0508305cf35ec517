// Wakes requests that wait for a file to change. In-process: a change by another process is seen when the wait ends.

export interface StateWatch {
  /**
   * Resolves when the file changes, the time is over, the signal aborts or the watch is closed, whichever is first.
   * `false` when too many wait already: then it resolved at once.
   */
  wait(fileId: string, timeMs: number, signal?: AbortSignal): Promise<boolean>;
  changed(fileId: string): void;
  close(): void;
}

/** `maxWaiting`: how many may wait at the same time. */
export function openStateWatch({ maxWaiting }: { readonly maxWaiting: number }): StateWatch {
  const waiting = new Map<string, Set<() => void>>();
  let count = 0;
  let closed = false;

  return {
    wait: (fileId, timeMs, signal) => {
      if (closed || count >= maxWaiting || signal?.aborted === true) return Promise.resolve(false);
      return new Promise((resolve) => {
        const others = waiting.get(fileId) ?? new Set();
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          others.delete(finish);
          if (others.size === 0) waiting.delete(fileId);
          count--;
          resolve(true);
        };
        const timer = setTimeout(finish, timeMs);
        signal?.addEventListener('abort', finish, { once: true });
        others.add(finish);
        waiting.set(fileId, others);
        count++;
      });
    },

    changed: (fileId) => {
      for (const finish of [...(waiting.get(fileId) ?? [])]) finish();
    },

    close: () => {
      closed = true;
      for (const fileId of [...waiting.keys()]) for (const finish of [...(waiting.get(fileId) ?? [])]) finish();
    },
  };
}
