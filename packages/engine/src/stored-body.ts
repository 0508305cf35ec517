// Takes the bytes of an object or a part into the store, in one pass, and holds them against everything that was said of
// them: Content-MD5, x-amz-content-sha256, x-amz-checksum-* (header or trailer). Nothing is visible until the caller commits.
// Spec: "Checking object integrity" of the S3 user guide.

import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  type DigestAlgorithm,
  parseContentMd5,
  parseRequestChecksum,
  type RequestChecksum,
  type RequestHeaders,
  S3Error,
} from '@stowage/s3';
import type { BodyWriter, StagedBody } from '@stowage/store';
import type { EngineContext } from './engine-context.ts';
import type { Trailers } from './incoming-body.ts';
import { requireLength } from './open-body.ts';
import type { S3Request } from './s3-request.ts';

/** Bytes that hold what was said of them. They must be committed or discarded. */
interface StoredBody {
  readonly staged: StagedBody;
  /** MD5 in hex. */
  readonly etag: string;
  /** base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/**
 * @param fallback the checksum to compute when the request declares none. Default: none, the MD5 of the ETag aside. AWS
 * computes CRC64NVME then; on large bodies that would cost 40 % of the hashing speed, for a checksum nobody asked for.
 * @throws S3Error `EntityTooLarge`, `IncompleteBody`, `RequestTimeout`, `BadDigest`, `XAmzContentSHA256Mismatch`,
 * `InvalidDigest`, `InvalidRequest`, `MissingContentLength`.
 */
export async function storeBody(
  request: S3Request,
  engine: EngineContext,
  fallback?: ChecksumAlgorithm,
): Promise<StoredBody> {
  requireLength(request.headers);
  const claims = readClaims(request.headers, request.payload.kind === 'sha256' ? request.payload.text : undefined);
  const algorithm = claims.checksum?.algorithm ?? fallback;
  const maxSizeBytes = engine.limits.bodyBytes;
  const { sizeBytes } = request.body;
  if (sizeBytes !== undefined && sizeBytes > maxSizeBytes) throw entityTooLarge(sizeBytes, maxSizeBytes);
  const writer = engine.store.stageBody({
    bucket: request.bucket,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    maxSizeBytes,
    digests: digestsFor(claims, algorithm),
  });
  const trailers = await fill(writer, (sink) => request.body.deliver(sink));
  return finishBody(writer, claims, algorithm, trailers);
}

/** What a request says of its body. */
export interface BodyClaims {
  readonly contentMd5: string | undefined;
  /** Hex. */
  readonly sha256: string | undefined;
  readonly checksum: RequestChecksum | undefined;
}

export function readClaims(headers: RequestHeaders, sha256: string | undefined): BodyClaims {
  return { contentMd5: parseContentMd5(headers), sha256, checksum: parseRequestChecksum(headers) };
}

export function digestsFor(claims: BodyClaims, algorithm: ChecksumAlgorithm | undefined): DigestAlgorithm[] {
  const digests = new Set<DigestAlgorithm>(['MD5']);
  if (claims.sha256 !== undefined) digests.add('SHA256');
  if (algorithm !== undefined) digests.add(algorithm);
  return [...digests];
}

/** Runs `deliver` into the writer; when that fails, the writer gives up what it has. */
export async function fill<Delivered>(
  writer: BodyWriter,
  deliver: (writer: BodyWriter) => Promise<Delivered>,
): Promise<Delivered> {
  try {
    return await deliver(writer);
  } catch (cause) {
    await writer.discard();
    throw cause;
  }
}

/** Ends the writer and compares; when something differs, the bytes are given up. */
export async function finishBody(
  writer: BodyWriter,
  claims: BodyClaims,
  algorithm: ChecksumAlgorithm | undefined,
  trailers: Trailers,
): Promise<StoredBody> {
  const staged = await writer.finish();
  try {
    const md5 = digestOf(staged, 'MD5');
    if (claims.sha256 !== undefined) {
      const computed = digestOf(staged, 'SHA256').toString('hex');
      if (computed !== claims.sha256.toLowerCase()) throw sha256Mismatch(claims.sha256, computed);
    }
    if (claims.contentMd5 !== undefined && md5.toString('base64') !== claims.contentMd5) {
      throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
        details: { ExpectedDigest: claims.contentMd5, CalculatedDigest: md5.toString('base64') },
      });
    }
    return {
      staged,
      etag: md5.toString('hex'),
      checksum: compareChecksum(staged, claims.checksum, algorithm, trailers),
    };
  } catch (cause) {
    await staged.discard();
    throw cause;
  }
}

function compareChecksum(
  staged: StagedBody,
  declared: RequestChecksum | undefined,
  algorithm: ChecksumAlgorithm | undefined,
  trailers: Trailers,
): StoredBody['checksum'] {
  if (algorithm === undefined) return undefined;
  const value = digestOf(staged, algorithm).toString('base64');
  if (declared !== undefined) {
    const claimed =
      declared.source === 'header' ? declared.value : trailers.get(checksumAlgorithms[declared.algorithm].header);
    if (claimed !== value) throw checksumMismatch(algorithm, claimed, value);
  }
  return { algorithm, value };
}

function digestOf(staged: StagedBody, algorithm: DigestAlgorithm): Buffer {
  const digest = staged.digests.get(algorithm);
  if (digest === undefined) throw new Error(`The store did not compute ${algorithm}, which was asked for.`);
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength);
}

export function checksumMismatch(algorithm: ChecksumAlgorithm, claimed: string | undefined, computed: string): S3Error {
  return new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`, {
    details: { ExpectedDigest: claimed ?? '', CalculatedDigest: computed },
  });
}

export function sha256Mismatch(claimed: string, computed: string): S3Error {
  return new S3Error('XAmzContentSHA256Mismatch', undefined, {
    details: { ClientComputedContentSHA256: claimed, S3ComputedContentSHA256: computed },
  });
}

function entityTooLarge(sizeBytes: number, maxSizeBytes: number): S3Error {
  return new S3Error('EntityTooLarge', undefined, {
    details: { ProposedSize: String(sizeBytes), MaxSizeAllowed: String(maxSizeBytes) },
  });
}
