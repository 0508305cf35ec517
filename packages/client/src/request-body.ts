// The body of a signed request: the bytes themselves, or a form around them that the bucket reads as far as the file.
// Spec: S3 POST Object; RFC 7578. The bytes are not read here: a Blob of Blobs refers to them.

import type { SignedRequest } from '@stowage/contract';

interface RequestBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Blob;
  /** Bytes of the body that stand before the file's own. */
  readonly leadingBytes: number;
}

export function requestBody({ headers, fields }: SignedRequest, bytes: Blob): RequestBody {
  if (fields === undefined) return { headers, body: bytes, leadingBytes: 0 };
  const boundary = `stowage-${crypto.randomUUID()}`;
  const delimiter = `--${boundary}\r\ncontent-disposition: form-data; name=`;
  const before = Object.entries(fields).map(([name, value]) => `${delimiter}"${fieldName(name)}"\r\n\r\n${value}\r\n`);
  // The bucket ignores whatever follows the file, and takes its type from the fields.
  const leading = new Blob([...before, `${delimiter}"file"; filename="file"\r\n\r\n`]);
  return {
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: new Blob([leading, bytes, `\r\n--${boundary}--\r\n`]),
    leadingBytes: leading.size,
  };
}

/** As browsers write names of fields (HTML: multipart/form-data encoding algorithm). */
function fieldName(name: string): string {
  return name.replace(/[\r\n"]/g, (character) => encodeURIComponent(character));
}
