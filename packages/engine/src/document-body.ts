// Reads an XML document from a request's body into memory, within a limit, and holds it against the digests that came
// with it: whoever changes what is asked for must not go unnoticed.

import { hash } from 'node:crypto';
import { checksumAlgorithms, createDigest, parseContentMd5, parseRequestChecksum, S3Error } from '@stowage/s3';
import type { Trailers } from './incoming-body.ts';
import type { S3Request } from './s3-request.ts';
import { checksumMismatch, sha256Mismatch } from './stored-body.ts';

interface ReadDocumentOptions {
  readonly maxBytes: number;
  /** Content-MD5 or a checksum must be there: `InvalidRequest` without. */
  readonly needsDigest?: boolean;
  /** The x-amz-checksum-* headers speak of an object, not of this document. */
  readonly checksumIsOfObject?: boolean;
}

/** @throws S3Error `MaxMessageLengthExceeded`, `BadDigest`, `InvalidDigest`, `XAmzContentSHA256Mismatch`, `InvalidRequest`. */
export async function readDocument(request: S3Request, options: ReadDocumentOptions): Promise<Buffer> {
  const { headers, payload } = request;
  const contentMd5 = parseContentMd5(headers);
  const declared = options.checksumIsOfObject === true ? undefined : parseRequestChecksum(headers);
  if (options.needsDigest === true && contentMd5 === undefined && declared === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 or x-amz-checksum-*');
  }
  const { bytes, trailers } = await request.body.collect(options.maxBytes);
  if (payload.kind === 'sha256') {
    const computed = hash('sha256', bytes, 'hex');
    if (computed !== payload.text.toLowerCase()) throw sha256Mismatch(payload.text, computed);
  }
  if (contentMd5 !== undefined) {
    const computed = hash('md5', bytes, 'base64');
    if (computed !== contentMd5) throw new S3Error('BadDigest');
  }
  if (declared !== undefined) {
    const claimed = declared.source === 'header' ? declared.value : claimedInTrailer(declared.algorithm, trailers);
    const digest = createDigest(declared.algorithm);
    digest.update(bytes);
    const computed = Buffer.from(digest.digest()).toString('base64');
    if (computed !== claimed) throw checksumMismatch(declared.algorithm, claimed, computed);
  }
  return bytes;
}

function claimedInTrailer(algorithm: keyof typeof checksumAlgorithms, trailers: Trailers): string | undefined {
  return trailers.get(checksumAlgorithms[algorithm].header);
}
