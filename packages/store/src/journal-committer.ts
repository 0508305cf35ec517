// Commits operations in batches. There is no timer: a batch takes whatever is waiting when the last one is done, so under
// load many operations share one trip to the disk, and a lone one never waits. For each batch (invariants 2 to 5):
//   judge each operation against the index and the batch's earlier ones → write the batch to the journal, durably
//   → apply it to the index in one transaction, with its place in the journal → answer.
// Refusals are answered with their batch too: one may rest on an earlier operation of the same batch.

import { appliedKey, encodeMark } from './applied-mark.ts';
import type { Abandon } from './blobs/staged-content.ts';
import { applyFact } from './catalog/facts.ts';
import type { Committer, Moment, Operation, Verdict } from './catalog/operation.ts';
import { isDiskFull } from './disk/disk.ts';
import { makesGarbage } from './garbage.ts';
import type { Journal } from './journal/journal.ts';
import { type markCodes, requireRecordable } from './journal/record.ts';
import type { IndexChanges, OrderedIndex } from './ordered-index/ordered-index.ts';
import { PendingView } from './ordered-index/pending-view.ts';
import type { SpaceReserve } from './space-reserve.ts';
import { StoreError } from './store-error.ts';

/** Operations in one batch. */
const maxBatchOperations = 1024;
/** Bytes of bodies in one batch; one body more may come on top. */
const maxBatchBodyBytes = 8 * 1024 * 1024;
/** Operations waiting for a batch; beyond it new ones are refused. */
const maxQueuedOperations = 100_000;
/** Bytes of bodies waiting for a batch; beyond it new ones are refused. */
const maxQueuedBodyBytes = 512 * 1024 * 1024;
/** The index is made durable after so many bytes of journal: the most that opening must read again. */
const checkpointEveryBytes = 32 * 1024 * 1024;

interface JournalCommitterOptions {
  readonly journal: Journal;
  readonly index: OrderedIndex;
  readonly reserve: SpaceReserve;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly abandon: Abandon;
  readonly onGarbage: () => void;
  /** Enough was written since the last checkpoint for a new one. */
  readonly onCheckpointDue: () => void;
}

/** An operation that waits, with the promise of whoever asked for it. */
interface Waiting {
  readonly operation: Operation<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (cause: unknown) => void;
}

type Outcome = { readonly result: unknown } | { readonly refusal: unknown };

export class JournalCommitter implements Committer {
  readonly #options: JournalCommitterOptions;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #running = false;
  #closed = false;
  #failure: StoreError | undefined;
  #bytesSinceCheckpoint = 0;
  #idle: (() => void)[] = [];

  constructor(options: JournalCommitterOptions) {
    this.#options = options;
  }

  /** Why writing has stopped, if it has. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  commit<Result>(operation: Operation<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) {
        this.#refuse({ operation, resolve: () => undefined, reject }, refusal);
        return;
      }
      // `resolve` gets what `operation.judge` answered, which is a Result.
      this.#queue.push({ operation, resolve: resolve as (result: unknown) => void, reject });
      this.#queuedBytes += bodyBytesOf(operation);
      if (this.#running) return;
      this.#running = true;
      queueMicrotask(() => void this.#run());
    });
  }

  /** Writes a mark as a batch of its own. Only while nothing is being committed. */
  async writeMark(code: typeof markCodes.opened | typeof markCodes.closed): Promise<void> {
    const { journal, index, clock } = this.#options;
    await journal.begin();
    journal.addMark(code);
    const mark = await journal.write(clock());
    index.apply(new Map([[appliedKey.toString('latin1'), { key: appliedKey, value: encodeMark(mark) }]]));
  }

  /** Takes nothing more; resolves when what was taken is done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#running) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Stops writing for good: what the disk does now is not known any more (invariant 5). */
  fail(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure ??= new StoreError('ReadOnly', {
      message: `The store has stopped writing after a disk error (${reason}); reads go on. Mend the disk and reopen the store.`,
      cause,
    });
  }

  #refusal(): StoreError | undefined {
    if (this.#closed) return new StoreError('Closed');
    if (this.#failure !== undefined) return this.#failure;
    const overloaded = this.#queue.length >= maxQueuedOperations || this.#queuedBytes >= maxQueuedBodyBytes;
    return overloaded ? new StoreError('Overloaded') : undefined;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      if (this.#failure !== undefined) {
        for (const waiting of batch) this.#refuse(waiting, this.#failure);
        continue;
      }
      try {
        await this.#commitBatch(batch);
      } catch (cause) {
        // Whether the batch is durable is not known. Its blobs stay; the next opening finds out.
        this.fail(cause);
        for (const waiting of batch) waiting.reject(this.#failure);
      }
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { operation } of this.#queue) {
      if (count === maxBatchOperations || bytes >= maxBatchBodyBytes) break;
      bytes += bodyBytesOf(operation);
      count += 1;
    }
    this.#queuedBytes -= bytes;
    if (count < this.#queue.length) return this.#queue.splice(0, count);
    const batch = this.#queue;
    this.#queue = [];
    return batch;
  }

  /** @throws what makes writing impossible from here on. */
  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    const { reserve } = this.#options;
    let attempted = batch;
    if (reserve.full && !(await reserve.restore())) attempted = this.#refusePuts(batch);
    if (attempted.length === 0) return;
    try {
      await this.#tryBatch(attempted);
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      reserve.noteFull();
      await this.#freeSpace(this.#refusePuts(attempted));
    }
  }

  /** Commits operations that give space back, out of the reserve if need be. */
  async #freeSpace(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.#tryBatch(batch);
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      const released = await this.#options.reserve.release();
      if (released) return this.#freeSpace(batch);
      for (const waiting of batch) this.#refuse(waiting, new StoreError('DiskFull', { cause }));
    }
  }

  async #tryBatch(batch: readonly Waiting[]): Promise<void> {
    const { journal, index } = this.#options;
    await journal.begin();
    const view = new PendingView(index);
    const nowMs = this.#options.clock();
    const outcomes = batch.map(({ operation }) => this.#judge(operation, view, nowMs));
    if (!journal.batchIsEmpty) {
      const mark = await journal.write(nowMs);
      view.put(appliedKey, encodeMark(mark));
      await this.#apply(view.changes);
      this.#afterApply(view.changes);
    }
    for (const [at, waiting] of batch.entries()) {
      const outcome = outcomes[at];
      if (outcome === undefined) continue;
      if ('refusal' in outcome) this.#refuse(waiting, outcome.refusal);
      else waiting.resolve(outcome.result);
    }
  }

  #judge(operation: Operation<unknown>, view: PendingView, nowMs: number): Outcome {
    const { journal, random } = this.#options;
    const moment: Moment = { sequence: journal.nextLsn, nowMs, random };
    let verdict: Verdict<unknown>;
    try {
      verdict = operation.judge(view, moment);
      if (verdict.fact !== undefined) requireRecordable(verdict.fact);
    } catch (refusal) {
      return { refusal };
    }
    // From here on nothing can be refused: what throws is a fault of ours, and fails the batch.
    const { fact, body, result } = verdict;
    if (fact !== undefined) {
      journal.addFact(fact, body);
      applyFact(fact, view);
    }
    return { result };
  }

  /** The batch is durable: if the index cannot take it, nothing more may be committed on top. */
  async #apply(changes: IndexChanges): Promise<void> {
    const { index, reserve } = this.#options;
    try {
      index.apply(changes);
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      reserve.noteFull();
      if (!(await reserve.release())) throw noRoomForIndex(cause);
      try {
        index.apply(changes);
      } catch (again) {
        throw noRoomForIndex(again);
      }
    }
  }

  #afterApply(changes: IndexChanges): void {
    if (makesGarbage(changes)) this.#options.onGarbage();
    this.#bytesSinceCheckpoint += this.#options.journal.batchSizeBytes;
    if (this.#bytesSinceCheckpoint < checkpointEveryBytes) return;
    this.#bytesSinceCheckpoint = 0;
    this.#options.onCheckpointDue();
  }

  /** Refuses what needs room; answers what gives some back. */
  #refusePuts(batch: readonly Waiting[]): readonly Waiting[] {
    for (const waiting of batch) if (!waiting.operation.frees) this.#refuse(waiting, new StoreError('DiskFull'));
    return batch.filter(({ operation }) => operation.frees);
  }

  /** Answers a refusal, once the bytes of the operation are given up. */
  #refuse({ operation, reject }: Waiting, cause: unknown): void {
    if (operation.content === undefined) reject(cause);
    else
      this.#options.abandon(operation.content).then(
        () => reject(cause),
        () => reject(cause), // bytes that stay behind are swept at the next opening
      );
  }
}

/** Not a refusal of one batch: it stands in the journal, and the index must take it before any other. */
function noRoomForIndex(cause: unknown): Error {
  return new Error('The index finds no room for a batch that is in the journal.', { cause });
}

function bodyBytesOf({ content }: Operation<unknown>): number {
  return content?.kind === 'inline' ? content.bytes.length : 0;
}
