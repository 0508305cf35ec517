// CompleteMultipartUpload: the named parts become one object, at once and without copying. Completing is fast, so nothing
// is sent to keep the connection alive, and an error is always an error status, never a 200 with an error inside.

import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  type CompletedPart as NamedPart,
  parseChecksumType,
  parseRequestChecksum,
  quoteEtag,
  readCompleteMultipartUploadDocument,
  S3Error,
  writeCompleteMultipartUploadDocument,
} from '@stowage/s3';
import type { CompletedPart, MultipartUpload } from '@stowage/store';
import { readDocument } from '../document-body.ts';
import type { EngineContext } from '../engine-context.ts';
import { uploadAddress } from '../found-upload.ts';
import type { Handler } from '../handler.ts';
import { documentResult } from '../result.ts';
import type { S3Request } from '../s3-request.ts';
import { writePrecondition } from './put-object.ts';

export const completeMultipartUpload: Handler = async (request, engine) => {
  const precondition = writePrecondition(request);
  const document = await readDocument(request, {
    maxBytes: engine.limits.completeDocumentBytes,
    checksumIsOfObject: true,
  });
  const named = readCompleteMultipartUploadDocument(document);
  const address = uploadAddress(request);
  // Undefined when it was completed before: the store knows whether this is the same completion asked for again.
  const upload = engine.store.getUpload(address);
  const parts = named.map((part) => namedPart(part, upload));
  const checksum = claimedChecksum(request, upload);
  if (upload !== undefined) checkObjectSize(request, upload, parts, engine);
  const version = await engine.store.completeUpload({
    ...address,
    parts,
    minPartSizeBytes: engine.limits.minPartBytes,
    maxSizeBytes: engine.limits.objectBytes,
    ...(checksum === undefined ? {} : { checksum }),
    ...(precondition === undefined ? {} : { precondition }),
  });
  const location = `${request.origin}${request.rawPath}`;
  return documentResult(writeCompleteMultipartUploadDocument({ ...version, location }), [
    'etag',
    quoteEtag(version.etag),
  ]);
};

function namedPart(part: NamedPart, upload: MultipartUpload | undefined): CompletedPart {
  const { partNumber, etag, checksums } = part;
  const algorithm = upload?.checksum?.algorithm;
  const checksum = algorithm === undefined ? undefined : checksums[algorithm];
  return { partNumber, etag, ...(checksum === undefined ? {} : { checksum }) };
}

/** The object's checksum as the client has it, without `-<parts>`. @throws S3Error `InvalidRequest`, `BadDigest`. */
function claimedChecksum(request: S3Request, upload: MultipartUpload | undefined): string | undefined {
  const type = parseChecksumType(request.headers);
  const declared = parseRequestChecksum(request.headers, { composite: true });
  const begun = upload?.checksum;
  if (type !== undefined && begun !== undefined && type !== begun.type) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${begun.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  if (declared === undefined || declared.source === 'trailer') return undefined;
  if (upload !== undefined && declared.algorithm !== begun?.algorithm)
    throw otherAlgorithm(begun?.algorithm, declared.algorithm);
  return declared.value.replace(/-\d+$/, '');
}

function otherAlgorithm(begun: ChecksumAlgorithm | undefined, declared: ChecksumAlgorithm): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The upload was created with ${begun ?? 'no checksum'}; ${checksumAlgorithms[declared].header} cannot be checked.`,
  );
}

/** `x-amz-mp-object-size`: "The expected total object size of the multipart upload request." */
function checkObjectSize(
  request: S3Request,
  upload: MultipartUpload,
  parts: readonly CompletedPart[],
  engine: EngineContext,
): void {
  const text = request.headers['x-amz-mp-object-size'];
  if (text === undefined) return;
  if (!/^\d{1,15}$/.test(text)) {
    throw new S3Error(
      'InvalidRequest',
      'Value for x-amz-mp-object-size header is invalid: a number of bytes is expected.',
    );
  }
  const sizes = new Map<number, number>();
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = engine.store.listParts({ ...upload, after, limit: engine.limits.pageKeys });
    for (const part of page.parts) sizes.set(part.partNumber, part.sizeBytes);
    after = page.next;
  }
  const total = parts.reduce((sum, part) => sum + (sizes.get(part.partNumber) ?? 0), 0);
  if (total !== Number(text)) {
    throw new S3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${text} does not match what was computed: ${total}`,
    );
  }
}
