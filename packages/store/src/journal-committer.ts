// Commits operations in batches. There is no timer: a batch takes whatever is waiting when the last one is done, so under
// load many operations share one trip to the disk, and a lone one never waits. For each batch (invariants 2 to 5):
//   judge each operation against the index and the batch's earlier ones → write the batch to the journal, durably
//   → apply it to the index in one transaction, with its place in the journal → answer.
// Refusals are answered with their batch too: one may rest on an earlier operation of the same batch. What the callers do with
// their answers takes longer than judging: so when a next batch waits, it is sent to the disk first.

import { appliedKey, encodeMark } from './applied-mark.ts';
import { BatchNeeds } from './batch-needs.ts';
import type { Abandon } from './blobs/staged-content.ts';
import type { BucketDurabilities } from './bucket-durabilities.ts';
import { applyFact } from './catalog/facts.ts';
import type { Moment, Operation, Verdict } from './catalog/operation.ts';
import {
  type Committer,
  type OperationCall,
  type OperationName,
  type OperationResult,
  operationOf,
} from './catalog/operations.ts';
import { countReferences, type References } from './catalog/references.ts';
import { CommitQueue, type Waiting } from './commit-queue.ts';
import { isDiskFull, lacksDescriptors } from './disk/disk.ts';
import type { DiskTrust } from './disk-trust.ts';
import { makesGarbage } from './garbage.ts';
import type { BatchEnd, BatchMark, Journal } from './journal/journal.ts';
import { type markCodes, requireRecordable } from './journal/record.ts';
import type { IndexChanges, OrderedIndex } from './ordered-index/ordered-index.ts';
import { PendingView } from './ordered-index/pending-view.ts';
import type { SpaceReserve } from './space-reserve.ts';
import { StoreError } from './store-error.ts';
import type { StoreSizes } from './store-sizes.ts';

/** Operations in one batch. */
const maxBatchOperations = 1024;
/** As long as the disk is full: what a batch takes of the index must find room in what is kept for that. */
const maxFullBatchOperations = 64;
/**
 * Rows of the index that one batch changes; what one operation changes more may come on top. Most change three or four, but one that
 * deletes or completes an upload of 10,000 parts some 30,000: nothing is answered while a batch is judged and applied.
 */
const maxBatchRows = 4096;
/** Bytes of bodies in one batch; one body more may come on top. */
const maxBatchBodyBytes = 8 * 1024 * 1024;

/** The index is made durable, too, when it has grown so much: small batches far apart cost it more room than the journal. */
const maxIndexGrowthBytes = 64 * 1024 * 1024;
/** Batches between two looks at it. */
const batchesPerLook = 64;
/** Of the reserve: the growth after which the index is made durable when the disk is full. */
const fullGrowthShare = 1 / 8;
/**
 * As long as the disk is full, it is also made durable when batches have written so much of it, in pages of 4 KiB: growth alone
 * comes later each time, because what the time before had grown by is used first, so the sum of it would have no bound.
 */
const maxFullIndexPages = 256;
/** What a batch writes beside a page for each row that it changes: those above, and the list of free ones. */
const pagesPerBatch = 4;

interface JournalCommitterOptions {
  readonly journal: Journal;
  readonly index: OrderedIndex;
  readonly reserve: SpaceReserve;
  /** Lost when a batch fails; whoever loses it tells `fail`. */
  readonly trust: DiskTrust;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly abandon: Abandon;
  readonly durabilities: BucketDurabilities;
  /** Makes blobs durable that were written for a bucket of durability `memory`. */
  readonly keepBlobs: (blobIds: readonly Buffer[]) => Promise<void>;
  /** Told of each batch that is visible, with where it ends in the journal. */
  readonly onVisible: (end: BatchEnd) => void;
  readonly sizes: StoreSizes;
  readonly onGarbage: () => void;
  /** So many bytes of the journal have ceased to be live. */
  readonly onDeadBytes: (sizeBytes: number) => void;
  /** Makes the index durable; tells the log when that fails. It lets go of what the index holds for its last state. */
  readonly checkpoint: () => Promise<void>;
}

/** A batch that is being judged. */
interface BatchInHand {
  readonly view: PendingView;
  readonly references: References;
  readonly needs: BatchNeeds;
  readonly nowMs: number;
}

type Outcome = { readonly result: unknown } | { readonly refusal: unknown };

/** What is told once the next batch is on its way. */
interface Due {
  readonly waiting: Waiting;
  readonly outcome: Outcome;
}

export class JournalCommitter implements Committer {
  readonly #options: JournalCommitterOptions;
  readonly #queue = new CommitQueue();
  #due: Due[] = [];
  #running = false;
  #closed = false;
  #failure: StoreError | undefined;
  #bytesSinceCheckpoint = 0;
  #batchesSinceLook = 0;
  /** Of the index, since it was last made durable on a full disk. */
  #pagesWritten = 0;
  #idle: (() => void)[] = [];

  constructor(options: JournalCommitterOptions) {
    this.#options = options;
  }

  /** Why writing has stopped, if it has. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  commit<Name extends OperationName>(call: OperationCall<Name>): Promise<OperationResult<Name>> {
    return this.commitOperation(operationOf(call));
  }

  /** As `commit`, for operations that no call names: those of the store's own background work. */
  commitOperation<Result>(operation: Operation<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) {
        this.#refuse({ operation, resolve: () => undefined, reject }, refusal);
        return;
      }
      // `resolve` gets what `operation.judge` answered, which is a Result.
      this.#queue.add({ operation, resolve: resolve as (result: unknown) => void, reject });
      if (this.#running) return;
      this.#running = true;
      queueMicrotask(() => void this.#run());
    });
  }

  /** Writes a mark as a batch of its own. Only while nothing is being committed. */
  async writeMark(code: typeof markCodes.opened | typeof markCodes.closed): Promise<void> {
    const { journal, reserve, clock } = this.#options;
    const mark = await reserve.spend(async () => {
      await journal.begin();
      journal.addMark(code);
      return journal.write(clock());
    });
    await this.#apply(new Map([[appliedKey.toString('latin1'), { key: appliedKey, value: encodeMark(mark) }]]));
    this.#options.onVisible(journal.writtenEnd);
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
    return this.#queue.isFull ? new StoreError('Overloaded') : undefined;
  }

  async #run(): Promise<void> {
    while (!this.#queue.isEmpty) {
      const batch = this.#takeBatch();
      if (this.#failure !== undefined) {
        for (const waiting of batch) this.#refuse(waiting, this.#failure);
        continue;
      }
      try {
        await this.#commitBatch(batch);
      } catch (cause) {
        if (lacksDescriptors(cause)) {
          // Files are opened before anything of a batch is written, and never afterwards.
          for (const waiting of batch) this.#refuse(waiting, new StoreError('Overloaded', { cause }));
          continue;
        }
        // Whether the batch is durable is not known. Its blobs stay; the next opening finds out.
        this.#options.trust.lose(cause);
        this.fail(cause);
        for (const waiting of batch) waiting.reject(this.#failure);
      }
    }
    this.#answer();
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Answers what is committed. */
  #answer(): void {
    const due = this.#due;
    this.#due = [];
    for (const { waiting, outcome } of due) {
      if ('refusal' in outcome) this.#refuse(waiting, outcome.refusal);
      else waiting.resolve(outcome.result);
    }
  }

  #takeBatch(): Waiting[] {
    const { reserve, sizes } = this.#options;
    return this.#queue.take({
      operations: reserve.full ? maxFullBatchOperations : maxBatchOperations,
      // A segment is as large as its batches make it, and compaction must find room for the largest.
      bodyBytes: Math.min(maxBatchBodyBytes, sizes.segmentSizeBytes),
    });
  }

  /** @throws what makes writing impossible from here on. */
  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    const { reserve } = this.#options;
    let attempted = batch;
    if (reserve.full) this.#answer(); // looking for room takes a while
    if (reserve.full && !(await reserve.restore())) attempted = await this.#refuseOnFullDisk(batch);
    if (attempted.length === 0) return;
    try {
      await this.#tryBatch(attempted);
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      reserve.noteFull();
      await this.#freeSpace(await this.#refuseOnFullDisk(attempted));
    }
  }

  /** Commits operations that give space back, out of the reserve if need be. */
  async #freeSpace(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.#options.reserve.spend(() => this.#tryBatch(batch));
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      for (const waiting of batch) this.#refuse(waiting, new StoreError('DiskFull', { cause }));
    }
  }

  async #tryBatch(batch: readonly Waiting[]): Promise<void> {
    const { journal, index, reserve, durabilities, keepBlobs } = this.#options;
    if (journal.beginsSegment) {
      this.#answer();
      await journal.begin();
    } else journal.restart();
    durabilities.drop(); // what a batch that was given up had noted
    const needs = new BatchNeeds(durabilities);
    const view = new PendingView(index);
    const references = countReferences(view);
    const nowMs = this.#options.clock();
    const outcomes: Outcome[] = [];
    for (const { operation } of batch) {
      if (view.changes.size >= maxBatchRows) break;
      outcomes.push(this.#judge(operation, { view, references, needs, nowMs }));
    }
    const judged = batch.slice(0, outcomes.length);
    if (!journal.batchIsEmpty) {
      references.settle();
      if (needs.looseBlobs.length > 0) {
        this.#answer();
        await keepBlobs(needs.looseBlobs);
      }
      const write = (): Promise<BatchMark> => journal.write(nowMs, needs.durability);
      const writing = judged.every(({ operation }) => operation.frees) ? write() : reserve.use(write);
      this.#answer();
      const mark = await writing;
      view.put(appliedKey, encodeMark(mark));
      await this.#apply(view.changes);
      durabilities.settle();
      await this.#afterApply(view.changes);
      if (references.deadBytes > 0) this.#options.onDeadBytes(references.deadBytes);
    }
    for (const [at, waiting] of judged.entries()) {
      const outcome = outcomes[at];
      if (outcome !== undefined) this.#due.push({ waiting, outcome });
    }
    this.#queue.putBack(batch.slice(judged.length));
  }

  #judge(operation: Operation<unknown>, { view, references, needs, nowMs }: BatchInHand): Outcome {
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
      needs.add(operation, fact, view);
      journal.addFact(fact, body);
      applyFact(fact, view, references);
    }
    return { result };
  }

  /** The batch is durable: if the index cannot take it, nothing more may be committed on top. */
  async #apply(changes: IndexChanges): Promise<void> {
    const { index, reserve, checkpoint } = this.#options;
    try {
      index.apply(changes);
      return;
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      reserve.noteFull();
    }
    let last: unknown;
    for (const makeRoom of [() => reserve.release(), checkpoint, () => reserve.giveUpForCompaction()]) {
      await makeRoom();
      try {
        index.apply(changes);
        return;
      } catch (cause) {
        last = cause;
      }
    }
    // Not a refusal of one batch: it stands in the journal, and the index must take it before any other.
    throw new Error('The index finds no room for a batch that is in the journal.', { cause: last });
  }

  async #afterApply(changes: IndexChanges): Promise<void> {
    const { journal, index, reserve, sizes, checkpoint, onVisible, onGarbage } = this.#options;
    onVisible(journal.writtenEnd);
    reserve.keepForCompaction(journal.writtenEnd.offset);
    if (makesGarbage(changes)) onGarbage();
    this.#bytesSinceCheckpoint += journal.batchSizeBytes;
    if (reserve.full) {
      // What deletes take of the index is given back only by a checkpoint, and the reserve is all there is to take.
      this.#pagesWritten += changes.size + pagesPerBatch;
      const grown = index.growthBytes() >= sizes.reserveSizeBytes * fullGrowthShare;
      if (!grown && this.#pagesWritten < maxFullIndexPages) return;
      this.#pagesWritten = 0;
      this.#bytesSinceCheckpoint = 0;
      await checkpoint();
      return;
    }
    this.#batchesSinceLook += 1;
    const grown = this.#batchesSinceLook % batchesPerLook === 0 && index.growthBytes() >= maxIndexGrowthBytes;
    if (!grown && this.#bytesSinceCheckpoint < sizes.checkpointEveryBytes) return;
    this.#bytesSinceCheckpoint = 0;
    void checkpoint();
  }

  /** Refuses what needs room; answers what gives some back, as long as there is room to write that down. */
  async #refuseOnFullDisk(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    const forDeletes = await this.#options.reserve.hasRoomForDeletes();
    const isTaken = ({ operation }: Waiting): boolean => operation.frees && (forDeletes || operation.compacts === true);
    for (const waiting of batch) if (!isTaken(waiting)) this.#refuse(waiting, new StoreError('DiskFull'));
    return batch.filter(isTaken);
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
