// An append-only file with group commit, as bare as can be: what waits is written at once, then one fdatasync, then all
// are told. No checksums, no framing, nothing that could be recovered.

import { fdatasync, openSync, writev } from 'node:fs';
import { promisify } from 'node:util';

const syncFile = promisify(fdatasync);

interface Waiting {
  readonly bytes: Buffer;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupLog {
  readonly file: number;
  #sizeBytes = 0;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(path: string) {
    this.file = openSync(path, 'w+');
  }

  /** Resolves when the bytes are durable, with where they begin. */
  append(bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const start = this.#sizeBytes;
      try {
        await this.#write(group.map(({ bytes }) => bytes));
        await syncFile(this.file);
        let offset = start;
        for (const { bytes, resolve } of group) {
          resolve(offset);
          offset += bytes.length;
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = false;
  }

  async #write(pieces: readonly Buffer[]): Promise<void> {
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    await new Promise<void>((resolve, reject) => {
      writev(this.file, pieces, this.#sizeBytes, (error, written) => {
        if (error === null && written === total) resolve();
        else reject(error ?? new Error(`Only ${written} of ${total} bytes were written.`));
      });
    });
    this.#sizeBytes += total;
  }
}
