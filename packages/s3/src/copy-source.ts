// The x-amz-copy-source header: `/bucket/key` or `bucket/key`, URL-encoded, with `?versionId=…` for one version.
// Access point ARNs are refused by name; they are not built.

import { S3Error } from './errors.ts';

/** What a copy reads. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** @throws S3Error `InvalidArgument` when the header does not name a bucket and a key, `NotImplemented` for ARNs. */
export function parseCopySource(header: string): CopySource {
  if (header.startsWith('arn:')) {
    throw new S3Error(
      'NotImplemented',
      'x-amz-copy-source names an access point ARN; only /bucket/key is implemented.',
    );
  }
  // A `?` of the key is encoded, so the first bare one begins the query.
  const question = header.indexOf('?');
  const path = question === -1 ? header : header.slice(0, question);
  const decoded = decode(path, header);
  const relative = decoded.startsWith('/') ? decoded.slice(1) : decoded;
  const slash = relative.indexOf('/');
  if (slash <= 0 || slash === relative.length - 1) throw invalidCopySource(header);
  const versionId = question === -1 ? undefined : versionOf(header.slice(question + 1), header);
  return {
    bucket: relative.slice(0, slash),
    key: relative.slice(slash + 1),
    ...(versionId === undefined ? {} : { versionId }),
  };
}

function versionOf(query: string, header: string): string {
  const [name, value = ''] = query.split('=', 2);
  if (name !== 'versionId' || value === '') throw invalidCopySource(header);
  return decode(value, header);
}

/** Header values hold one character per byte; a client that sends raw UTF-8 means the text. A `+` is a plus. */
function decode(text: string, header: string): string {
  try {
    const isAscii = /^[\x20-\x7e]*$/.test(text);
    return decodeURIComponent(isAscii ? text : utf8.decode(Buffer.from(text, 'latin1')));
  } catch (cause) {
    throw invalidCopySource(header, cause);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function invalidCopySource(header: string, cause?: unknown): S3Error {
  return new S3Error(
    'InvalidArgument',
    'Invalid copy source object: x-amz-copy-source must be /bucket/key, URL-encoded, and may end in ?versionId=id.',
    { details: { ArgumentName: 'x-amz-copy-source', ArgumentValue: header }, cause },
  );
}
