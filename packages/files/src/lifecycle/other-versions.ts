// Where a bucket keeps versions, a URL that is used again writes one more version each time, as large as was signed, that no quota
// counts. The one that was judged is pinned and served; once no URL can write any more, all others of the key are removed, delete markers
// too: a hundred at a time, so that a file with very many keeps nobody else waiting. What is removed is the progress: it is safe
// to break off anywhere, to repeat, and to do twice at the same time. Design §6, invariant 1; seal `version-id`.

import type { FileState } from '@stowage/contract';
import type { Bucket } from '../bucket/bucket.ts';
import type { FileTable } from '../database/database.ts';
import type { Outbox } from '../database/work-tables.ts';
import type { FileKeys } from '../file-key.ts';
import { type FileRecord, objectOf } from '../file-record.ts';

/** Of one run, which holds one of the worker's places; Ceph takes up to 30 ms for each. */
const maxVersionsAtOnce = 100;

interface OtherVersionsOptions {
  readonly bucket: Pick<Bucket, 'head' | 'listVersions' | 'removeVersion'>;
  readonly files: Pick<FileTable, 'find'>;
  readonly keys: Pick<FileKeys, 'isOurs'>;
  readonly outbox: Pick<Outbox, 'add'>;
  readonly clock: () => number;
}

/**
 * States in which a version is pinned for good. Before them it may yet be another; after them nothing is kept, and the purge, which is not
 * due before the URLs are dead either, removes them all.
 */
const isPinned: ReadonlySet<FileState> = new Set([
  'scanning',
  'ready',
  'trashed',
  'rejected',
  'quarantined',
  'scan-failed',
]);

/** Does nothing to a file whose pinned version is missing: what is left of it may be all there is, and is for people to look at. */
export async function removeOtherVersions(known: FileRecord, options: OtherVersionsOptions): Promise<void> {
  const { bucket, files, keys, outbox, clock } = options;
  if (known.objectVersionId === null) return;
  const { versions, more } = await bucket.listVersions(known.objectKey, maxVersionsAtOnce);
  // Read after the listing: what the row names now is spared.
  const file = await files.find(known.id);
  if (file === undefined || !isPinned.has(file.state) || file.objectVersionId === null) return;
  if (file.objectKey !== known.objectKey || !keys.isOurs(file.objectKey)) return;
  const isListed = versions.some(({ versionId }) => versionId === file.objectVersionId);
  // What is listed without an id is another only where the pinned one is listed beside it.
  const others = versions.filter(
    ({ versionId }) => versionId !== file.objectVersionId && (versionId !== null || isListed),
  );
  if (others.length === 0) return;
  if ((await bucket.head(objectOf(file))) === undefined) return;
  for (const { key, versionId } of others) await bucket.removeVersion({ key, versionId });
  // Behind whatever else is due.
  if (more) await outbox.add(file.id, { kind: 'unversion', dueAtMs: clock() });
}
