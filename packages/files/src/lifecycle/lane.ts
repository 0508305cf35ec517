// One kind of work, so many pieces at a time: whoever comes to its end makes room, and the room takes what is due next at once. So a
// slow piece holds up its own place and nothing else. One look for work at a time; what is taken when the lane closes is given back.

/** What a lane does. */
export interface LaneWork<Item> {
  /** Takes what is due, at most so many: from then on it is nobody else's for a while. */
  take(limit: number): Promise<readonly Item[]>;
  /** Does one. What it throws is told to `onError`. */
  run(item: Item): Promise<void>;
  /** Gives back what was taken and not begun. */
  giveBack(items: readonly Item[]): Promise<void>;
}

interface LaneOptions<Item> extends LaneWork<Item> {
  readonly atOnce: number;
  /** How many may be taken yet. Default: as many as there are. */
  readonly allowance?: () => number;
  /** Told whenever something was taken, or came to its end, or a look ended. */
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
}

export interface Lane<Item> {
  /** Says that there may be something to do. */
  wake(): void;
  /** Whether nothing runs, and a look that began after the last `wake` found nothing. */
  isIdle(): boolean;
  /** What was taken so far. */
  takenCount(): number;
  running(): readonly Item[];
  /** Takes no more; resolves when nothing runs and what was not begun is given back. */
  close(): Promise<void>;
}

export function openLane<Item>(options: LaneOptions<Item>): Lane<Item> {
  const { atOnce, allowance = () => Number.POSITIVE_INFINITY, take, run, giveBack, onChange, onError } = options;
  const running = new Set<Item>();
  const ended = Promise.withResolvers<void>();
  let isWanted = false;
  let isLooking = false;
  let closed = false;
  let taken = 0;

  function settle(): void {
    if (closed && !isLooking && running.size === 0) ended.resolve();
    onChange();
  }

  async function look(): Promise<void> {
    while (isWanted && !closed && running.size < atOnce) {
      isWanted = false;
      const limit = Math.min(atOnce - running.size, allowance());
      if (limit <= 0) return;
      const items = await take(limit);
      if (items.length === 0) continue;
      if (closed) {
        await giveBack(items);
        return;
      }
      taken += items.length;
      // There may be more than there was room for.
      isWanted = true;
      for (const item of items) begin(item);
    }
  }

  function begin(item: Item): void {
    running.add(item);
    run(item)
      .catch(onError)
      .finally(() => {
        running.delete(item);
        wake();
        settle();
      });
  }

  function wake(): void {
    isWanted = true;
    if (isLooking || closed || running.size >= atOnce) return;
    isLooking = true;
    look()
      .catch((error: unknown) => {
        // Asked again when somebody wakes the lane: not at once, or a database that is gone would be asked without end.
        isWanted = false;
        onError(error);
      })
      .finally(() => {
        isLooking = false;
        // Room that was made, or a call that came, between the last look and its end.
        if (isWanted && running.size < atOnce) wake();
        settle();
      });
  }

  return {
    wake,
    isIdle: () => running.size === 0 && !isLooking && (closed || !isWanted),
    takenCount: () => taken,
    running: () => [...running],
    close: () => {
      closed = true;
      settle();
      return ended.promise;
    },
  };
}
