// A value that others watch: immutable snapshots, replaced and never changed, in the shape React's useSyncExternalStore
// wants. Frequent changes (progress) are gathered so that a listener hears at most ten times a second. A listener that throws
// harms neither the others nor what is watched.

export interface SnapshotSource<T> {
  /** The same object until something changes. */
  getSnapshot(): T;
  /** Has the listener told of each new snapshot. What it throws is reported as an uncaught error. Returns how to stop. */
  subscribe(listener: (snapshot: T) => void): () => void;
}

export interface PublishedSource<T> extends SnapshotSource<T> {
  /** Takes a new snapshot and tells listeners now. */
  publish(): void;
  /** The same, soon, together with what else changes meanwhile. */
  publishSoon(): void;
}

const gatherMs = 100;

export function createSnapshotSource<T>(take: () => T): PublishedSource<T> {
  let snapshot = take();
  const listeners = new Set<(snapshot: T) => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function publish(): void {
    clearTimeout(timer);
    timer = undefined;
    snapshot = take();
    tellAll(listeners, snapshot);
  }

  return {
    getSnapshot: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    publish,
    publishSoon() {
      timer ??= setTimeout(publish, gatherMs);
    },
  };
}

/** Tells each listener, whatever the ones before it threw: that is the application's, and reported as its uncaught error. */
export function tellAll<T>(listeners: Iterable<(told: T) => void>, told: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(told);
    } catch (error) {
      reportUncaught(error);
    }
  }
}

/** As if it had been thrown where nobody catches: browsers have a name for that, Node does not. */
function reportUncaught(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else {
    queueMicrotask(() => {
      throw error;
    });
  }
}
