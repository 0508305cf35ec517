// What an upload says of its object beside the bytes: metadata and storage class, from headers and, in a presigned URL,
// from the query (S3 takes `x-amz-meta-*` from there, and SDKs put it there).

import { parseObjectMetadata, parseStorageClass, type RequestHeaders, S3Error } from '@stowage/s3';
import type { ObjectAttributes } from '@stowage/store';
import type { ReceivedHead } from './s3-request.ts';

/** @throws S3Error `MetadataTooLarge`, `InvalidStorageClass`. */
export function uploadAttributes(head: ReceivedHead, owner: string): ObjectAttributes {
  const headers = head.query.length === 0 ? head.headers : withHoisted(head);
  return { ...parseObjectMetadata(headers), storageClass: parseStorageClass(headers), owner };
}

function withHoisted(head: ReceivedHead): RequestHeaders {
  let headers: Record<string, string | undefined> | undefined;
  for (const [name, value] of head.query) {
    const lower = name.toLowerCase();
    if (!isHoistable(lower) || head.headers[lower] !== undefined) continue;
    headers ??= { ...head.headers };
    headers[lower] = headerText(lower, value);
  }
  return headers ?? head.headers;
}

/**
 * Text as a header holds it: one character for each byte. It comes back as a header, so a line break in it would be header
 * injection. @throws S3Error `InvalidArgument`.
 */
export function headerText(name: string, text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(bytes)) return bytes;
  throw new S3Error('InvalidArgument', `${JSON.stringify(name)} holds what no header can have.`, {
    details: { ArgumentName: name },
  });
}

function isHoistable(name: string): boolean {
  return name.startsWith('x-amz-meta-') || name === 'x-amz-storage-class' || name === 'x-amz-website-redirect-location';
}
