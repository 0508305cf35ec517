// Has the bucket copy bytes to where they are judged: those of another file, or those that arrived elsewhere. No byte passes through
// here. What came of it is looked at like any upload: what HEAD says decides, and nothing of the source's verdict is taken over.

import type { FileRecord } from '../file-record.ts';
import { objectOf } from '../file-record.ts';
import { maxMoveAttempts } from './move-file.ts';
import { isUploading, type ReconcileOptions, reconcile } from './reconcile.ts';

/** Throws `storage-unavailable` when the bucket does not answer: to be tried again. */
export async function copyBytes(file: FileRecord, options: ReconcileOptions): Promise<void> {
  const { bucket, files } = options;
  if (!isUploading(file)) return;
  const settled = await reconcile(file, options);
  if (!isUploading(settled) || file.copiedFrom === null) return;
  const source = await files.get({ tenantId: file.tenantId, id: file.copiedFrom });
  if (source?.state !== 'ready' || source.objectEtag === null) {
    return giveUp(settled, 'The file that was to be copied is no longer there.', options);
  }
  const { objectEtag: etag, sizeBytes } = source;
  const from = { ...objectOf(source), etag, sizeBytes };
  const outcome = await bucket.copy({ from, to: file.objectKey, contentType: file.declaredType });
  if (outcome === 'source-changed') {
    return giveUp(settled, 'The file that was to be copied has changed in the bucket.', options);
  }
  await reconcile(settled, options);
}

/** The worker may have put off the row's review meanwhile: that is no reason to leave it waiting for its deadline. */
async function giveUp(file: FileRecord, reason: string, { files, mover }: ReconcileOptions): Promise<void> {
  let current: FileRecord | undefined = file;
  for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
    if (current === undefined || !isUploading(current)) return;
    if ((await mover.move(current, { kind: 'aborted', reason })) !== undefined) return;
    current = await files.find(file.id);
  }
}
