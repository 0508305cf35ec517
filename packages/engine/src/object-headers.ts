// The headers that tell of an object: what GET, HEAD, PUT and the completion of an upload answer with.
// Spec: the response headers of GetObject, HeadObject and PutObject in the S3 API reference.

import { checksumAlgorithms, formatHttpDate, metadataHeaders, quoteEtag, type ResponseOverrides } from '@stowage/s3';
import type { ObjectChecksum, ObjectVersion } from '@stowage/store';

/** ETag, Last-Modified, metadata and storage class. Content-Length, ranges and checksums are for the caller to add. */
export function objectHeaders(version: ObjectVersion, overrides?: ResponseOverrides): string[] {
  const headers = metadataHeaders(version, overrides);
  headers.push(
    'etag',
    quoteEtag(version.etag),
    'last-modified',
    formatHttpDate(version.lastModifiedMs),
    'accept-ranges',
    'bytes',
  );
  // S3 "returns this header for all objects except for S3 Standard storage class objects".
  if (version.storageClass !== 'STANDARD') headers.push('x-amz-storage-class', version.storageClass);
  return headers;
}

export function checksumHeaders(checksum: ObjectChecksum | undefined): string[] {
  if (checksum === undefined) return [];
  return [checksumAlgorithms[checksum.algorithm].header, checksum.value, 'x-amz-checksum-type', checksum.type];
}
