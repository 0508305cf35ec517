// Brings an upload to its end: the parts checked, the bucket asked to join them, and the bucket's HEAD believed. Safe to repeat
// and to do twice at the same time: of several completions one joins, and all of them see the object. Design §6, invariant 6.

import type { UploadedPart } from '@stowage/contract';
import type { FoundCapabilities } from '../bucket/capabilities.ts';
import { arrivalKey, type FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { maxMoveAttempts } from '../lifecycle/move-file.ts';
import { isLeftToJob, isUploading, type ReconcileOptions, reconcile } from '../lifecycle/reconcile.ts';
import { announcedOf } from './announced-checksum.ts';
import { partSize } from './part-plan.ts';

/** Parts that a refusal names; of more it says how many. */
const maxNamedParts = 20;

interface CompleteUploadOptions extends ReconcileOptions {
  /** What the endpoint was proven to do. */
  readonly capabilities: () => Promise<FoundCapabilities>;
}

/**
 * Answers the row as it is then, past uploading, or in `completing` when a job has to copy the bytes first. Throws `parts-missing`
 * when the bucket does not hold all bytes yet, `checksum-wrong` when they are others than were announced, and `storage-unavailable` when it does not tell; the upload can be completed
 * again after either.
 */
export async function completeUpload(file: FileRecord, options: CompleteUploadOptions): Promise<FileRecord> {
  let current = file;
  for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
    if (!isUploading(current) || isLeftToJob(current, options)) return current;
    current = await (current.strategy === 'multipart' ? join(current, options) : confirmSingle(current, options));
  }
  if (!isUploading(current) || isLeftToJob(current, options)) return current;
  throw new FilesError('storage-unavailable', {
    detail: 'The bucket did not join the parts. Complete again.',
    retryAfterSeconds: 1,
  });
}

async function confirmSingle(file: FileRecord, options: ReconcileOptions): Promise<FileRecord> {
  const settled = await reconcile(file, options);
  if (settled.state === 'pending' || settled.state === 'uploading')
    throw missing('The bucket does not hold the bytes yet. Send them, then complete again.');
  return settled;
}

/** One try. The answer may still be uploading: another request moved the row meanwhile, or the bucket has yet to join. */
async function join(file: FileRecord, options: CompleteUploadOptions): Promise<FileRecord> {
  const { bucket, files, mover } = options;
  const { multipartUploadId: uploadId } = file;
  if (uploadId === null) {
    const settled = await reconcile(file, options);
    if (isUploading(settled)) throw missing('No part was sent yet. Have parts signed, send them, then complete.');
    return settled;
  }
  if (file.state === 'completing') return reconcile(file, options);
  const parts = await bucket.listParts(arrivalKey(file), uploadId);
  if (parts === undefined) return reconcile(file, options);
  checkParts(file, parts);
  const joining = await mover.move(file, { kind: 'join-started' });
  if (joining === undefined) return (await files.find(file.id)) ?? file;
  let failure: unknown;
  try {
    const checksum = file.announcedAlgorithm === null ? undefined : announcedOf(file, await options.capabilities());
    if (!(await bucket.completeMultipart(arrivalKey(file), uploadId, parts, checksum))) failure = notAsAnnounced(file);
  } catch (error) {
    // A lost reply, a twin that was faster, a real refusal: the object itself tells.
    failure = error;
  }
  const settled = await reconcile(joining, options);
  if (!isUploading(settled)) return settled;
  if (failure !== undefined) throw failure;
  if (!isLeftToJob(settled, options)) return settled;
  return (await files.change(settled, {}, [{ kind: 'copy', dueAtMs: settled.updatedAtMs }])) ?? settled;
}

function checkParts(file: FileRecord, parts: readonly UploadedPart[]): void {
  const { partCount, partSizeBytes } = file;
  if (partCount === null || partSizeBytes === null) throw new Error(`File ${file.id} has parts and no plan of them.`);
  const sizes = new Map(parts.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]));
  const wrong: number[] = [];
  for (let partNumber = 1; partNumber <= partCount; partNumber++) {
    if (sizes.get(partNumber) !== partSize(file.sizeBytes, partSizeBytes, partNumber)) wrong.push(partNumber);
  }
  if (wrong.length === 0) return;
  const named = wrong.slice(0, maxNamedParts).join(', ') + (wrong.length > maxNamedParts ? ', …' : '');
  throw missing(
    `${wrong.length} of ${partCount} parts are missing or have a wrong size: ${named}. Send them, then complete again.`,
  );
}

function notAsAnnounced({ announcedAlgorithm, announcedValue }: FileRecord): FilesError {
  const expected = `${announcedAlgorithm ?? ''} ${announcedValue ?? ''}`.trim();
  return new FilesError('checksum-wrong', {
    detail: `The parts that the bucket holds do not have the checksum that was announced (${expected}). Send those that differ again, then complete again; or give the upload up and announce the file anew.`,
  });
}

function missing(detail: string): FilesError {
  return new FilesError('parts-missing', { detail });
}
