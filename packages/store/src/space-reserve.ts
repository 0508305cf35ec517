// Room kept back on the disk, in a file that is given up when there is no other left: deletes can then still be written
// down, and make more. While it is given up, puts are refused, until there is room to put it back.

import { join } from 'node:path';
import { type Disk, isDiskFull } from './disk/disk.ts';
import type { StoreSizes } from './store-sizes.ts';

const reserveName = 'RESERVE';
/** Between attempts to put the reserve back. */
const retryMs = 1000;

interface SpaceReserveOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly sizes: StoreSizes;
}

export class SpaceReserve {
  readonly #options: SpaceReserveOptions;
  readonly #path: string;
  #full = false;
  #held = false;
  #releasing: Promise<void> | undefined;
  #releases = 0;
  #nextAttemptMs = 0;

  constructor(options: SpaceReserveOptions) {
    this.#options = options;
    this.#path = join(options.directory, reserveName);
  }

  /** Whether a write has found no room, and the reserve is not whole again. */
  get full(): boolean {
    return this.#full;
  }

  /** Takes note that a write found no room. */
  noteFull(): void {
    this.#full = true;
    this.#nextAttemptMs = this.#options.clock() + retryMs;
  }

  /** Gives the reserve up, for all who ask meanwhile; answers false when there is none left. */
  release(): Promise<boolean> {
    return this.#releaseSince(this.#releases);
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

  /** Sees to it that the reserve is whole; answers false when there is still no room for it, or no try is due yet. */
  async restore(): Promise<boolean> {
    if (this.#held && !this.#full) return true;
    if (this.#full && this.#options.clock() < this.#nextAttemptMs) return false;
    try {
      if (!this.#held) await this.#write();
      this.#held = true; // from here on, also if there is no room beside it: it can be given up
      await this.#probe();
      this.#full = false;
      return true;
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      this.noteFull();
      return false;
    }
  }

  /** Whoever found no room before somebody else gave the reserve up may find some now. */
  async #releaseSince(releases: number): Promise<boolean> {
    if (this.#held) {
      this.#held = false;
      this.#releasing = this.#options.disk.remove(this.#path).finally(() => {
        this.#releases += 1;
        this.#releasing = undefined;
      });
    }
    await this.#releasing;
    return this.#releases > releases;
  }

  async #write(): Promise<void> {
    const { disk, random, sizes } = this.#options;
    if ((await this.#sizeBytes()) === sizes.reserveSizeBytes) return;
    await disk.remove(this.#path);
    const file = await disk.create(this.#path, 'write');
    try {
      // Random bytes take up their room on file systems that compress, too.
      await file.write([random(sizes.reserveSizeBytes)], 0);
      await file.sync();
    } catch (cause) {
      await disk.remove(this.#path);
      throw cause;
    } finally {
      await file.close();
    }
  }

  /** Whether there is room beside the reserve: without it, the next put would only find out again. */
  async #probe(): Promise<void> {
    if (!this.#full) return;
    const { disk, random, sizes } = this.#options;
    const path = `${this.#path}.probe`;
    await disk.remove(path);
    const file = await disk.create(path, 'write');
    try {
      await file.write([random(sizes.roomForPutsBytes)], 0);
      await file.sync();
    } finally {
      await file.close();
      await disk.remove(path);
    }
  }

  async #sizeBytes(): Promise<number> {
    const names = await this.#options.disk.list(this.#options.directory);
    if (!names.includes(reserveName)) return 0;
    const file = await this.#options.disk.open(this.#path, 'read');
    try {
      return await file.sizeBytes();
    } finally {
      await file.close();
    }
  }
}
