// Scrub: reads all that an open store keeps, slowly, over and over, and holds it against its checksums, so that damage is
// found while there is still a copy to restore from. One pass goes through the segments of the journal and then through the
// blobs; its position stands in the index, so that the next opening goes on with it.
//
// What does not hold is copied to the quarantine folder and reported by the names of the objects that it concerns
// (damage-report.ts). Nothing is changed or removed: reads verify every block by themselves and serve none that is damaged.

import type { DamageLog } from '../damage-log.ts';
import type { Disk } from '../disk/disk.ts';
import type { ScrubHealth } from '../object-store.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import type { StoreLog } from '../store-log.ts';
import { DamageReport } from './damage-report.ts';
import { ScrubPass, type ScrubSummary } from './scrub-pass.ts';
import { noScrub, readScrubPosition, type ScrubPosition, scrubPositionChange } from './scrub-position.ts';

export interface ScrubSettings {
  /** At most so many bytes are read each second; 0: nothing is scrubbed. Default: 8 MiB. */
  readonly bytesPerSecond: number;
  /** From the end of one pass to the beginning of the next. Default: one day. */
  readonly pauseMs: number;
}

export const usualScrub: ScrubSettings = {
  bytesPerSecond: 8 * 1024 * 1024,
  pauseMs: 24 * 60 * 60 * 1000,
};

/** After opening, so that a start is not slowed by it. */
const firstDelayMs = 60_000;
/** The longest that is slept at once: the clock may be moved meanwhile. */
const maxSleepMs = 60_000;
/** The position is written down after so many bytes. */
const keepPositionEveryBytes = 64 * 1024 * 1024;
/** Files that a read has found damaged and that wait for a whole look; more are found by the next pass. */
const maxSuspects = 100;

interface ScrubberOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly index: OrderedIndex;
  readonly damage: DamageLog;
  readonly settings: ScrubSettings;
  /** Holds the rows of the index against what was written; tells of damage by itself. Answers whether there is none. */
  readonly checkIndex: () => Promise<boolean>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: StoreLog;
  /** Whether the index may be written to. */
  readonly mayWrite: () => boolean;
  /** Default: a timer that does not keep the process alive. */
  readonly sleep?: Sleep;
}

/** Resolves after some milliseconds, or as soon as the signal is raised. */
type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #report: DamageReport;
  readonly #sleep: Sleep;
  readonly #stopping = new AbortController();
  readonly #suspects = new Set<string>();
  #position: ScrubPosition;
  #running: Promise<void> | undefined;
  #inspecting: Promise<void> | undefined;
  #demanded: Promise<unknown> = Promise.resolve();
  #checkedBytes = 0;
  #passesCompleted = 0;
  #unkeptBytes = 0;

  constructor(options: ScrubberOptions) {
    this.#options = options;
    this.#report = new DamageReport(options);
    this.#sleep = options.sleep ?? sleepQuietly;
    this.#position = readScrubPosition(options.index);
  }

  get health(): ScrubHealth {
    const { phase, startedAtMs, completedAtMs } = this.#position;
    return {
      bytesPerSecond: this.#options.settings.bytesPerSecond,
      running: phase !== 'pause',
      checkedBytes: this.#checkedBytes,
      passesCompleted: this.#passesCompleted,
      ...(startedAtMs === 0 ? undefined : { lastStartedAtMs: startedAtMs }),
      ...(completedAtMs === 0 ? undefined : { lastCompletedAtMs: completedAtMs }),
    };
  }

  /** Begins to scrub in the background, unless the rate is 0. */
  start(): void {
    if (this.#options.settings.bytesPerSecond <= 0 || this.#running !== undefined) return;
    this.#running = this.#run();
  }

  /** One whole pass now, as fast as it goes, whatever the background is at. */
  scrub(): Promise<ScrubSummary> {
    const pass = this.#demanded.then(() => this.#demandedPass());
    this.#demanded = pass.catch(() => undefined); // whoever asked for the pass is told
    return pass;
  }

  /** Has a file looked at as a whole, soon: a read has found damage in it. */
  suspect(file: string): void {
    if (this.#stopping.signal.aborted || this.#suspects.size >= maxSuspects) return;
    this.#suspects.add(file);
    this.#inspecting ??= this.#inspect().finally(() => {
      this.#inspecting = undefined;
    });
  }

  /** Ends what is going on, promptly, and writes down how far it has come. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#running, this.#inspecting, this.#demanded]);
    if (this.#position.phase !== 'pause') this.#keepPosition();
  }

  async #run(): Promise<void> {
    const { clock, settings, log } = this.#options;
    await this.#sleep(firstDelayMs, this.#stopping.signal);
    while (!this.#stopping.signal.aborted) {
      const { phase, completedAtMs } = this.#position;
      const leftMs = phase === 'pause' && completedAtMs > 0 ? completedAtMs + settings.pauseMs - clock() : 0;
      // A clock that was set back must not put the next pass off.
      const waitMs = leftMs > settings.pauseMs ? 0 : leftMs;
      if (waitMs > 0) {
        await this.#sleep(Math.min(waitMs, maxSleepMs), this.#stopping.signal);
        continue;
      }
      try {
        await this.#backgroundPass();
      } catch (cause) {
        if (this.#stopping.signal.aborted) return;
        log('warn', 'Scrubbing was broken off and is tried again', { cause: String(cause) });
        await this.#sleep(maxSleepMs, this.#stopping.signal);
      }
    }
  }

  async #backgroundPass(): Promise<void> {
    const { clock, log, settings } = this.#options;
    if (this.#position.phase === 'pause') {
      const { completedAtMs } = this.#position;
      this.#position = { ...noScrub, phase: 'segments', startedAtMs: clock(), completedAtMs };
      this.#keepPosition();
    }
    const pass = new ScrubPass(this.#options, this.#report, {
      from: this.#position,
      onRead: async (sizeBytes, place) => {
        this.#checkedBytes += sizeBytes;
        const checkedBytes = this.#position.checkedBytes + sizeBytes;
        this.#position = { ...this.#position, ...place, checkedBytes };
        this.#unkeptBytes += sizeBytes;
        if (this.#unkeptBytes >= keepPositionEveryBytes) this.#keepPosition();
        await this.#sleep((sizeBytes / settings.bytesPerSecond) * 1000, this.#stopping.signal);
        this.#requireGoing();
      },
    });
    await pass.run();
    await this.#options.checkIndex();
    this.#position = { ...this.#position, phase: 'pause', completedAtMs: clock() };
    this.#passesCompleted += 1;
    this.#keepPosition();
    const { segments, blobs, damaged } = pass.summary;
    const { checkedBytes } = this.#position;
    log(damaged > 0 ? 'warn' : 'info', 'All stored bytes were checked', { segments, blobs, damaged, checkedBytes });
  }

  async #demandedPass(): Promise<ScrubSummary> {
    this.#requireGoing();
    const pass = new ScrubPass(this.#options, this.#report, {
      from: noScrub,
      onRead: async (sizeBytes) => {
        this.#checkedBytes += sizeBytes;
        await new Promise(setImmediate);
        this.#requireGoing();
      },
    });
    await pass.run();
    const indexHolds = await this.#options.checkIndex();
    this.#passesCompleted += 1;
    return indexHolds ? pass.summary : { ...pass.summary, damaged: pass.summary.damaged + 1 };
  }

  async #inspect(): Promise<void> {
    for (const file of this.#suspects) {
      try {
        const pass = new ScrubPass(this.#options, this.#report, {
          from: noScrub,
          onRead: async () => {
            await new Promise(setImmediate);
            this.#requireGoing();
          },
        });
        await pass.file(file);
      } catch (cause) {
        if (this.#stopping.signal.aborted) return;
        this.#options.log('warn', 'A damaged file could not be looked at', { file, cause: String(cause) });
      }
      this.#suspects.delete(file);
    }
  }

  #keepPosition(): void {
    const { index, mayWrite, log } = this.#options;
    this.#unkeptBytes = 0;
    if (!mayWrite()) return;
    try {
      index.apply(scrubPositionChange(this.#position));
    } catch (cause) {
      log('warn', 'How far scrubbing has come could not be written down', { cause: String(cause) });
    }
  }

  #requireGoing(): void {
    if (this.#stopping.signal.aborted) throw new StoreError('Closed');
  }
}

function sleepQuietly(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener('abort', done);
  });
}
