// Moves an unfinished upload to where the bucket says it is. Everything else is a hint: a client's word, an event, the reply of
// a completion. Hints may come twice, late, in any order or never; what this function reads decides. Design §6, invariants 5, 6.

import type { Bucket, ObjectFacts } from '../bucket/bucket.ts';
import type { FileTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import { arrivalKey, type FileRecord } from '../file-record.ts';
import type { FileEvent } from './file-lifecycle.ts';
import { type FileMover, maxMoveAttempts } from './move-file.ts';
import { promote } from './promote.ts';

export interface ReconcileOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
  readonly keys: Pick<FileKeys, 'makePromoted'>;
  /** Larger files are not promoted here: a job of their own does it. */
  readonly maxPromotedBytes: number;
}

/**
 * Answers the row as it is then. Does nothing to a file that is past uploading. Throws `storage-unavailable` when the bucket
 * does not tell: then nothing was moved.
 */
export async function reconcile(file: FileRecord, options: ReconcileOptions): Promise<FileRecord> {
  let current = file;
  for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
    if (!isUploading(current)) return current;
    const event = await observe(current, options.bucket);
    if (event === undefined) return current;
    if (event === 'promote') {
      if (isLeftToJob(current, options)) return current;
      current = await promote(current, options);
      continue;
    }
    const moved = await options.mover.move(current, event);
    if (moved !== undefined && moved.state !== 'completing') return moved;
    const latest = moved ?? (await options.files.find(current.id));
    if (latest === undefined) return current;
    current = latest;
  }
  return current;
}

/** Whether the bytes are still on their way. */
export function isUploading(file: Pick<FileRecord, 'state'>): boolean {
  return file.state === 'pending' || file.state === 'uploading' || file.state === 'completing';
}

/** Whether all bytes have arrived and a job copies them to where they are judged. */
export function isLeftToJob(
  file: FileRecord,
  { maxPromotedBytes }: Pick<ReconcileOptions, 'maxPromotedBytes'>,
): boolean {
  return file.state === 'completing' && file.stagingKey !== null && file.sizeBytes > maxPromotedBytes;
}

/** What the bucket's answers mean for a file whose bytes are on their way; `undefined`: nothing new. */
async function observe(file: FileRecord, bucket: Bucket): Promise<FileEvent | 'promote' | undefined> {
  const key = arrivalKey(file);
  const newest = { key, versionId: null };
  const facts = await bucket.head(newest);
  if (facts !== undefined) return arrived(file, facts);
  if (file.multipartUploadId === null) {
    if (file.stagingKey === null || file.state !== 'completing') return undefined;
    // The copy may have come through, and what it was made from may be gone.
    return (await bucket.head({ key: file.objectKey, versionId: null })) === undefined
      ? { kind: 'join-failed' }
      : 'promote';
  }
  const parts = await bucket.listParts(key, file.multipartUploadId);
  if (parts !== undefined) {
    if (file.state === 'completing') return { kind: 'join-failed' };
    return file.state === 'pending' && parts.length > 0 ? { kind: 'parts-seen' } : undefined;
  }
  // The upload is gone: completed between the two questions, or aborted. Only the object tells which.
  const later = await bucket.head(newest);
  if (later !== undefined) return arrived(file, later);
  return { kind: 'aborted', reason: 'The bucket no longer holds this upload. Upload the file again.' };
}

function arrived(file: FileRecord, facts: ObjectFacts): FileEvent | 'promote' {
  if (file.stagingKey !== null) {
    if (facts.sizeBytes !== file.sizeBytes) {
      return {
        kind: 'aborted',
        reason: `The bucket holds ${facts.sizeBytes} bytes, but ${file.sizeBytes} were announced.`,
      };
    }
    return file.state === 'completing' ? 'promote' : { kind: 'join-started' };
  }
  if (file.sealedBy === 'version-id' && facts.versionId === undefined) {
    return {
      kind: 'aborted',
      reason:
        'The bucket no longer keeps versions, so the bytes could be exchanged after they were judged. Upload again.',
    };
  }
  return { kind: 'stored', facts };
}
