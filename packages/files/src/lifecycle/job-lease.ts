// A job is one worker's as long as its lease: the worker renews it while the job runs, and what a job whose lease was lost comes to is
// not written. It may be that the process stood still, or could not reach the database for so long; another does the job then.

import type { Database } from '../database/database.ts';
import type { FileMover } from './move-file.ts';

export interface JobLease {
  /** Whether the job is, for all that is known here, another's now. */
  isLost(): boolean;
}

/** What a job wanted to write and may not any more. */
export class LeaseLostError extends Error {
  constructor() {
    super('The lease of this job was lost while it ran: what it came to is not written, and another does it.');
    this.name = 'LeaseLostError';
  }
}

/** What a job writes with, as long as the lease holds. Beyond that, each write is compare-and-set on the row that the job began with. */
export function underLease<Parts extends { readonly mover: FileMover; readonly files: Database['files'] }>(
  parts: Parts,
  lease: JobLease,
): Parts {
  const held = <Arguments extends readonly unknown[], Result>(
    write: (...given: Arguments) => Promise<Result>,
  ): ((...given: Arguments) => Promise<Result>) => {
    return (...given) => (lease.isLost() ? Promise.reject(new LeaseLostError()) : write(...given));
  };
  const { mover, files } = parts;
  return {
    ...parts,
    mover: { move: held(mover.move) },
    files: { ...files, change: held(files.change), relocate: held(files.relocate) },
  };
}

/** A job or review that runs here, and until when it is nobody else's. */
export interface Leased<Item> {
  readonly item: Item;
  leasedUntilMs: number;
  lost: boolean;
}
