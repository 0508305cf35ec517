// Room on the disk that is held by a file of random bytes, which take it up on file systems that compress, too. It grows by
// steps, and is given up whole. What becomes of the file after a crash does not matter: its length says what it holds.

import { basename, dirname } from 'node:path';
import type { Disk } from './disk/disk.ts';

/** Written at a time; the same bytes again and again, so that drawing them holds nobody up. */
const writtenBytes = 256 * 1024;

interface KeptRoomOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly random: (sizeBytes: number) => Uint8Array;
}

export class KeptRoom {
  readonly #options: KeptRoomOptions;
  #heldBytes = 0;
  #wantedBytes = 0;
  /** What is done with the file is done in order. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: KeptRoomOptions) {
    this.#options = options;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get wantedBytes(): number {
    return this.#wantedBytes;
  }

  /** Wants so much from now on: the next `fill` sees to it. */
  want(sizeBytes: number): void {
    this.#wantedBytes = sizeBytes;
  }

  /** Finds out what an earlier opening has left. */
  open(): Promise<void> {
    return this.#after(() => this.#look());
  }

  /** Resolves when what is wanted is held. When it rejects, what was held before is. */
  fill(): Promise<void> {
    return this.#after(async () => {
      if (this.#heldBytes < this.#wantedBytes) await this.#grow(this.#wantedBytes);
      else if (this.#heldBytes > this.#wantedBytes) await this.#shrink(this.#wantedBytes);
    });
  }

  /** Gives everything up. */
  giveUp(): Promise<void> {
    return this.#after(async () => {
      await this.#options.disk.remove(this.#options.path);
      this.#heldBytes = 0;
    });
  }

  /** Resolves when nothing is being done with the file. */
  settled(): Promise<void> {
    return this.#work;
  }

  #after(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined); // whoever asked for it is told
    return done;
  }

  async #look(): Promise<void> {
    const { disk, path } = this.#options;
    if ((await disk.list(dirname(path))).includes(basename(path))) {
      const file = await disk.open(path, 'read');
      this.#heldBytes = await file.sizeBytes().finally(() => file.close());
    }
  }

  async #grow(sizeBytes: number): Promise<void> {
    const { disk, path, random } = this.#options;
    const before = this.#heldBytes;
    const file = await (before === 0 ? this.#create() : disk.open(path, 'write'));
    try {
      const bytes = random(Math.min(writtenBytes, sizeBytes - before));
      for (let at = before; at < sizeBytes; at += bytes.length) {
        await file.write([bytes.subarray(0, sizeBytes - at)], at);
      }
      await file.sync(); // some file systems find out only then that there is no room
      this.#heldBytes = sizeBytes;
    } catch (cause) {
      await file.truncate(before);
      throw cause;
    } finally {
      await file.close();
    }
  }

  async #shrink(sizeBytes: number): Promise<void> {
    const { disk, path } = this.#options;
    const file = await disk.open(path, 'write');
    await file.truncate(sizeBytes).finally(() => file.close());
    this.#heldBytes = sizeBytes;
  }

  async #create(): Promise<Awaited<ReturnType<Disk['create']>>> {
    const { disk, path } = this.#options;
    await disk.remove(path);
    return disk.create(path, 'write');
  }
}
