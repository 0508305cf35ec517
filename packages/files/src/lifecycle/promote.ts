// Promotion: bytes that arrived under a key that a URL may write again are copied to a key that no URL can write, and only there
// are they judged and served. So it asks nothing of the endpoint but to copy; whether it honours a condition on the source does not
// matter (Ceph 16 does not), nor that two contents can share an ETag. Each try has a key of its own, and asks once: a copy
// that is carried out late lands where nothing is looked for. Design §6, invariant 1; decision 012.

import type { FileState } from '@stowage/contract';
import type { Bucket } from '../bucket/bucket.ts';
import type { FileTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FileMover } from './move-file.ts';

interface PromoteOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
  readonly keys: Pick<FileKeys, 'makePromoted'>;
}

/**
 * One try, for a file in `completing` whose bytes have arrived. Answers the row as it is then. Throws `storage-unavailable` when the
 * bucket does not tell what came of it: the next try finds out.
 */
export async function promote(file: FileRecord, { bucket, files, mover, keys }: PromoteOptions): Promise<FileRecord> {
  const { stagingKey } = file;
  if (file.state !== 'completing' || stagingKey === null) return file;
  const latest = async (): Promise<FileRecord> => (await files.find(file.id)) ?? file;

  // The try before may have come through without anybody hearing of it.
  const before = await bucket.head({ key: file.objectKey, versionId: null });
  if (before !== undefined) return (await mover.move(file, { kind: 'stored', facts: before })) ?? latest();

  const source = await bucket.head({ key: stagingKey, versionId: null });
  if (source === undefined) return latest();
  const objectKey = keys.makePromoted(file.objectKey, file.fence + 1);
  const current = await files.change(file, { objectKey });
  if (current === undefined) return latest();
  const { etag, sizeBytes, versionId = null } = source;
  const from = { key: stagingKey, versionId, etag, sizeBytes };
  const outcome = await bucket.copy({ from, to: objectKey, contentType: file.declaredType });
  if (outcome === 'source-changed') return current;
  const facts = await bucket.head({ key: objectKey, versionId: null });
  if (facts === undefined) {
    throw new FilesError('storage-unavailable', {
      detail: 'The bucket did not copy the bytes. Complete again.',
      retryAfterSeconds: 1,
    });
  }
  return (await mover.move(current, { kind: 'stored', facts })) ?? latest();
}

/** States in which the row may yet turn to a key that a try has just written. */
const choosesKey: ReadonlySet<FileState> = new Set(['pending', 'uploading', 'completing', 'uploaded', 'validating']);
/** States in which the bucket holds nothing for the row that anybody is to have. */
const isGivenUp: ReadonlySet<FileState> = new Set(['aborted', 'expired', 'purging', 'purged']);

interface RemoveStagedOptions {
  readonly bucket: Pick<Bucket, 'listKeys' | 'remove'>;
  readonly files: Pick<FileTable, 'find'>;
  readonly keys: Pick<FileKeys, 'promotedPrefix' | 'attemptOf' | 'isOurs'>;
}

/**
 * Removes what a promoted file left behind: where its bytes arrived, and what tries that were given up have copied. Of a file that may
 * yet turn to another key nothing is removed: whatever takes it on from there asks for it once more.
 */
export async function removeStaged(known: FileRecord, { bucket, files, keys }: RemoveStagedOptions): Promise<void> {
  if (known.stagingKey === null) return;
  const tries = await bucket.listKeys(keys.promotedPrefix(known.objectKey));
  // Read after the listing: what was written since is not in it, and what the row has turned to meanwhile is spared.
  const file = await files.find(known.id);
  if (file === undefined || file.stagingKey === null || choosesKey.has(file.state)) return;
  const givenUp = isGivenUp.has(file.state);
  const served = keys.attemptOf(file.objectKey);
  // A later try than that of the row is no work of this one: a comparison of bucket and database judges it when it is old.
  const left = tries.filter((key) => givenUp || keys.attemptOf(key) < served);
  for (const key of [file.stagingKey, ...left])
    if (keys.isOurs(key) && (givenUp || key !== file.objectKey)) await bucket.remove(key);
}
