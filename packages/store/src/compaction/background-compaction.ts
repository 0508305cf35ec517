// When compaction runs: in the background, slowed down, once enough has become dead or a segment is full; at once when the disk
// is full; and on demand.

import { isDiskFull } from '../disk/disk.ts';
import type { BatchEnd } from '../journal/journal.ts';
import type { SpaceReserve } from '../space-reserve.ts';
import { isStoreError, StoreError } from '../store-error.ts';
import type { StoreLog } from '../store-log.ts';
import type { StoreSizes } from '../store-sizes.ts';
import type { CompactionResult, Compactor } from './compactor.ts';

/** Read and written in the background while little is dead. */
const usualBytesPerSecond = 24 * 1024 * 1024;
/** At most. As fast when the disk is full: puts wait for it. */
const maxBytesPerSecond = 256 * 1024 * 1024;
/** As much again for each time that the dead part of the journal is as large as the live one and this together. */
const toleratedDeadBytes = 512 * 1024 * 1024;
/** Between looks whether something is to be done that nobody told of. */
const lookEveryMs = 5000;
/** Before a run once enough is dead: more may follow. */
const usualDelayMs = 1000;
/** Before a run when the disk is full: deletes come in numbers. */
const urgentDelayMs = 50;
/** A run is due when so much of a segment's size has become dead. */
const dueShare = 0.25;

interface BackgroundOptions {
  readonly compactor: Compactor;
  readonly journal: { readonly writtenEnd: BatchEnd };
  readonly reserve: SpaceReserve;
  readonly sizes: StoreSizes;
  /** Whether to run without being asked to. */
  readonly automatic: boolean;
  readonly log: StoreLog;
}

export class BackgroundCompaction {
  readonly #options: BackgroundOptions;
  readonly #stopping = new AbortController();
  #looking: NodeJS.Timeout | undefined;
  #due: NodeJS.Timeout | undefined;
  readonly #running = new Set<Promise<unknown>>();
  #deadBytes = 0;
  /** Somebody waits for a run: the one under way in the background is slowed down no more. */
  #demands = 0;
  #seenSegment = 0;

  constructor(options: BackgroundOptions) {
    this.#options = options;
    if (!options.automatic) return;
    this.#looking = setInterval(() => this.#look(), lookEveryMs);
    this.#looking.unref();
  }

  /** So much of the journal has ceased to be live. */
  noteDead(sizeBytes: number): void {
    this.#deadBytes += sizeBytes;
    if (this.#options.reserve.full) this.#schedule(urgentDelayMs);
    else if (this.#isDue()) this.#schedule(usualDelayMs);
  }

  /** Compacts as fast as it can. @throws StoreError of the committer; `DiskFull`; `Closed` also when the store is closed meanwhile. */
  async now(segments?: readonly number[]): Promise<CompactionResult> {
    this.#demands += 1;
    // A run in the background does not keep the process alive; somebody who waits for one does.
    const waiting = setInterval(() => undefined, lookEveryMs);
    const run = this.#options.compactor.run({
      signal: this.#stopping.signal,
      bytesPerSecond: () => Number.POSITIVE_INFINITY,
      ...(segments === undefined ? undefined : { segments }),
    });
    this.#track(run);
    try {
      return await run;
    } catch (cause) {
      if (this.#stopping.signal.aborted) throw new StoreError('Closed', { cause });
      throw isDiskFull(cause) ? new StoreError('DiskFull', { cause }) : cause;
    } finally {
      this.#demands -= 1;
      clearInterval(waiting);
    }
  }

  /** Resolves once nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#looking);
    clearTimeout(this.#due);
    await Promise.allSettled(this.#running);
  }

  #track(run: Promise<unknown>): void {
    this.#running.add(run);
    const ended = (): void => void this.#running.delete(run);
    run.then(ended, ended); // whoever asked for it is told
  }

  #look(): void {
    const { journal, reserve } = this.#options;
    const begun = journal.writtenEnd.segment !== this.#seenSegment;
    if (begun || this.#isDue() || reserve.full) this.#schedule(0);
  }

  #isDue(): boolean {
    return this.#deadBytes >= this.#options.sizes.segmentSizeBytes * dueShare;
  }

  #schedule(delayMs: number): void {
    if (!this.#options.automatic || this.#due !== undefined || this.#stopping.signal.aborted) return;
    this.#due = setTimeout(() => this.#track(this.#run()), delayMs);
    this.#due.unref();
  }

  /** The more is dead, the faster it goes: so it keeps up with whatever is overwritten, within a bound on the room taken. */
  #bytesPerSecond(): number {
    const { compactor, reserve } = this.#options;
    if (this.#demands > 0) return Number.POSITIVE_INFINITY;
    if (reserve.full) return maxBytesPerSecond;
    const { journalBytes, liveBytes } = compactor.health ?? { journalBytes: 0, liveBytes: 0 };
    const behind = Math.max(0, journalBytes - liveBytes) / (liveBytes + toleratedDeadBytes);
    return Math.min(maxBytesPerSecond, usualBytesPerSecond * (1 + behind));
  }

  async #run(): Promise<void> {
    const { compactor, journal, reserve, log } = this.#options;
    this.#deadBytes = 0;
    this.#seenSegment = journal.writtenEnd.segment;
    try {
      await compactor.run({ signal: this.#stopping.signal, bytesPerSecond: () => this.#bytesPerSecond() });
    } catch (cause) {
      const expected = this.#stopping.signal.aborted || (isStoreError(cause) && cause.code === 'Closed');
      if (!expected) log('warn', 'Compaction was broken off; it will be tried again', { cause: String(cause) });
    } finally {
      this.#due = undefined; // only now: one run at a time is asked for
      if (reserve.full && this.#deadBytes > 0) this.#schedule(urgentDelayMs);
    }
  }
}
