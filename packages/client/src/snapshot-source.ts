// A value that others watch: immutable snapshots, replaced and never changed, in the shape React's useSyncExternalStore
// wants. Frequent changes (progress) are gathered so that a listener hears at most ten times a second.

export interface SnapshotSource<T> {
  /** The same object until something changes. */
  getSnapshot(): T;
  /** Returns how to stop. */
  subscribe(listener: () => void): () => void;
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
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function publish(): void {
    clearTimeout(timer);
    timer = undefined;
    snapshot = take();
    for (const listener of [...listeners]) listener();
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
