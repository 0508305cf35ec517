// Whether this machine believes it is online. A hint: `onLine` may lie both ways, so being offline only shortens or
// lengthens waits and never fails an upload by itself.

export interface Connectivity {
  isOnline(): boolean;
  /** Calls back each time the machine comes online. Returns how to stop. */
  onOnline(listener: () => void): () => void;
}

/** The browser's view; always online where there is none (Node). */
export function systemConnectivity(): Connectivity {
  return {
    // Node's navigator has no onLine.
    isOnline: () => typeof navigator === 'undefined' || navigator.onLine !== false,
    onOnline: (listener) => {
      if (typeof addEventListener !== 'function' || typeof removeEventListener !== 'function') return () => undefined;
      addEventListener('online', listener);
      return () => removeEventListener('online', listener);
    },
  };
}
