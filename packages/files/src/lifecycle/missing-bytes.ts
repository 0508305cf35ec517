// What it means when the bucket says that the bytes of a file are not there. A single 404 says little: an endpoint may have lost sight of
// them for a moment, or be another. So it is asked once more, in another way, and what is still missing then is marked and looked for
// again, never given up: the bytes were acknowledged. Only bytes that are there, and are others, can be judged.

import type { Bucket } from '../bucket/bucket.ts';
import type { FileTable } from '../database/database.ts';
import { type FileRecord, objectOf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { FilesLog } from '../log.ts';

export interface MissingBytesOptions {
  readonly bucket: Pick<Bucket, 'head' | 'listKeys'>;
  readonly files: Pick<FileTable, 'change'>;
  readonly limits: Pick<FilesLimits, 'missingReviewMs'>;
  readonly clock: () => number;
  readonly log: FilesLog;
}

/** For bytes that could not be found. Throws `storage-unavailable` when the bucket does not say twice the same: ask again later. */
export async function whatBecameOf(
  file: FileRecord,
  { bucket }: Pick<MissingBytesOptions, 'bucket'>,
): Promise<'missing' | 'other'> {
  // A bucket that is not there, or is not ours, refuses to be listed; of a version that is pinned the list says nothing.
  const listed = (await bucket.listKeys(file.objectKey)).includes(file.objectKey);
  const facts = await bucket.head(objectOf(file));
  if (facts === undefined && (!listed || file.objectVersionId !== null)) return 'missing';
  if (facts !== undefined && facts.etag !== file.objectEtag) return 'other';
  throw new FilesError('storage-unavailable', {
    detail:
      'The object storage says of the same bytes that they are there, and that they are not. Try again in a moment.',
    retryAfterSeconds: 5,
  });
}

/** Marks a file whose bytes are missing, and has them looked for again later. */
export async function markMissing(file: FileRecord, options: Omit<MissingBytesOptions, 'bucket'>): Promise<void> {
  const { files, limits, clock, log } = options;
  const nowMs = clock();
  if (file.missingSinceMs === null) {
    log.error('The bytes of an upload are missing from the bucket. They are looked for again.', {
      fileId: file.id,
      state: file.state,
      key: file.objectKey,
    });
  }
  const missingSinceMs = file.missingSinceMs ?? nowMs;
  await files.change(file, { missingSinceMs, reviewAtMs: nowMs + limits.missingReviewMs, updatedAtMs: nowMs });
}
