// The preview of one ready file: made, written under its own key, and noted in the row. Safe to repeat from any point.

import type { Bucket } from '../bucket/bucket.ts';
import { isPreviewable } from '../content/content-rules.ts';
import type { FileTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import { type FileRecord, objectOf } from '../file-record.ts';
import { maxMoveAttempts } from '../lifecycle/move-file.ts';
import type { FilesLog } from '../log.ts';
import { type PreviewMaker, previewContentType } from './preview-maker.ts';

interface MakePreviewsOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly keys: FileKeys;
  readonly maker: PreviewMaker;
  readonly clock: () => number;
  readonly log: FilesLog;
  readonly onMove: (file: FileRecord) => void;
}

export async function makePreviews(file: FileRecord, options: MakePreviewsOptions): Promise<void> {
  const { bucket, keys, maker, log } = options;
  const { objectEtag: etag, objectKey } = file;
  if (file.state !== 'ready' || etag === null || file.previews.includes('thumbnail') || !isPreviewable(file)) return;
  const result = await maker.make({
    sizeBytes: file.sizeBytes,
    contentType: file.contentType,
    open: (signal) => bucket.read(objectOf(file), { etag, signal }),
  });
  if (result === undefined) return;
  if (!result.made) {
    log.info('No preview was made.', { fileId: file.id, reason: result.reason });
    return;
  }
  const previewKey = keys.makePreview(objectKey, 'thumbnail');
  // A taken key holds the same picture, written before a crash.
  await bucket.put(previewKey, result.picture, previewContentType);
  await note(file, previewKey, result.pixels, options);
}

async function note(
  file: FileRecord,
  previewKey: string,
  pixels: { readonly width: number; readonly height: number } | undefined,
  { files, bucket, clock, log, onMove }: MakePreviewsOptions,
): Promise<void> {
  for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
    const current = await files.find(file.id);
    if (current?.state !== 'ready' && current?.state !== 'trashed') {
      // It was purged meanwhile; the purge may have been before the picture was written.
      await bucket.remove(previewKey);
      return;
    }
    const changed = await files.change(current, { ...pixels, previews: ['thumbnail'], updatedAtMs: clock() });
    if (changed !== undefined) {
      onMove(changed);
      return;
    }
  }
  log.warn('The preview could not be noted: the row kept changing.', { fileId: file.id });
}
