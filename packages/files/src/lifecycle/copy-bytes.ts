// Has the bucket copy bytes to where they are judged: those of another file, or those that arrived elsewhere. No byte passes through
// here. What came of it is looked at like any upload: what HEAD says decides, and nothing of the source's verdict is taken over.

import type { FileRecord } from '../file-record.ts';
import { objectOf } from '../file-record.ts';
import { isUploading, type ReconcileOptions, reconcile } from './reconcile.ts';

/** Throws `storage-unavailable` when the bucket does not answer: to be tried again. */
export async function copyBytes(file: FileRecord, options: ReconcileOptions): Promise<void> {
  const { bucket, files, mover } = options;
  if (!isUploading(file)) return;
  const settled = await reconcile(file, options);
  if (!isUploading(settled) || file.copiedFrom === null) return;
  const source = await files.get({ tenantId: file.tenantId, id: file.copiedFrom });
  if (source?.state !== 'ready' || source.objectEtag === null) {
    await mover.move(settled, { kind: 'aborted', reason: 'The file that was to be copied is no longer there.' });
    return;
  }
  const { objectEtag: etag, sizeBytes } = source;
  const from = { ...objectOf(source), etag, sizeBytes };
  const outcome = await bucket.copy({ from, to: file.objectKey, contentType: file.declaredType });
  if (outcome === 'source-changed') {
    await mover.move(settled, { kind: 'aborted', reason: 'The file that was to be copied has changed in the bucket.' });
    return;
  }
  await reconcile(settled, options);
}
