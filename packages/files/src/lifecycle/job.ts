// What is still to be done outside the database, one row each, written in the transaction that made it necessary.
// Every job is safe to do twice and safe to do late: it reads the row first and does only what its state still asks for.

/** How a job is tried again when it fails. */
interface JobRow {
  /** Tries before it is given up; what is left then ends, or the file's review finds it. */
  readonly maxAttempts: number;
  /** Whether it is given up even if what it needs was away the whole time: then nothing is lost without it. */
  readonly isHint?: true;
}

export const jobs = {
  /** Read what the bucket holds of an upload: somebody said that it changed. */
  reconcile: { maxAttempts: 20, isHint: true },
  /** Have the bucket copy bytes: those of another file, or those that arrived elsewhere. */
  copy: { maxAttempts: 1_000 },
  /** Compare the bytes with what was announced, and judge them. */
  validate: { maxAttempts: 1_000 },
  /** Remove what a promoted file left where its bytes arrived. */
  unstage: { maxAttempts: 1_000 },
  /** Remove the versions of an object that were written beside the one that is pinned. */
  unversion: { maxAttempts: 1_000 },
  /** Make the previews of an image. */
  preview: { maxAttempts: 3, isHint: true },
  /** Purge versions of a file beyond those that are kept. */
  prune: { maxAttempts: 100 },
  /** Free what an upload that will not come to an end holds in the bucket. */
  discard: { maxAttempts: 1_000 },
  /** Remove the bytes and previews of a file in `purging`. */
  purge: { maxAttempts: 1_000 },
} as const satisfies Record<string, JobRow>;

export type JobKind = keyof typeof jobs;

export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  readonly fileId: string;
  /** How often it was tried before. */
  readonly attempts: number;
  /** Which taking of the job this is: what another took since is not this one's any more. */
  readonly fence: number;
}

/** A job to be written with a change of a file. */
export interface NewJob {
  readonly kind: JobKind;
  readonly dueAtMs: number;
}
