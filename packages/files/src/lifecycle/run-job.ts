// Does one job that was taken: to its end, or to where it is put back for later, is given up, or turns out to be another's by now.

import type { Database } from '../database/database.ts';
import type { FileRecord } from '../file-record.ts';
import { errorFields, type FilesLog } from '../log.ts';
import { endWithout, noteOfGivenUp, triesAfter } from './give-up.ts';
import type { Job, JobKind } from './job.ts';
import { type JobLease, type Leased, LeaseLostError } from './job-lease.ts';
import type { FileMover } from './move-file.ts';

export interface RunJobOptions {
  readonly database: Pick<Database, 'files' | 'outbox'>;
  readonly mover: FileMover;
  readonly clock: () => number;
  readonly log: FilesLog;
  /** What each kind of job does. */
  readonly handlers: Readonly<Record<JobKind, (file: FileRecord, lease: JobLease) => Promise<void>>>;
  readonly onJob: (kind: JobKind, outcome: 'done' | 'retried' | 'given-up' | 'lost') => void;
}

/** First wait after a failure, doubled each time, up to the longest. */
const retryMs = 500;
const maxRetryMs = 5 * 60_000;

/** Throws what the database throws; what the job throws is put back with it. */
export async function runJob(taken: Leased<Job>, options: RunJobOptions): Promise<void> {
  const { database, clock, log, handlers, onJob } = options;
  const { item: job } = taken;
  const lease: JobLease = { isLost: () => taken.lost || clock() >= taken.leasedUntilMs };
  const lost = (): void => {
    log.warn('The lease of a job was lost; another does it.', { job: job.kind, fileId: job.fileId });
    onJob(job.kind, 'lost');
  };
  try {
    const file = await database.files.find(job.fileId);
    if (file !== undefined) await handlers[job.kind](file, lease);
    if (await database.outbox.done(job)) onJob(job.kind, 'done');
    else lost();
  } catch (error) {
    if (error instanceof LeaseLostError) {
      lost();
      return;
    }
    const tries = triesAfter(job, error);
    if (tries === undefined) {
      if (!lease.isLost() && (await giveUp(job, error, options))) onJob(job.kind, 'given-up');
      else lost();
      return;
    }
    const waitMs = Math.min(maxRetryMs, retryMs * 2 ** job.attempts);
    log.warn('A job failed; it is tried again.', {
      job: job.kind,
      fileId: job.fileId,
      waitMs,
      ...errorFields(error),
    });
    if (await database.outbox.retry(job, { dueAtMs: clock() + waitMs, error: String(error), tries }))
      onJob(job.kind, 'retried');
    else lost();
  }
}

/** First what becomes of the file, then the job goes: cut off in between, it is tried, and given up, once more. */
async function giveUp(job: Job, error: unknown, { database, mover, log }: RunJobOptions): Promise<boolean> {
  log.error('A job was given up.', { job: job.kind, fileId: job.fileId, ...errorFields(error) });
  await endWithout(job.kind, job.fileId, { files: database.files, mover });
  const file = await database.files.find(job.fileId);
  return file === undefined ? database.outbox.done(job) : database.outbox.giveUp(job, noteOfGivenUp(file, job));
}
