// PutObject: one body becomes the current version of a key.

import { parseWriteConditions, quoteEtag, S3Error } from '@stowage/s3';
import type { ObjectChecksum, Precondition } from '@stowage/store';
import type { Handler } from '../handler.ts';
import { checksumHeaders } from '../object-headers.ts';
import { emptyResult } from '../result.ts';
import type { ReceivedHead } from '../s3-request.ts';
import { storeBody } from '../stored-body.ts';
import { uploadAttributes } from '../upload-attributes.ts';

export const putObject: Handler = async (request, engine) => {
  const precondition = writePrecondition(request);
  const attributes = uploadAttributes(request, ownerOf(request));
  const stored = await storeBody(request, engine);
  const checksum: ObjectChecksum | undefined =
    stored.checksum === undefined ? undefined : { ...stored.checksum, type: 'FULL_OBJECT' };
  const version = await engine.store.putObject({
    bucket: request.bucket,
    key: request.key,
    body: stored.staged,
    etag: stored.etag,
    attributes,
    ...(checksum === undefined ? {} : { checksum }),
    ...(precondition === undefined ? {} : { precondition }),
  });
  return emptyResult(200, ['etag', quoteEtag(version.etag), ...checksumHeaders(version.checksum)]);
};

/** If-Match and If-None-Match of a write. @throws S3Error `InvalidRequest` when both are there. */
export function writePrecondition(head: ReceivedHead): Precondition | undefined {
  const conditions = parseWriteConditions(head.headers);
  if (conditions?.ifMatch !== undefined && conditions.ifNoneMatch !== undefined) {
    throw new S3Error('InvalidRequest', 'Specify If-Match or If-None-Match, not both.');
  }
  return conditions;
}

/** Who owns what the request writes. @throws S3Error `AccessDenied` when nobody signed it. */
export function ownerOf(request: { readonly requester: { readonly id: string } | undefined }): string {
  if (request.requester === undefined) throw new S3Error('AccessDenied');
  return request.requester.id;
}
