// UploadPart: one body becomes a part of an unfinished upload; a part of the same number is replaced.

import { checksumAlgorithms, parsePartNumber, parseRequestChecksum, quoteEtag, S3Error } from '@stowage/s3';
import type { MultipartUpload } from '@stowage/store';
import { findUpload } from '../found-upload.ts';
import type { Handler } from '../handler.ts';
import { queryValue } from '../query.ts';
import { emptyResult } from '../result.ts';
import type { S3Request } from '../s3-request.ts';
import { storeBody } from '../stored-body.ts';

export const uploadPart: Handler = async (request, engine) => {
  const partNumber = parsePartNumber(queryValue(request.query, 'partNumber') ?? '');
  const upload = findUpload(request, engine);
  checkAlgorithm(request, upload);
  const stored = await storeBody(request, engine, upload.checksum?.algorithm);
  const { checksum } = stored;
  const part = await engine.store.putPart({
    bucket: request.bucket,
    key: request.key,
    uploadId: upload.uploadId,
    partNumber,
    body: stored.staged,
    etag: stored.etag,
    ...(checksum === undefined || upload.checksum === undefined ? {} : { checksum: checksum.value }),
  });
  const headers = ['etag', quoteEtag(part.etag)];
  if (checksum !== undefined) headers.push(checksumAlgorithms[checksum.algorithm].header, checksum.value);
  return emptyResult(200, headers);
};

/** A part may be checked only with what its upload was begun with; an upload begun with nothing takes anything. */
function checkAlgorithm(request: S3Request, upload: MultipartUpload): void {
  const declared = parseRequestChecksum(request.headers);
  if (declared === undefined || upload.checksum === undefined || declared.algorithm === upload.checksum.algorithm)
    return;
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksum.algorithm.toLowerCase()}, actual checksum Type: ${declared.algorithm.toLowerCase()}`,
  );
}
