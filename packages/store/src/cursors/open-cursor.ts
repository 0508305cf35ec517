// A cursor that is open: delivers changes, remembers which, and has acknowledgements written down, one commit at a time:
// those that come meanwhile share the next one.

import type { ChangePosition } from '../catalog/cursor-row.ts';
import type { CursorLag } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import type { Change, ChangeCursor, ReadChanges } from './change-cursor.ts';
import type { ChangeReader, ChangeSource } from './change-source.ts';

/** Changes in one page. */
const maxPageChanges = 1000;
/** Changes delivered and not acknowledged: beyond it a consumer that never acknowledges would fill the memory. */
const maxUnacknowledged = 100_000;

interface OpenedCursorOptions {
  readonly name: string;
  readonly source: ChangeSource;
  /** What is acknowledged, durably. */
  readonly position: ChangePosition;
  /** Commits a new place. */
  readonly move: (position: ChangePosition) => Promise<void>;
  readonly remove: () => Promise<void>;
  readonly onClosed: () => void;
}

export class OpenedCursor implements ChangeCursor {
  readonly name: string;
  readonly #options: OpenedCursorOptions;
  readonly #reader: ChangeReader;
  readonly #closing = new AbortController();
  /** The places behind the changes that are delivered and not acknowledged, in order. */
  #delivered: ChangePosition[] = [];
  /** What is acknowledged, and what of it is written down. */
  #acknowledged: ChangePosition;
  #written: ChangePosition;
  /** No change lies before it that was not delivered. */
  #passed: ChangePosition;
  #writing: Promise<void> | undefined;
  #reading: Promise<unknown> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: OpenedCursorOptions) {
    this.name = options.name;
    this.#options = options;
    this.#reader = options.source.reader(options.position);
    this.#acknowledged = options.position;
    this.#written = options.position;
    this.#passed = options.position;
  }

  async read({ limit, signal }: ReadChanges): Promise<readonly Change[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > maxPageChanges) {
      throw new RangeError(`A page has 1 to ${maxPageChanges} changes; ${limit} were asked for.`);
    }
    this.#requireOpen();
    if (this.#reading !== undefined)
      throw new StoreError('CursorInUse', { message: 'The cursor is being read already.' });
    if (this.#delivered.length >= maxUnacknowledged) {
      throw new RangeError(
        `${this.#delivered.length} changes are delivered and not acknowledged: acknowledge them first.`,
      );
    }
    const reading = this.#readPage(
      limit,
      signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal],
    );
    this.#reading = reading;
    try {
      return await reading;
    } finally {
      this.#reading = undefined;
    }
  }

  async acknowledge(sequence: number): Promise<void> {
    this.#requireOpen();
    const last = this.#delivered.at(-1)?.sequence ?? this.#acknowledged.sequence;
    if (!Number.isInteger(sequence) || sequence > Math.max(last, this.#acknowledged.sequence)) {
      throw new RangeError(`Change ${sequence} was not delivered: the last one was ${last}.`);
    }
    if (sequence > this.#acknowledged.sequence) this.#acknowledged = this.#dealtWith(sequence);
    await this.#writeDown();
  }

  lag(): CursorLag {
    return lagBehind(this.#options.source, this.#current());
  }

  async close(): Promise<void> {
    await this.#end();
    this.#options.onClosed();
  }

  async remove(): Promise<void> {
    await this.#end();
    await this.#options.remove().finally(() => this.#options.onClosed());
  }

  async #readPage(limit: number, stop: readonly AbortSignal[]): Promise<readonly Change[]> {
    const { source } = this.#options;
    for (;;) {
      for (const signal of stop) signal.throwIfAborted();
      const { end } = source;
      const page = await this.#reader.read(limit);
      this.#passed = this.#reader.position;
      if (page.length > 0) {
        for (const { behind } of page) this.#delivered.push(behind);
        return page.map(({ change }) => change);
      }
      this.#letGo();
      await source.waitBeyond(end, stop);
    }
  }

  /** The place behind the last change up to a sequence; what is delivered up to there is forgotten. */
  #dealtWith(sequence: number): ChangePosition {
    const later = this.#delivered.findIndex((behind) => behind.sequence > sequence);
    const passed = this.#delivered.splice(0, later < 0 ? this.#delivered.length : later);
    return passed.at(-1) ?? this.#acknowledged;
  }

  /** When everything delivered is acknowledged, what lies behind it and is no change is behind, too. */
  #current(): ChangePosition {
    return this.#delivered.length === 0 && this.#passed.sequence > this.#acknowledged.sequence
      ? this.#passed
      : this.#acknowledged;
  }

  /** Without changes, a cursor still moves on when a segment is behind it: it would keep the segment for nothing. */
  #letGo(): void {
    if (this.#delivered.length > 0 || this.#passed.segment <= this.#written.segment) return;
    this.#acknowledged = this.#passed;
    // Nobody waits for it: an error comes again with the next acknowledgement.
    this.#writeDown().catch(() => undefined);
  }

  async #writeDown(): Promise<void> {
    const wanted = this.#acknowledged;
    while (this.#written.sequence < wanted.sequence || this.#written.segment < wanted.segment) {
      this.#writing ??= this.#writeOnce();
      await this.#writing;
    }
  }

  async #writeOnce(): Promise<void> {
    const position = this.#acknowledged;
    try {
      await this.#options.move(position);
      this.#written = position;
    } finally {
      this.#writing = undefined;
    }
  }

  #end(): Promise<void> {
    this.#closed ??= this.#stop();
    return this.#closed;
  }

  async #stop(): Promise<void> {
    this.#closing.abort(new StoreError('Closed', { message: 'The cursor is closed.' }));
    await this.#reading?.catch(() => undefined); // its reader is told
    await this.#writing?.catch(() => undefined); // as are those who acknowledged
    await this.#reader.close();
  }

  #requireOpen(): void {
    if (this.#closed !== undefined) throw new StoreError('Closed', { message: 'The cursor is closed.' });
  }
}

/** How far a place is behind the end. */
export function lagBehind(source: ChangeSource, position: ChangePosition): CursorLag {
  const { end } = source;
  const changes = Math.max(0, end.changeCount - position.changeCount);
  if (changes === 0) return { changes, bytes: 0 };
  return {
    changes,
    bytes: source.bytesBetween(position, end),
    oldestAtMs: source.firstAtMs(position) ?? position.atMs,
  };
}
