// Scrub: reads all that an open store keeps, slowly, over and over, and holds it against its checksums, so that damage is
// found while there is still a copy to restore from. One pass goes through the segments of the journal and then through the
// blobs; its position stands in the index, so that the next opening goes on with it.
//
// What does not hold is copied to the quarantine folder and reported by the names of the objects that it concerns
// (damage-report.ts). Nothing is changed or removed: reads verify every block by themselves and serve none that is damaged.

import { join } from 'node:path';
import { readMark } from '../applied-mark.ts';
import { blobIdOfName } from '../blobs/blob-file.ts';
import { afterKey, blobKey, keyspace, wholeKeyspace } from '../catalog/index-keys.ts';
import type { DamageLog } from '../damage-log.ts';
import type { Disk } from '../disk/disk.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { ScrubHealth, StoreDamage } from '../object-store.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import type { StoreLog } from '../store-log.ts';
import { checkBlob } from './blob-check.ts';
import { DamageReport } from './damage-report.ts';
import { noScrub, readScrubPosition, type ScrubPosition, scrubPositionChange } from './scrub-position.ts';
import { checkSegment } from './segment-check.ts';

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

/** What one pass has found. */
export interface ScrubSummary {
  readonly segments: number;
  readonly blobs: number;
  readonly checkedBytes: number;
  /** Damaged places. */
  readonly damaged: number;
}

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
      const waitMs = phase === 'pause' && completedAtMs > 0 ? completedAtMs + settings.pauseMs - clock() : 0;
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
    this.#passesCompleted += 1;
    return pass.summary;
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

/** What of a position moves while bytes are read. */
type ScrubPlace = Partial<Pick<ScrubPosition, 'phase' | 'segment' | 'offset' | 'blobId'>>;

interface ScrubPassOptions {
  readonly from: ScrubPosition;
  readonly onRead: (sizeBytes: number, place: ScrubPlace) => Promise<void>;
}

type PassParts = Pick<ScrubberOptions, 'disk' | 'directory' | 'index'>;

class ScrubPass {
  readonly #parts: PassParts;
  readonly #report: DamageReport;
  readonly #options: ScrubPassOptions;
  #summary: ScrubSummary = { segments: 0, blobs: 0, checkedBytes: 0, damaged: 0 };

  constructor(parts: PassParts, report: DamageReport, options: ScrubPassOptions) {
    this.#parts = parts;
    this.#report = report;
    this.#options = options;
  }

  get summary(): ScrubSummary {
    return this.#summary;
  }

  async run(): Promise<void> {
    if (this.#options.from.phase !== 'blobs') await this.#segments();
    await this.#blobs();
  }

  /** Checks one file, named as in the data folder. */
  async file(name: string): Promise<void> {
    const last = name.slice(name.lastIndexOf('/') + 1);
    const blobId = blobIdOfName(last);
    const segment = segmentNumber(last);
    if (blobId !== undefined) await this.#blob(blobId);
    if (segment !== undefined) await this.#segment(segment, 0, undefined);
  }

  async #segments(): Promise<void> {
    const { disk, directory } = this.#parts;
    const { from } = this.#options;
    const names = await disk.list(join(directory, 'journal'));
    const numbers = names.map(segmentNumber).filter((number) => number !== undefined && number >= from.segment);
    let last: { readonly number: number; readonly nextLsn: number | undefined } | undefined;
    for (const number of numbers.filter((one) => one !== undefined).sort((a, b) => a - b)) {
      const offset = number === from.segment ? from.offset : 0;
      const firstLsn = last?.number === number - 1 ? last.nextLsn : undefined;
      last = { number, nextLsn: await this.#segment(number, offset, firstLsn) };
    }
  }

  /** Checks a segment as far as its batches are in the index: what lies behind is being written now. */
  async #segment(number: number, from: number, firstLsn: number | undefined): Promise<number | undefined> {
    const mark = readMark(this.#parts.index);
    if (mark === undefined || number > mark.segment) return undefined;
    const nextLsn = await checkSegment({
      ...this.#parts,
      number,
      from,
      firstLsn,
      ...(number === mark.segment ? { lastOffset: mark.offset } : undefined),
      onDamage: async (found) => {
        await this.#report.record(found);
        this.#summary = { ...this.#summary, damaged: this.#summary.damaged + 1 };
      },
      onRead: (sizeBytes, offset) => this.#tell(sizeBytes, { phase: 'segments', segment: number, offset }),
    });
    this.#summary = { ...this.#summary, segments: this.#summary.segments + 1 };
    return nextLsn;
  }

  async #blobs(): Promise<void> {
    const { to } = wholeKeyspace(keyspace.blob);
    let from = afterKey(blobKey(keyspace.blob, this.#options.from.blobId));
    for (;;) {
      let blobId: Buffer | undefined;
      this.#parts.index.scan({ from, to }, (key) => {
        blobId = Buffer.from(key.subarray(1));
        return false;
      });
      if (blobId === undefined) return;
      await this.#blob(blobId);
      from = afterKey(blobKey(keyspace.blob, blobId));
    }
  }

  async #blob(blobId: Buffer): Promise<void> {
    const { damages } = await checkBlob({
      ...this.#parts,
      blobId,
      onRead: (sizeBytes) => this.#tell(sizeBytes, { phase: 'blobs' }),
    });
    if (damages.length > 0) await this.#note(damages);
    this.#summary = { ...this.#summary, blobs: this.#summary.blobs + 1 };
    await this.#options.onRead(0, { phase: 'blobs', blobId });
  }

  async #note(damages: readonly StoreDamage[]): Promise<void> {
    await this.#report.blob(damages);
    this.#summary = { ...this.#summary, damaged: this.#summary.damaged + damages.length };
  }

  async #tell(sizeBytes: number, place: ScrubPlace): Promise<void> {
    this.#summary = { ...this.#summary, checkedBytes: this.#summary.checkedBytes + sizeBytes };
    await this.#options.onRead(sizeBytes, place);
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
