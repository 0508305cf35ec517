// Entity tags as S3 forms them: the MD5 of the bytes in hex, or for multipart objects the MD5 of the parts' MD5s and their
// number. Everywhere in this code an ETag is without its quotes; they are added where it is written.

import { createHash } from 'node:crypto';

/** `"…"`, as headers and documents carry it. */
export function quoteEtag(etag: string): string {
  return `"${etag}"`;
}

/** The tag without quotes and white space: clients send it either way, S3 takes both. */
export function unquoteEtag(text: string): string {
  const trimmed = text.trim();
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : trimmed;
}

/**
 * The ETag of an object completed from parts with these ETags (MD5 in hex, without quotes, in order of number). A part
 * whose ETag is no MD5 (encrypted under a customer's key) counts with the bytes of its text.
 */
export function multipartEtag(partEtags: readonly string[]): string {
  const digest = createHash('md5');
  for (const etag of partEtags) digest.update(etag, /^[0-9a-f]{32}$/.test(etag) ? 'hex' : 'utf8');
  return `${digest.digest('hex')}-${partEtags.length}`;
}
