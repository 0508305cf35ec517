// A job that no try brought to its end. What only this job would have moved ends where its owner sees it, with a reason; that it was given
// up stands in the audit log. A job that fails because the bucket or the scanner is away is not given up: that is no fault of the file.

import type { ProblemCode } from '@stowage/contract';
import { type AuditNote, serviceNote } from '../accounts/audit-note.ts';
import type { FileTable } from '../database/database.ts';
import type { FileRecord } from '../file-record.ts';
import { isFilesError } from '../files-error.ts';
import type { FileEvent } from './file-lifecycle.ts';
import { type Job, type JobKind, jobs } from './job.ts';
import { type FileMover, maxMoveAttempts, tooFast } from './move-file.ts';
import { isUploading } from './reconcile.ts';
import { ScannerAwayError } from './scan-file.ts';

/** Errors behind one another that are looked at. */
const maxCauses = 10;

/** Bucket and database. */
const awayCodes: ReadonlySet<string> = new Set(['storage-unavailable', 'database-unavailable'] satisfies ProblemCode[]);

/** Whether what a job needs was away. */
function isOutage(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < maxCauses && cause instanceof Error; depth++) {
    if (cause instanceof ScannerAwayError || (isFilesError(cause) && awayCodes.has(cause.code))) return true;
    cause = cause.cause;
  }
  return false;
}

/** What counts as tried after this try; `undefined`: the job is given up. */
export function triesAfter({ kind, attempts }: Job, error: unknown): number | undefined {
  const row = jobs[kind];
  const { maxAttempts } = row;
  const tries = attempts + 1;
  // However long an outage was, as many tries again are left after it.
  if (!('isHint' in row) && isOutage(error)) return Math.min(tries, Math.floor(maxAttempts / 2));
  return tries < maxAttempts ? tries : undefined;
}

/** What is written into the audit log of the file's tenant. */
export function noteOfGivenUp({ tenantId, lineId, id }: FileRecord, { kind, attempts }: Job): AuditNote {
  const details = { job: kind, versionId: id, tries: attempts + 1 };
  return serviceNote({ tenantId, action: 'job.given-up', subject: { kind: 'file', id: lineId }, details });
}

/** Ends what only a job of this kind would have moved. Safe to repeat. */
export async function endWithout(
  kind: JobKind,
  fileId: string,
  { files, mover }: { readonly files: FileTable; readonly mover: FileMover },
): Promise<void> {
  for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
    const file = await files.find(fileId);
    const event = file === undefined ? undefined : ends[kind](file);
    if (file === undefined || event === undefined) return;
    await mover.move(file, event);
  }
  throw tooFast();
}

const nothing = (): undefined => undefined;

/** The next step to where a file ends without a job; `undefined`: it is there, or its review goes on with it. */
const ends: Readonly<Record<JobKind, (file: FileRecord) => FileEvent | undefined>> = {
  reconcile: nothing,
  copy: (file) => {
    if (!isUploading(file)) return undefined;
    const reason = 'The bytes could not be copied to where they are kept, however often it was tried. Upload again.';
    return { kind: 'aborted', reason };
  },
  validate: ({ state, missingSinceMs }) => {
    // Bytes that are missing are looked for, not given up.
    if (missingSinceMs !== null) return undefined;
    const reason = 'The bytes could not be checked, however often it was tried.';
    if (state === 'uploaded') return { kind: 'validation-started' };
    if (state === 'validating') return { kind: 'rejected', reason: `${reason} Upload the file again.` };
    return state === 'scanning' ? { kind: 'scan-failed', reason } : undefined;
  },
  unstage: nothing,
  unversion: nothing,
  preview: nothing,
  prune: nothing,
  discard: nothing,
  // The review of a file in `purging` asks for it anew: bytes that are to go are never left.
  purge: nothing,
};
