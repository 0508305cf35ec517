// Does what is due: jobs from the outbox, and reviews of rows whose deadline has come. Everything here may be cut off at any
// point and done again; the rows say where to go on.

import type { Database } from '../database/database.ts';
import type { FileRecord } from '../file-record.ts';
import { isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import { purgeableFrom } from './file-lifecycle.ts';
import { type Job, type JobKind, jobs } from './job.ts';
import type { FileMover } from './move-file.ts';
import { isUploading } from './reconcile.ts';

export interface Worker {
  /** Works until nothing is due. Failures are put back for later, not thrown. */
  tick(): Promise<void>;
  /** Says that there may be something to do. */
  wake(): void;
  /** Begins to work by itself. */
  start(): void;
  /** Takes no more work, gives back what it took and did not begin, and waits for what runs. */
  close(): Promise<void>;
  /** Gives back what still runs: it will be done again by whoever asks next. */
  abandon(): Promise<void>;
}

interface WorkerOptions {
  readonly database: Database;
  readonly mover: FileMover;
  readonly clock: () => number;
  readonly limits: FilesLimits;
  readonly log: FilesLog;
  /** What each kind of job does. */
  readonly handlers: Readonly<Record<JobKind, (file: FileRecord) => Promise<void>>>;
  /** Brings an upload whose time has come to an end, if its bytes are all there. */
  readonly completeUpload: (file: FileRecord) => Promise<FileRecord>;
  /** Moves an upload to where the bucket says it is. */
  readonly reconcile: (file: FileRecord) => Promise<FileRecord>;
  /** Looks whether the bytes of a file that was marked are back. */
  readonly lookForBytes: (file: FileRecord) => Promise<void>;
  /** Puts into the trash what lies in folders of the trash. */
  readonly sweepFolders: () => Promise<void>;
  /** Tells applications what is due. Whether there was anything. */
  readonly deliverWebhooks: () => Promise<boolean>;
  readonly onJob: (kind: JobKind, outcome: 'done' | 'retried' | 'given-up') => void;
  /** Runs one job or review, and may measure it. */
  readonly observe: (what: JobKind | 'review', fileId: string, work: () => Promise<void>) => Promise<void>;
}

/** How often the database is asked for what is due. */
const pollMs = 1_000;
const batchSize = 50;
/** First wait after a failure, doubled each time, up to the longest. */
const retryMs = 500;
const maxRetryMs = 5 * 60_000;
/** Batches of one tick: what comes after waits for the next. */
const maxBatches = 10_000;
const cleanUpIntervalMs = 60 * 60_000;

export function openWorker(options: WorkerOptions): Worker {
  const { database, mover, clock, limits, log } = options;
  let closed = false;
  let running: Promise<void> | undefined;
  let wanted = false;
  let timer: NodeJS.Timeout | undefined;
  let cleanedUpAtMs = Number.NEGATIVE_INFINITY;

  const runningJobs = new Set<Job>();

  async function runJob(job: Job): Promise<void> {
    runningJobs.add(job);
    try {
      await options.observe(job.kind, job.fileId, () => tryJob(job));
    } finally {
      runningJobs.delete(job);
    }
  }

  async function tryJob(job: Job): Promise<void> {
    try {
      const file = await database.files.find(job.fileId);
      if (file !== undefined) await options.handlers[job.kind](file);
      await database.outbox.done(job);
      options.onJob(job.kind, 'done');
    } catch (error) {
      if (job.attempts + 1 >= jobs[job.kind].maxAttempts) {
        log.error('A job was given up.', { job: job.kind, fileId: job.fileId, ...errorFields(error) });
        await database.outbox.done(job);
        options.onJob(job.kind, 'given-up');
        return;
      }
      const waitMs = Math.min(maxRetryMs, retryMs * 2 ** job.attempts);
      log.warn('A job failed; it is tried again.', {
        job: job.kind,
        fileId: job.fileId,
        waitMs,
        ...errorFields(error),
      });
      await database.outbox.retry(job, clock() + waitMs, String(error));
      options.onJob(job.kind, 'retried');
    }
  }

  async function review(file: FileRecord): Promise<void> {
    const nowMs = clock();
    try {
      if (isUploading(file)) return await reviewUpload(file, nowMs);
      switch (file.state) {
        case 'uploaded':
        case 'validating':
        case 'scanning':
          await postpone(file, nowMs, [{ kind: 'validate', dueAtMs: nowMs }]);
          return;
        case 'purging':
          await postpone(file, nowMs, [{ kind: 'purge', dueAtMs: nowMs }]);
          return;
        case 'ready':
          if (file.missingSinceMs !== null) await options.lookForBytes(file);
          else await database.files.change(file, { reviewAtMs: null });
          return;
        case 'trashed':
        case 'rejected':
        case 'quarantined':
        case 'scan-failed':
        case 'aborted':
        case 'expired': {
          // Whatever brought the review on: nothing goes before the time that was promised.
          // With the current version go all others, and each may be one that must be kept.
          const retainUntilMs = file.role === 'current' ? await database.files.retainedUntil(file) : file.retainUntilMs;
          const purgeableFromMs = purgeableFrom({ ...file, retainUntilMs });
          if (nowMs < purgeableFromMs) await database.files.change(file, { reviewAtMs: purgeableFromMs });
          else await mover.move(file, { kind: 'purge-started' });
          return;
        }
        default:
          await database.files.change(file, { reviewAtMs: null });
      }
    } catch (error) {
      log.warn('A review failed; it is tried again.', { fileId: file.id, state: file.state, ...errorFields(error) });
      // One that has moved on meanwhile has a time of its own, which is a promise. Only an upload may have been moved by this review
      // itself, to where it is due at once.
      const current = await database.files.find(file.id);
      if (current === undefined) return;
      if (current.fence === file.fence || isUploading(current)) await postpone(current, nowMs);
    }
  }

  async function postpone(
    file: FileRecord,
    nowMs: number,
    due: Parameters<typeof database.files.change>[2] = [],
  ): Promise<void> {
    await database.files.change(file, { reviewAtMs: nowMs + limits.reviewIntervalMs }, due);
  }

  async function reviewUpload(file: FileRecord, nowMs: number): Promise<void> {
    const seen = await options.reconcile(file);
    if (!isUploading(seen)) return;
    if (nowMs < seen.uploadExpiresAtMs) {
      const reviewAtMs = Math.min(nowMs + limits.reviewIntervalMs, seen.uploadExpiresAtMs);
      await database.files.change(seen, { reviewAtMs });
      return;
    }
    try {
      // The client may have sent every byte and gone before it could say so.
      await options.completeUpload(seen);
    } catch (error) {
      const missing = isFilesError(error) && error.code === 'parts-missing';
      // A bucket that refuses the completion for good must not hold the file, and what it has reserved, for ever.
      if (!missing && nowMs < file.uploadExpiresAtMs + limits.completionGraceMs) throw error;
      // But only its own word that there is no object ends an upload: one that is silent may hold every byte.
      const latest = await options.reconcile((await database.files.find(file.id)) ?? seen);
      if (isUploading(latest)) await mover.move(latest, { kind: 'expired' });
    }
  }

  /** Whether there was anything. */
  async function runBatch(): Promise<boolean> {
    const nowMs = clock();
    if (nowMs - cleanedUpAtMs >= cleanUpIntervalMs) {
      await database.accounts.removeExpired(nowMs);
      cleanedUpAtMs = nowMs;
    }
    await options.sweepFolders();
    const due = await database.files.takeDue({ nowMs, leaseMs: limits.jobLeaseMs, limit: batchSize });
    const unseen = await inParallel(due, limits.jobConcurrency, (file) =>
      options.observe('review', file.id, () => review(file)),
    );
    // Due as before they were taken.
    for (const file of unseen) await database.files.change(file, { reviewAtMs: file.reviewAtMs });
    if (closed) return false;
    const taken = await database.outbox.take({ nowMs: clock(), leaseMs: limits.jobLeaseMs, limit: batchSize });
    const left = await inParallel(taken, limits.jobConcurrency, runJob);
    if (left.length > 0) await database.outbox.giveBack(left);
    if (closed) return false;
    const told = await options.deliverWebhooks();
    return due.length + taken.length > 0 || told;
  }

  /** A few at a time. Answers those that were not begun because the worker was closed. */
  async function inParallel<Item>(
    items: readonly Item[],
    concurrency: number,
    doOne: (item: Item) => Promise<void>,
  ): Promise<readonly Item[]> {
    const queue = items.values();
    const left: Item[] = [];
    const lanes = Array.from({ length: Math.min(concurrency, items.length) }, async () => {
      for (const item of queue) {
        if (closed) left.push(item);
        else await doOne(item);
      }
    });
    await Promise.all(lanes);
    return left;
  }

  async function work(): Promise<void> {
    for (let batch = 0; batch < maxBatches && !closed; batch++) if (!(await runBatch())) return;
  }

  function tick(): Promise<void> {
    // A tick that is asked for while one runs begins after it: what was due at the asking is then done.
    const next = (running ?? Promise.resolve()).then(work);
    const settled = next
      .catch(() => undefined)
      .finally(() => {
        if (running === settled) running = undefined;
      });
    running = settled;
    return next;
  }

  function workByItself(): void {
    clearTimeout(timer);
    if (closed) return;
    if (running !== undefined) {
      wanted = true;
      return;
    }
    void tick()
      .catch((error: unknown) => log.error('The worker failed; it goes on.', errorFields(error)))
      .finally(() => {
        if (closed) return;
        timer = setTimeout(workByItself, wanted ? 0 : pollMs);
        wanted = false;
      });
  }

  let started = false;
  return {
    tick,
    wake: () => {
      if (started) workByItself();
    },
    start: () => {
      started = true;
      workByItself();
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await running;
    },
    abandon: async () => {
      if (runningJobs.size > 0) await database.outbox.giveBack([...runningJobs]);
    },
  };
}
