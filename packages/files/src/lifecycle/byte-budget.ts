// Bytes that may be in memory at the same time, whoever works: what does not fit waits for its turn, in the order it came, so that many
// small ones never keep a large one waiting for ever. Who waits is bounded by who asks: the worker runs so many jobs at once and no more.

export interface ByteBudget {
  /** Works while so much of the budget is taken; what is larger than all of it works alone. Answers, or throws, as the work does. */
  hold<Result>(sizeBytes: number, work: () => Promise<Result>): Promise<Result>;
}

export function openByteBudget(totalBytes: number): ByteBudget {
  const waiting: { readonly sizeBytes: number; readonly begin: () => void }[] = [];
  let heldBytes = 0;

  function admit(): void {
    for (;;) {
      const [next] = waiting;
      if (next === undefined || heldBytes + next.sizeBytes > totalBytes) return;
      waiting.shift();
      heldBytes += next.sizeBytes;
      next.begin();
    }
  }

  return {
    hold: async (askedBytes, work) => {
      const sizeBytes = Math.min(askedBytes, totalBytes);
      await new Promise<void>((resolve) => {
        waiting.push({ sizeBytes, begin: resolve });
        admit();
      });
      try {
        return await work();
      } finally {
        heldBytes -= sizeBytes;
        admit();
      }
    },
  };
}
