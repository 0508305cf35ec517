// Room kept back on the disk (invariant 8), in two files, so that what brings room back never lacks the room to do so:
//   RESERVE              given up when there is no other room left: deletes can then still be written down, and make more
//   RESERVE.compaction   as large as the largest segment: compaction writes what lives in a segment again before that goes
// Of what RESERVE gives up, deletes leave a part to the index and its checkpoints, without which nothing is removed: where the
// disk tells how much is free. While anything is given up, puts are refused, until there is room to put all of it back; and
// it is given up only once the writes of puts have ended that were under way, so that none of them takes it.

import { join } from 'node:path';
import { type Disk, isDiskFull } from './disk/disk.ts';
import { KeptRoom } from './kept-room.ts';
import type { StoreSizes } from './store-sizes.ts';

const reserveName = 'RESERVE';
const compactionName = 'RESERVE.compaction';
const probeName = 'RESERVE.probe';
/** Between attempts to put the reserve back. */
const retryMs = 1000;
/** Of RESERVE: what deletes leave to the index. */
const indexShare = 1 / 4;
/** Of RESERVE: what compaction leaves to deletes. */
const deletesShare = 1 / 4;
/** Of a segment: the room for compaction grows in such steps as the first segment fills. */
const compactionStepShare = 1 / 8;

interface SpaceReserveOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly sizes: StoreSizes;
  /** Told whenever it may have changed whether the disk is full. */
  readonly onChange?: (full: boolean) => void;
  /** Resolves when the writes of puts have ended that other threads had under way when `onChange` said that it is full. */
  readonly othersEnded?: () => Promise<void>;
}

export class SpaceReserve {
  readonly #options: SpaceReserveOptions;
  #full = false;
  #held = false;
  #releasing: Promise<void> | undefined;
  #releases = 0;
  #nextAttemptMs = 0;
  /** Writes of puts that are under way. */
  #uses = 0;
  #unused: (() => void) | undefined;
  readonly #forDeletes: KeptRoom;
  readonly #forCompaction: KeptRoom;
  /** Whether puts find room, too: held for a moment. */
  readonly #forPuts: KeptRoom;

  constructor(options: SpaceReserveOptions) {
    this.#options = options;
    const keptRoom = (name: string): KeptRoom => new KeptRoom({ ...options, path: join(options.directory, name) });
    this.#forDeletes = keptRoom(reserveName);
    this.#forDeletes.want(options.sizes.reserveSizeBytes);
    this.#forCompaction = keptRoom(compactionName);
    this.#forPuts = keptRoom(probeName);
    this.#forPuts.want(options.sizes.roomForPutsBytes);
  }

  /** Removes all of it, for an opening that finds no room. */
  static async giveUpAll({ disk, directory }: Pick<SpaceReserveOptions, 'disk' | 'directory'>): Promise<void> {
    for (const name of [reserveName, compactionName]) await disk.remove(join(directory, name));
  }

  /** Whether a write has found no room, and the reserve is not whole again. */
  get full(): boolean {
    return this.#full;
  }

  /** Takes note that a write found no room. */
  noteFull(): void {
    this.#setFull(true);
    this.#nextAttemptMs = this.#options.clock() + retryMs;
  }

  /** Gives the reserve up, for all who ask meanwhile; answers false when there is none left. */
  release(): Promise<boolean> {
    return this.#releaseSince(this.#releases);
  }

  /**
   * Does what takes up room for something new: never that of the reserve.
   * @throws an error that says that there is no room, while the reserve is given up or about to be.
   */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#full) throw Object.assign(new Error('There is no room but the reserve.'), { code: 'ENOSPC' });
    this.#uses += 1;
    try {
      return await work();
    } finally {
      this.#uses -= 1;
      if (this.#uses === 0) this.#unused?.();
    }
  }

  /** Does what must find room, because it keeps what is there or gives more back: out of the reserve if need be. */
  async spend<Result>(work: () => Promise<Result>): Promise<Result> {
    const releases = this.#releases;
    try {
      return await work();
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      this.noteFull();
      if (!(await this.#releaseSince(releases))) throw cause;
      return work();
    }
  }

  /** At opening: finds what is there of it, and makes it whole if there is room. */
  async open(segmentSizeBytes: number): Promise<void> {
    await this.#forDeletes.open();
    await this.restore();
    this.#wantForCompaction(segmentSizeBytes);
    try {
      await this.#forCompaction.open();
      if (!this.#full) await this.#forCompaction.fill();
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      this.noteFull();
    }
  }

  /** Has so much kept back for compaction, soon: what the largest segment takes, which may have to be written again whole. */
  keepForCompaction(segmentSizeBytes: number): void {
    if (!this.#wantForCompaction(segmentSizeBytes) || this.#full) return;
    // What is amiss with the disk, the next attempt to make the reserve whole finds, and whoever makes it is told.
    this.#forCompaction.fill().catch(() => this.noteFull());
  }

  /** The largest segment takes no more than this: what is kept back for more is given back. */
  keepNoMoreForCompaction(segmentSizeBytes: number): void {
    const wantedBytes = this.#stepsFor(segmentSizeBytes);
    if (wantedBytes >= this.#forCompaction.wantedBytes) return;
    this.#forCompaction.want(wantedBytes);
    if (!this.#full) this.#forCompaction.fill().catch(() => this.noteFull());
  }

  /** Gives up what is kept back for compaction, which is about to need it. */
  async giveUpForCompaction(): Promise<void> {
    if (this.#forCompaction.heldBytes === 0) return;
    this.#setFull(true);
    await this.#forCompaction.giveUp();
  }

  /** What compaction can write before any segment goes, when it gives up what is kept for it. */
  async roomForCompaction(): Promise<number> {
    const { heldBytes, wantedBytes } = this.#forCompaction;
    const freeBytes = await this.#freeBytes();
    if (freeBytes === undefined) return Math.max(wantedBytes, this.#options.sizes.reserveSizeBytes / 2);
    return freeBytes + heldBytes - (this.#held ? 0 : this.#indexBytes + this.#deletesBytes);
  }

  /** Compaction is done for now: what it has left is kept back for it again, where the disk tells that it can be. */
  async takeBackForCompaction(): Promise<void> {
    const { heldBytes, wantedBytes } = this.#forCompaction;
    if (!this.#full || heldBytes >= wantedBytes) return;
    const freeBytes = await this.#freeBytes();
    if (freeBytes === undefined || freeBytes < wantedBytes - heldBytes + this.#indexBytes + this.#deletesBytes) return;
    await this.#forCompaction.fill().catch((cause: unknown) => {
      if (!isDiskFull(cause)) throw cause; // somebody else was faster
    });
  }

  /** Whether there is room for what gives some back, and for the index behind it, without which nothing comes of it. */
  async hasRoomForDeletes(): Promise<boolean> {
    if (!this.#full || this.#held) return true;
    const freeBytes = await this.#freeBytes();
    return freeBytes === undefined || freeBytes >= this.#indexBytes;
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    await this.#forCompaction.settled();
  }

  /** Sees to it that the reserve is whole; answers false when there is still no room for it, or no try is due yet. */
  async restore(): Promise<boolean> {
    if (this.#held && !this.#full) return true;
    if (this.#full && !this.#isDue()) return false;
    try {
      await this.#requireRoom();
      if (!this.#held) await this.#forDeletes.fill();
      this.#held = true; // from here on, also if there is no room beside it: it can be given up
      await this.#probe();
      this.#setFull(false);
      return true;
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      this.noteFull();
      return false;
    }
  }

  /** Answers whether that is more than before. */
  #wantForCompaction(segmentSizeBytes: number): boolean {
    if (segmentSizeBytes <= this.#forCompaction.wantedBytes) return false;
    const wantedBytes = this.#stepsFor(segmentSizeBytes);
    if (wantedBytes <= this.#forCompaction.wantedBytes) return false;
    this.#forCompaction.want(wantedBytes);
    return true;
  }

  /** A journal that is shorter than a step needs no room beside RESERVE. */
  #stepsFor(segmentSizeBytes: number): number {
    const { segmentSizeBytes: usualBytes, maxCompactionReserveBytes } = this.#options.sizes;
    const step = Math.ceil(usualBytes * compactionStepShare);
    if (segmentSizeBytes <= step) return 0;
    return Math.min(Math.ceil(segmentSizeBytes / step) * step, maxCompactionReserveBytes);
  }

  /** The clock may be set back meanwhile: an attempt is never further away than it was at first. */
  #isDue(): boolean {
    const leftMs = this.#nextAttemptMs - this.#options.clock();
    return leftMs <= 0 || leftMs > retryMs;
  }

  get #indexBytes(): number {
    return this.#options.sizes.reserveSizeBytes * indexShare;
  }

  get #deletesBytes(): number {
    return this.#options.sizes.reserveSizeBytes * deletesShare;
  }

  async #freeBytes(): Promise<number | undefined> {
    const { disk, directory } = this.#options;
    return (await disk.volume?.(directory))?.freeBytes;
  }

  /** An attempt that must fail would take the last room of those who work with it, if only for a moment. */
  async #requireRoom(): Promise<void> {
    if (!this.#full) return;
    const { sizes } = this.#options;
    const { heldBytes, wantedBytes } = this.#forCompaction;
    const missingBytes = (this.#held ? 0 : sizes.reserveSizeBytes) + Math.max(0, wantedBytes - heldBytes);
    const freeBytes = await this.#freeBytes();
    if (freeBytes === undefined || freeBytes >= missingBytes + sizes.roomForPutsBytes) return;
    throw Object.assign(new Error('There is no room for the reserve.'), { code: 'ENOSPC' });
  }

  /** Whoever found no room before somebody else gave the reserve up may find some now. */
  async #releaseSince(releases: number): Promise<boolean> {
    if (this.#held) {
      this.#held = false;
      this.#releasing = this.#remove().finally(() => {
        this.#releases += 1;
        this.#releasing = undefined;
      });
    }
    await this.#releasing;
    return this.#releases > releases;
  }

  async #remove(): Promise<void> {
    this.#setFull(true);
    if (this.#uses > 0) {
      await new Promise<void>((resolve) => {
        this.#unused = resolve;
      });
      this.#unused = undefined;
    }
    await this.#options.othersEnded?.();
    await this.#forDeletes.giveUp();
  }

  /** Whether there is room beside it, for compaction and for puts: without that, the next put would only find out again. */
  async #probe(): Promise<void> {
    if (!this.#full) return;
    await this.#forCompaction.fill();
    await this.#forPuts.fill().finally(() => this.#forPuts.giveUp());
  }

  #setFull(full: boolean): void {
    this.#full = full;
    this.#options.onChange?.(full);
  }
}
