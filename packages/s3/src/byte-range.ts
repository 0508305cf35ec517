// Byte ranges: RFC 9110 section 14, as S3 serves them. One range only: a list of ranges, another unit or a malformed header
// is ignored and the whole object is sent (RFC 9110, 14.2: "A server MAY ignore the Range header field").
// UploadPartCopy's x-amz-copy-source-range is stricter: both ends must be named and lie within the source.

import { S3Error } from './errors.ts';

/** Zero-based, both ends inclusive, never empty, within the object. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a Range header asks of an object of `sizeBytes`, clamped to it. `undefined`: send the whole object.
 * @throws S3Error `InvalidRange` (416) when no byte of the range is there; an empty object has none at all.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes[ \t]*=[ \t]*(\d*)[ \t]*-[ \t]*(\d*)[ \t]*$/i.exec(header);
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const suffixBytes = Math.min(Number(last), sizeBytes);
    if (suffixBytes === 0) throw rangeNotSatisfiable(header, sizeBytes);
    return { start: sizeBytes - suffixBytes, end: sizeBytes - 1 };
  }
  const start = Number(first);
  // "An int-range is invalid if the last-pos value is present and less than first-pos": an invalid header is ignored.
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) throw rangeNotSatisfiable(header, sizeBytes);
  return { start, end: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}

/**
 * What x-amz-copy-source-range asks of a source of `sizeBytes`. `undefined`: the header is not there.
 * @throws S3Error `InvalidArgument` when it is not `bytes=first-last`, `InvalidRange` when the source is shorter.
 */
export function parseCopySourceRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || end < start) {
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      { details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header } },
    );
  }
  if (end >= sizeBytes) throw rangeNotSatisfiable(header, sizeBytes);
  return { start, end };
}

/** The Content-Range header of an answer with status 206. */
export function formatContentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.end}/${sizeBytes}`;
}

function rangeNotSatisfiable(header: string, sizeBytes: number): S3Error {
  return new S3Error('InvalidRange', undefined, {
    details: { RangeRequested: header, ActualObjectSize: String(sizeBytes) },
  });
}
