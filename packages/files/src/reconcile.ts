// Moves an unfinished upload to where the bucket says it is. Everything else is a hint: a client's word, an event, the reply of
// a completion. Hints may come twice, late, in any order or never; what this function reads decides. Design §6, invariants 5, 6.

import type { Bucket } from './bucket/bucket.ts';
import type { FileTable } from './database/database.ts';
import type { FileEvent } from './file-lifecycle.ts';
import type { FileRecord } from './file-record.ts';
import { type FileMover, maxMoveAttempts } from './move-file.ts';

export interface ReconcileOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
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
    const moved = await options.mover.move(current, event);
    if (moved !== undefined) return moved;
    const latest = await options.files.find(current.id);
    if (latest === undefined) return current;
    current = latest;
  }
  return current;
}

/** Whether the bytes are still on their way. */
export function isUploading(file: FileRecord): boolean {
  return file.state === 'pending' || file.state === 'uploading' || file.state === 'completing';
}

/** What the bucket's answers mean for a file whose bytes are on their way; `undefined`: nothing new. */
async function observe(file: FileRecord, bucket: Bucket): Promise<FileEvent | undefined> {
  const facts = await bucket.head(file.objectKey);
  if (facts !== undefined) return { kind: 'stored', facts };
  if (file.multipartUploadId === null) return undefined;

  const parts = await bucket.listParts(file.objectKey, file.multipartUploadId);
  if (parts !== undefined) {
    if (file.state === 'completing') return { kind: 'join-failed' };
    return file.state === 'pending' && parts.length > 0 ? { kind: 'parts-seen' } : undefined;
  }
  // The upload is gone: completed between the two questions, or aborted. Only the object tells which.
  const later = await bucket.head(file.objectKey);
  if (later !== undefined) return { kind: 'stored', facts: later };
  return { kind: 'aborted', reason: 'The bucket no longer holds this upload. Upload the file again.' };
}
