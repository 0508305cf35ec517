// Has the bucket copy the bytes of a file to the key of a new one. No byte passes through here. The copy is then looked at like
// any upload: what HEAD says decides, and nothing of the source's verdict is taken over.

import type { Bucket } from './bucket/bucket.ts';
import type { FileTable } from './database/database.ts';
import type { FileRecord } from './file-record.ts';
import type { FileMover } from './move-file.ts';
import { isUploading, reconcile } from './reconcile.ts';

interface CopyBytesOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
}

/** Throws `storage-unavailable` when the bucket does not answer: to be tried again. */
export async function copyBytes(file: FileRecord, options: CopyBytesOptions): Promise<void> {
  const { bucket, files, mover } = options;
  if (file.copiedFrom === null || !isUploading(file)) return;
  const source = await files.get({ tenantId: file.tenantId, id: file.copiedFrom });
  if (source?.state !== 'ready' || source.objectEtag === null) {
    await mover.move(file, { kind: 'aborted', reason: 'The file that was to be copied is no longer there.' });
    return;
  }
  const settled = await reconcile(file, options);
  if (!isUploading(settled)) return;
  const outcome = await bucket.copy({
    from: {
      key: source.objectKey,
      etag: source.objectEtag,
      versionId: source.objectVersionId,
      sizeBytes: source.sizeBytes,
    },
    to: file.objectKey,
    contentType: file.declaredType,
  });
  if (outcome === 'source-changed') {
    await mover.move(settled, { kind: 'aborted', reason: 'The file that was to be copied has changed in the bucket.' });
    return;
  }
  await reconcile(settled, options);
}
