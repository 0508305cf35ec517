// DeleteObjects: up to a thousand keys in one request, each with its own outcome. The deletes run side by side, so that
// the store can commit them together; one that fails does not keep the others from being done.

import {
  checkObjectKey,
  isS3Error,
  type ObjectToDelete,
  readDeleteObjectsDocument,
  S3Error,
  writeDeleteObjectsDocument,
} from '@stowage/s3';
import { isStoreError } from '@stowage/store';
import { readDocument } from '../document-body.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Handler } from '../handler.ts';
import { documentResult } from '../result.ts';
import { checkVersionId } from '../screen.ts';
import { explainRefusal } from '../store-refusals.ts';

export const deleteObjects: Handler = async (request, engine) => {
  const document = await readDocument(request, { maxBytes: engine.limits.deleteDocumentBytes, needsDigest: true });
  const { objects, quiet } = readDeleteObjectsDocument(document);
  const outcomes = await Promise.all(objects.map((object) => deleteOne(object, request.bucket, engine)));
  const deleted: { key: string; versionId?: string | undefined }[] = [];
  const errors: { key: string; versionId?: string | undefined; error: S3Error }[] = [];
  for (const [index, { key, versionId }] of objects.entries()) {
    const error = outcomes[index];
    if (error !== undefined) errors.push({ key, versionId, error });
    else if (!quiet) deleted.push({ key, versionId });
  }
  return documentResult(writeDeleteObjectsDocument({ deleted, errors }));
};

/** What went wrong, if anything did. */
async function deleteOne(object: ObjectToDelete, bucket: string, engine: EngineContext): Promise<S3Error | undefined> {
  const { key, versionId, conditions } = object;
  try {
    checkObjectKey(key);
    if (versionId !== undefined) checkVersionId(versionId);
    await engine.store.deleteObject({ bucket, key, ...(conditions === undefined ? {} : { precondition: conditions }) });
    return undefined;
  } catch (cause) {
    if (isS3Error(cause)) return cause;
    const error = isStoreError(cause) ? explainRefusal(cause) : new S3Error('InternalError', undefined, { cause });
    if (error.status >= 500)
      engine.log?.error('delete failed', { bucket, key, code: error.code, cause: String(cause) });
    return error;
  }
}
