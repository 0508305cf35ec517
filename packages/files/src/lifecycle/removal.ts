// Frees what a file holds in the bucket. Only keys that carry our MAC are ever touched, and a row is called purged only after
// the bucket said that nothing is left (design §6, invariants 4 and 8).

import { previewPresets } from '@stowage/contract';
import type { Bucket } from '../bucket/bucket.ts';
import type { FileTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import { arrivalKey, type FileRecord } from '../file-record.ts';
import type { Policies } from '../policies.ts';
import type { FileMover } from './move-file.ts';
import { removeStaged } from './promote.ts';

/** Versions of one file that are looked at: more than any policy keeps. */
const maxVersions = 10_000;

interface RemovalOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly keys: FileKeys;
  readonly mover: FileMover;
}

/** What an upload that ended without success holds now: parts, and the object if it came after all. */
export async function discardBytes(file: FileRecord, options: RemovalOptions): Promise<void> {
  if (file.state !== 'aborted' && file.state !== 'expired' && file.state !== 'purging') return;
  const { bucket } = options;
  requireOurs(file.objectKey, options);
  if (file.strategy === 'multipart') {
    // By name and by listing: a crash may have left one that the row does not know.
    const arrival = arrivalKey(file);
    requireOurs(arrival, options);
    if (file.multipartUploadId !== null) await bucket.abortMultipart(arrival, file.multipartUploadId);
    for (const { key, uploadId } of await bucket.listMultipart(arrival)) await bucket.abortMultipart(key, uploadId);
  }
  await removeStaged(file, options);
  await bucket.remove(file.objectKey);
}

/** Everything of a file in `purging`, then the row. Throws when the bucket still holds it: to be tried again. */
export async function purgeFile(file: FileRecord, options: RemovalOptions): Promise<void> {
  if (file.state !== 'purging') return;
  const { bucket, files, keys, mover } = options;
  if (file.role === 'current') {
    for (const version of await files.versions({ tenantId: file.tenantId, id: file.lineId }, maxVersions)) {
      if (version.id !== file.id) await purgeVersion(version, options);
    }
  }
  for (const preset of Object.keys(previewPresets) as (keyof typeof previewPresets)[]) {
    const previewKey = keys.makePreview(file.objectKey, preset);
    requireOurs(previewKey, options);
    await bucket.remove(previewKey);
  }
  await discardBytes(file, options);
  if ((await bucket.head({ key: file.objectKey, versionId: null })) !== undefined)
    throw new Error(`The object of file ${file.id} is still there.`);
  await mover.move(file, { kind: 'purged' });
}

/** A version whose file goes, or that is one too many. One that is still being judged goes when it was. */
async function purgeVersion(version: FileRecord, options: RemovalOptions): Promise<void> {
  const { mover } = options;
  let current = version;
  if (current.state === 'ready') current = (await mover.move(current, { kind: 'trashed', forGood: true })) ?? current;
  if (current.state !== 'purging' && current.state !== 'purged') {
    current = (await mover.move(current, { kind: 'purge-started', asked: true })) ?? current;
  }
  // Its own job removes the bytes, no sooner than the last URL that could write them again is dead.
}

/** Versions of a file beyond those that its policy keeps; all of them when the file went while they were being judged. */
export async function pruneVersions(
  file: FileRecord,
  { policies, ...options }: RemovalOptions & { readonly policies: Policies },
): Promise<void> {
  const line = { tenantId: file.tenantId, id: file.lineId };
  const current = await options.files.current(line);
  const isGone = current === undefined || current.state === 'purging' || current.state === 'purged';
  const keepVersions = isGone ? 0 : policies.of(file.category).keepVersions;
  const versions = await options.files.versions(line, maxVersions);
  const kept = versions.filter(({ role, state }) => role === 'version' && state === 'ready');
  for (const version of kept.slice(keepVersions)) await purgeVersion(version, options);
}

function requireOurs(key: string, { keys }: RemovalOptions): void {
  if (!keys.isOurs(key)) throw new Error('A key without a valid MAC was about to be removed. Was the secret changed?');
}
