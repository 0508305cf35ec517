// UploadPartCopy: a range of an existing object becomes a part. Its bytes are read and written once more, because a part is
// a blob of its own.

import {
  type ChecksumAlgorithm,
  type DigestAlgorithm,
  parseCopySourceRange,
  parsePartNumber,
  writeCopyPartDocument,
} from '@stowage/s3';
import type { OpenObject, StagedBody } from '@stowage/store';
import { copySourceTooLarge, openCopySource } from '../copied-source.ts';
import type { EngineContext } from '../engine-context.ts';
import { findUpload } from '../found-upload.ts';
import type { Handler } from '../handler.ts';
import { queryValue } from '../query.ts';
import { readPieces } from '../read-pieces.ts';
import { documentResult } from '../result.ts';
import type { S3Request } from '../s3-request.ts';
import { fill } from '../stored-body.ts';

export const uploadPartCopy: Handler = async (request, engine) => {
  const partNumber = parsePartNumber(queryValue(request.query, 'partNumber') ?? '');
  const upload = findUpload(request, engine);
  const algorithm = upload.checksum?.algorithm;
  const source = openCopySource(request, engine);
  const body = await stageRange(request, engine, source, algorithm).finally(() => source.close());
  const value = algorithm === undefined ? undefined : digestText(body, algorithm, 'base64');
  const part = await engine.store.putPart({
    bucket: request.bucket,
    key: request.key,
    uploadId: upload.uploadId,
    partNumber,
    body,
    etag: digestText(body, 'MD5', 'hex'),
    ...(value === undefined ? {} : { checksum: value }),
  });
  return documentResult(
    writeCopyPartDocument({
      etag: part.etag,
      lastModifiedMs: part.lastModifiedMs,
      checksum: algorithm === undefined || value === undefined ? undefined : { algorithm, value },
    }),
  );
};

/** The bytes that the request names of its source, staged and hashed. */
async function stageRange(
  request: S3Request,
  engine: EngineContext,
  source: OpenObject,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<StagedBody> {
  const objectBytes = source.version.sizeBytes;
  const whole = { start: 0, end: objectBytes - 1 };
  const range = parseCopySourceRange(request.headers['x-amz-copy-source-range'], objectBytes) ?? whole;
  const sizeBytes = range.end - range.start + 1;
  const maxSizeBytes = engine.limits.copyBytes;
  if (sizeBytes > maxSizeBytes) throw copySourceTooLarge(maxSizeBytes);
  const digests: DigestAlgorithm[] = algorithm === undefined || algorithm === 'MD5' ? ['MD5'] : ['MD5', algorithm];
  const writer = engine.store.stageBody({ bucket: request.bucket, sizeBytes, maxSizeBytes, digests });
  if (sizeBytes > 0) await fill(writer, (sink) => readPieces(source, range, (bytes) => sink.write(bytes)));
  return writer.finish();
}

function digestText(body: StagedBody, algorithm: DigestAlgorithm, encoding: 'hex' | 'base64'): string {
  const digest = body.digests.get(algorithm);
  if (digest === undefined) throw new Error(`The store did not compute ${algorithm}, which was asked for.`);
  return Buffer.from(digest).toString(encoding);
}
