// What a request says about checksums: x-amz-checksum-<algorithm> headers, checksums announced for the trailer,
// x-amz-sdk-checksum-algorithm, Content-MD5, and the choice that CreateMultipartUpload and CopyObject make.
// Comparing with the bytes is for whoever reads them.

import { S3Error } from '../errors.ts';
import type { RequestHeaders } from '../request-parts.ts';
import {
  allowsChecksumType,
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumAlgorithmNames,
  checksumAlgorithms,
  defaultChecksumType,
  isChecksumAlgorithm,
} from './checksum-algorithms.ts';

/** The checksum that a body must have. */
export type RequestChecksum =
  | { readonly source: 'header'; readonly algorithm: ChecksumAlgorithm; readonly value: string }
  /** The value comes after the body, in the trailer that the algorithm's header names. */
  | { readonly source: 'trailer'; readonly algorithm: ChecksumAlgorithm };

/**
 * The one checksum that a request declares for its body; `undefined` when it declares none. `value` is base64.
 * With `composite`, the value of a completed multipart object (`…-<parts>`) is taken too.
 * @throws S3Error `InvalidRequest` for more than one checksum, a value that cannot be one, an algorithm that is not known,
 * or an algorithm announced by x-amz-sdk-checksum-algorithm for which no checksum comes.
 */
export function parseRequestChecksum(
  headers: RequestHeaders,
  options: { readonly composite?: boolean } = {},
): RequestChecksum | undefined {
  let declared: RequestChecksum | undefined;
  for (const name in headers) {
    if (!name.startsWith('x-amz-checksum-')) continue;
    const value = headers[name];
    if (value === undefined || otherHeaders.has(name)) continue;
    const algorithm = algorithmOfHeader.get(name);
    if (algorithm === undefined) throw new S3Error('InvalidRequest', `The checksum header ${name} is not known.`);
    if (declared !== undefined) throw severalChecksums();
    const digest = options.composite === true ? value.replace(/-\d{1,5}$/, '') : value;
    if (decodeChecksum(algorithm, digest) === undefined) {
      throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`);
    }
    declared = { source: 'header', algorithm, value };
  }
  const trailing = trailerAlgorithm(headers['x-amz-trailer']);
  if (trailing !== undefined) {
    if (declared !== undefined) throw severalChecksums();
    declared = { source: 'trailer', algorithm: trailing };
  }
  checkAnnounced(headers['x-amz-sdk-checksum-algorithm'], declared);
  return declared;
}

/** The raw bytes of a base64 checksum, or `undefined` when it cannot be one of that algorithm. */
function decodeChecksum(algorithm: ChecksumAlgorithm, base64: string): Uint8Array | undefined {
  return decodeBase64(base64, checksumAlgorithms[algorithm].lengthBytes);
}

/**
 * Content-MD5 as base64, checked for form; `undefined` when the header is not there.
 * @throws S3Error `InvalidDigest` when it is not the base64 of 16 bytes.
 */
export function parseContentMd5(headers: RequestHeaders): string | undefined {
  const value = headers['content-md5'];
  if (value === undefined) return undefined;
  if (decodeBase64(value.trim(), checksumAlgorithms.MD5.lengthBytes) === undefined) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.', {
      details: { 'Content-MD5': value },
    });
  }
  return value.trim();
}

/** How an upload in parts, or a copy, is to be checked. */
export interface ChecksumChoice {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
}

/**
 * What x-amz-checksum-algorithm and x-amz-checksum-type choose; `undefined` when nothing is chosen. Without a type, the
 * algorithm's default for multipart objects.
 * @throws S3Error `InvalidRequest` for an algorithm or type that is not known, or two that do not go together.
 */
export function parseChecksumChoice(headers: RequestHeaders): ChecksumChoice | undefined {
  const algorithm = headers['x-amz-checksum-algorithm']?.toUpperCase();
  const type = parseChecksumType(headers);
  if (algorithm === undefined || algorithm === '') {
    if (type === undefined) return undefined;
    throw new S3Error('InvalidRequest', 'x-amz-checksum-type needs x-amz-checksum-algorithm beside it.');
  }
  if (!isChecksumAlgorithm(algorithm)) throw unknownAlgorithm('x-amz-checksum-algorithm', algorithm);
  if (type !== undefined && !allowsChecksumType(algorithm, type)) {
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    );
  }
  return { algorithm, type: type ?? defaultChecksumType(algorithm) };
}

/** The x-amz-checksum-type header. @throws S3Error `InvalidRequest` for a type that is not known. */
export function parseChecksumType(headers: RequestHeaders): ChecksumType | undefined {
  const type = headers['x-amz-checksum-type']?.toUpperCase();
  if (type === undefined || type === '') return undefined;
  if (type === 'COMPOSITE' || type === 'FULL_OBJECT') return type;
  throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid: use COMPOSITE or FULL_OBJECT.');
}

const algorithmOfHeader: ReadonlyMap<string, ChecksumAlgorithm> = new Map(
  checksumAlgorithmNames.map((name) => [checksumAlgorithms[name].header, name]),
);

/** Headers that share the prefix but carry no value. */
const otherHeaders: ReadonlySet<string> = new Set([
  'x-amz-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-type',
]);

function trailerAlgorithm(trailer: string | undefined): ChecksumAlgorithm | undefined {
  if (trailer === undefined) return undefined;
  const names = trailer
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'x-amz-trailer-signature');
  if (names.length > 1) throw severalChecksums();
  const [name] = names;
  if (name === undefined) return undefined;
  const algorithm = algorithmOfHeader.get(name);
  if (algorithm === undefined) {
    throw new S3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported', {
      details: { ArgumentName: 'x-amz-trailer', ArgumentValue: trailer },
    });
  }
  return algorithm;
}

function checkAnnounced(announced: string | undefined, declared: RequestChecksum | undefined): void {
  if (announced === undefined || announced === '') return;
  const algorithm = announced.toUpperCase();
  if (!isChecksumAlgorithm(algorithm)) throw unknownAlgorithm('x-amz-sdk-checksum-algorithm', announced);
  if (declared === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  if (declared.algorithm !== algorithm) {
    throw new S3Error(
      'InvalidRequest',
      `x-amz-sdk-checksum-algorithm names ${algorithm}, but the checksum that came is ${declared.algorithm}.`,
    );
  }
}

/** Strict: Buffer's decoder skips what it does not know, so the text must be what the bytes encode to. */
function decodeBase64(text: string, lengthBytes: number): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === lengthBytes && bytes.toString('base64') === text ? bytes : undefined;
}

function severalChecksums(): S3Error {
  return new S3Error(
    'InvalidRequest',
    'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
  );
}

function unknownAlgorithm(header: string, value: string): S3Error {
  return new S3Error(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithmNames.join(', ')}]`,
    { details: { ArgumentName: header, ArgumentValue: value } },
  );
}
