// UploadPartCopy: a range of an existing object becomes a part. Its bytes are read and written once more, because a part is
// a blob of its own.

import { type DigestAlgorithm, parseCopySourceRange, parsePartNumber, writeCopyPartDocument } from '@stowage/s3';
import type { BodyRange, BodyWriter, ObjectVersion, StagedBody } from '@stowage/store';
import { copySourceTooLarge, findCopySource } from '../copied-source.ts';
import type { EngineContext } from '../engine-context.ts';
import { findUpload } from '../found-upload.ts';
import type { Handler } from '../handler.ts';
import { queryValue } from '../query.ts';
import { readPieces } from '../read-pieces.ts';
import { documentResult } from '../result.ts';
import { fill } from '../stored-body.ts';
import { noSuchKey } from './get-object.ts';

export const uploadPartCopy: Handler = async (request, engine) => {
  const partNumber = parsePartNumber(queryValue(request.query, 'partNumber') ?? '');
  const upload = findUpload(request, engine);
  const source = findCopySource(request, engine);
  const whole = { start: 0, end: source.sizeBytes - 1 };
  const range = parseCopySourceRange(request.headers['x-amz-copy-source-range'], source.sizeBytes) ?? whole;
  const sizeBytes = range.end - range.start + 1;
  if (sizeBytes > engine.limits.copyBytes) throw copySourceTooLarge(engine.limits.copyBytes);
  const algorithm = upload.checksum?.algorithm;
  const digests: DigestAlgorithm[] = algorithm === undefined || algorithm === 'MD5' ? ['MD5'] : ['MD5', algorithm];
  const writer = engine.store.stageBody({
    bucket: request.bucket,
    sizeBytes,
    maxSizeBytes: engine.limits.copyBytes,
    digests,
  });
  await fill(writer, (sink) => copyBytes(source, range, sink, engine));
  const body = await writer.finish();
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

async function copyBytes(
  source: ObjectVersion,
  range: BodyRange,
  sink: BodyWriter,
  engine: EngineContext,
): Promise<void> {
  if (source.sizeBytes === 0) return;
  // The bytes of the version found, pinned: if it was overwritten since, the newer one is as good as if the request had
  // come a moment later, unless its size no longer holds the range.
  const object = engine.store.openObject(source);
  if (object === undefined) throw noSuchKey(source.key);
  try {
    parseCopySourceRange(`bytes=${range.start}-${range.end}`, object.version.sizeBytes);
    await readPieces(object, range, (bytes) => sink.write(bytes));
  } finally {
    object.close();
  }
}

function digestText(body: StagedBody, algorithm: DigestAlgorithm, encoding: 'hex' | 'base64'): string {
  const digest = body.digests.get(algorithm);
  if (digest === undefined) throw new Error(`The store did not compute ${algorithm}, which was asked for.`);
  return Buffer.from(digest).toString(encoding);
}
