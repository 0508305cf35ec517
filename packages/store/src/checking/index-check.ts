// Holds the rows of an open store's index against the digest that was kept of them as they were written
// (ordered-index/counted-index.ts): once after each opening, in slices between which requests are answered, and with each
// scrub. Until that has gone well nothing is removed on the word of the index. When it has not, that is damage: nothing is
// removed any more, and the next opening makes the index anew from the journal.

import { join } from 'node:path';
import { keyspace } from '../catalog/index-keys.ts';
import type { DamageLog } from '../damage-log.ts';
import type { Disk } from '../disk/disk.ts';
import type { CountedIndex, RowMismatch } from '../ordered-index/counted-index.ts';
import { damagedName } from '../ordered-index/lmdb-index.ts';
import { StoreError } from '../store-error.ts';
import type { StoreLog } from '../store-log.ts';

/** After a slice that took so many milliseconds or more, others have twice as long for themselves. */
const longSliceMs = 1;
const restShare = 2;

interface IndexCheckOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly index: CountedIndex;
  readonly damage: DamageLog;
  readonly log: StoreLog;
}

export class IndexCheck {
  readonly #options: IndexCheckOptions;
  readonly #first = Promise.withResolvers<void>();
  #started = false;
  #state: 'checking' | 'holds' | 'damaged' = 'checking';
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(options: IndexCheckOptions) {
    this.#options = options;
  }

  /** Begins the first look. */
  start(): void {
    this.#started = true;
    void this.#check(true).finally(this.#first.resolve);
  }

  /** Resolves when the first look is over: to whether all rows are as they were written. */
  get holds(): Promise<boolean> {
    return this.#first.promise.then(() => this.#state === 'holds');
  }

  /** Whether all rows have been found to be as they were written, and none otherwise since. */
  get held(): boolean {
    return this.#state === 'holds';
  }

  /** Waits for the first look. @throws StoreError `Corrupt` when rows are damaged, `Closed` when it was broken off. */
  async require(): Promise<void> {
    if (await this.holds) return;
    if (this.#state === 'damaged')
      throw new StoreError('Corrupt', { message: 'Rows of the index are damaged: nothing is removed.' });
    throw new StoreError('Closed');
  }

  /** Looks again, as fast as it goes. Answers whether all is well. @throws StoreError `Closed`. */
  async again(): Promise<boolean> {
    await this.#first.promise;
    const holds = await this.#check(false);
    if (this.#stopped) throw new StoreError('Closed');
    return holds;
  }

  /** Breaks off what is going on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    if (!this.#started) this.#first.resolve();
    await this.#first.promise;
  }

  async #check(rests: boolean): Promise<boolean> {
    const { index, log } = this.#options;
    let began = performance.now();
    const pause = async (): Promise<void> => {
      const tookMs = performance.now() - began;
      if (rests && tookMs >= longSliceMs) await this.#rest(restShare * tookMs);
      else await new Promise(setImmediate);
      if (this.#stopped) throw new StoreError('Closed');
      began = performance.now();
    };
    try {
      const mismatches = await index.verify(pause);
      if (mismatches.length > 0) await this.#report(mismatches);
      else if (this.#state === 'checking') this.#state = 'holds';
      return mismatches.length === 0;
    } catch (cause) {
      if (this.#stopped) return false;
      log('error', 'The index could not be read through; nothing is removed', { cause: String(cause) });
      await this.#report([]);
      return false;
    }
  }

  /** Keeps the process alive: somebody may wait for the end of it. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #report(mismatches: readonly RowMismatch[]): Promise<void> {
    const { damage, log } = this.#options;
    this.#state = 'damaged';
    const what = mismatches.length === 0 ? 'it cannot be read' : mismatches.map(inWords).join('; ');
    const description = `rows of the index are damaged: ${what}. Nothing is removed any more; restart the store, which makes the index anew from the journal`;
    damage.note({ file: 'index', offset: 0, sizeBytes: 0, description });
    try {
      await this.#mark();
    } catch (cause) {
      log('warn', 'That the index is damaged could not be written down; `stowage rebuild` makes it anew', {
        cause: String(cause),
      });
    }
  }

  /** For the next opening. */
  async #mark(): Promise<void> {
    const { disk, directory } = this.#options;
    const folder = join(directory, 'index');
    if ((await disk.list(folder)).includes(damagedName)) return;
    await (await disk.create(join(folder, damagedName), 'write')).close();
    await disk.syncFolder(folder);
  }
}

function inWords({ keyspace: space, expectedRows, foundRows }: RowMismatch): string {
  const name = Object.entries(keyspace).find(([, number]) => number === space)?.[0] ?? `keyspace ${space}`;
  if (expectedRows === foundRows) return `some of the ${foundRows} rows of kind ${name} are not what was written`;
  return `${foundRows} rows of kind ${name} where ${expectedRows} were written`;
}
