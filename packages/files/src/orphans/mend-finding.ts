// Looks at one suspicion once more, at the object and at the row as they are now, and mends it. The row is read last: bytes go only
// after a row has left `ready` and `trashed` for good, so a row that is still there vouches that they ought to be. Keys are never used
// twice: what no row needs now, none will. Design §6, invariants 4 and 6.

import type { Bucket } from '../bucket/bucket.ts';
import type { FileTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import { type FileRecord, objectOf } from '../file-record.ts';
import type { FilesLimits } from '../limits.ts';
import { differenceOf, judgeUnclaimed, mustHaveBytes } from './judge-objects.ts';
import { isNeeded } from './judge-uploads.ts';
import type { Finding } from './reconcile-record.ts';

export interface MendOptions {
  readonly bucket: Pick<Bucket, 'head' | 'remove' | 'removeVersion' | 'abortMultipart' | 'listParts'>;
  readonly files: Pick<FileTable, 'find' | 'change'>;
  readonly keys: FileKeys;
  readonly clock: () => number;
  readonly limits: Pick<FilesLimits, 'missingReviewMs' | 'urlLifeMs'>;
}

/** Tries to mark a row that changes at the same time. */
const maxTries = 8;

/** Whether it is still as it was found. Throws `storage-unavailable`. */
export async function stillHolds(finding: Finding, options: MendOptions): Promise<boolean> {
  switch (finding.kind) {
    case 'bytes-missing':
    case 'bytes-differ':
    case 'bytes-back':
      return (await fileToMark(finding, options)) !== undefined;
    case 'bytes-unowned':
    case 'leftover':
    case 'preview-unowned':
    case 'probe-left': {
      const { key, versionId } = finding;
      return (await options.bucket.head({ key, versionId })) !== undefined && (await isUnneeded(finding, options));
    }
    case 'version-superseded': {
      const { key, versionId } = finding;
      if ((await options.bucket.head({ key, versionId })) === undefined) return false;
      const file = await findFile(finding, options);
      return (
        file !== undefined &&
        mustHaveBytes(file) &&
        file.objectKey === key &&
        file.objectVersionId !== null &&
        file.objectVersionId !== versionId
      );
    }
    case 'upload-dead': {
      const { key, uploadId } = finding;
      if (uploadId === null || options.keys.read(key) === undefined) return false;
      if ((await options.bucket.listParts(key, uploadId)) === undefined) return false;
      return !isNeeded({ key, uploadId }, await findFile(finding, options));
    }
    case 'object-foreign':
    case 'upload-foreign':
      return true;
  }
}

/** Mends it if it still holds. Throws when it cannot be: then nothing, or not all, was done, and it is safe to try again. */
export async function mend(finding: Finding, options: MendOptions): Promise<'mended' | 'gone'> {
  if (!(await stillHolds(finding, options))) return 'gone';
  const { bucket } = options;
  const { key, versionId, uploadId } = finding;
  switch (finding.kind) {
    case 'bytes-missing':
    case 'bytes-differ':
    case 'bytes-back':
      return mark(finding, options);
    case 'bytes-unowned':
    case 'leftover':
    case 'preview-unowned':
    case 'probe-left':
      await bucket.remove(key);
      if ((await bucket.head({ key, versionId })) === undefined) return 'mended';
      throw new Error('The object is still there.');
    case 'version-superseded':
      if (versionId === null) return 'gone';
      await bucket.removeVersion({ key, versionId });
      return 'mended';
    case 'upload-dead':
      if (uploadId === null) return 'gone';
      await bucket.abortMultipart(key, uploadId);
      return 'mended';
    case 'object-foreign':
    case 'upload-foreign':
      throw new Error(`Nothing is ever done about ${finding.kind}.`);
  }
}

/** Looks whether the bytes of a marked file are back, and lets it be fetched again; else looks again later. */
export async function lookForBytes(file: FileRecord, options: Omit<MendOptions, 'keys'>): Promise<void> {
  const { bucket, files, clock, limits } = options;
  const facts = await bucket.head(objectOf(file));
  const back = facts !== undefined && differenceOf(file, facts) === undefined;
  const changes = back
    ? { missingSinceMs: null, reviewAtMs: null, updatedAtMs: clock() }
    : { reviewAtMs: clock() + limits.missingReviewMs };
  await files.change(file, changes);
}

/** The row whose bytes are as the finding says. */
async function fileToMark(finding: Finding, options: MendOptions): Promise<FileRecord | undefined> {
  const { bucket, files } = options;
  const { key, versionId, fileId } = finding;
  const facts = await bucket.head({ key, versionId });
  const file = fileId === null ? undefined : await files.find(fileId);
  if (file === undefined || !mustHaveBytes(file)) return undefined;
  if (file.objectKey !== key || file.objectVersionId !== versionId) return undefined;
  const seen =
    facts === undefined ? 'bytes-missing' : differenceOf(file, facts) === undefined ? 'bytes-back' : 'bytes-differ';
  if (seen !== finding.kind || (seen === 'bytes-back' && file.missingSinceMs === null)) return undefined;
  return file;
}

async function mark(finding: Finding, options: MendOptions): Promise<'mended' | 'gone'> {
  const { files, clock, limits } = options;
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const file = await fileToMark(finding, options);
    if (file === undefined) return 'gone';
    // Bytes that nobody judged are as good as none: what was promised is missing.
    const isMissing = finding.kind !== 'bytes-back';
    if (isMissing && file.missingSinceMs !== null) return 'mended';
    const nowMs = clock();
    // One in the trash is looked at when its time there is over; one that is ready, until its bytes are back.
    const review = file.state === 'trashed' ? {} : { reviewAtMs: isMissing ? nowMs + limits.missingReviewMs : null };
    const changes = { missingSinceMs: isMissing ? nowMs : null, ...review, updatedAtMs: nowMs };
    if ((await files.change(file, changes)) !== undefined) return 'mended';
  }
  throw new Error('The file is changing too fast.');
}

/** Whether the key is ours, and no row needs what lies there. */
async function isUnneeded(finding: Finding, options: MendOptions): Promise<boolean> {
  const { keys, clock, limits } = options;
  const own = keys.read(finding.key);
  if (own === undefined) return false;
  const file = own.fileId === '' ? undefined : await options.files.find(own.fileId);
  const signedBeforeMs = clock() - limits.urlLifeMs;
  return judgeUnclaimed(finding.key, own, file, { keys, signedBeforeMs }) === finding.kind;
}

async function findFile({ fileId }: Finding, { files }: MendOptions): Promise<FileRecord | undefined> {
  return fileId === null ? undefined : files.find(fileId);
}
