// The bucket of the file service, read beside it through S3: every version and delete marker, every unfinished upload, every byte.
// Tests break it by hand through the same client.

import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { createDigest, type DigestAlgorithm } from '@stowage/s3';

interface ProofBucketSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The endpoint's clock. Default `Date.now`. */
  readonly clock?: () => number;
}

export interface StoredVersion {
  readonly key: string;
  /** `null` where the bucket keeps no versions. */
  readonly versionId: string | null;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
}

/** What a GET answered. */
export interface StoredBytes {
  readonly etag: string;
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** Those that were asked for, in that order, as S3 writes them. */
  readonly checksums: readonly string[];
}

/** A checksum to be made of the bytes as they come. */
export interface WantedChecksum {
  readonly algorithm: DigestAlgorithm;
  /** Of the checksums of parts so large; `null`: of the whole. */
  readonly ofPartsBytes: number | null;
}

export interface ProofBucket {
  readonly name: string;
  readonly client: S3Client;
  versions(prefix: string): Promise<readonly StoredVersion[]>;
  uploads(prefix: string): Promise<readonly { readonly key: string; readonly uploadId: string }[]>;
  /** `undefined` when there is no such object. */
  get(key: string, versionId: string | null, wanted?: readonly WantedChecksum[]): Promise<StoredBytes | undefined>;
  close(): void;
}

/** Pages of one listing: a bucket that needs more is no test's. */
const maxPages = 10_000;

export function openProofBucket({
  endpoint,
  region,
  bucket,
  credentials,
  clock = Date.now,
}: ProofBucketSettings): ProofBucket {
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  // The endpoint may live in another time; each request is signed for it.
  client.middlewareStack.add(
    (next) => (args) => {
      client.config.systemClockOffset = clock() - Date.now();
      return next(args);
    },
    { step: 'initialize', name: 'clock-of-the-endpoint' },
  );

  return {
    name: bucket,
    client,

    versions: async (prefix) => {
      const found: StoredVersion[] = [];
      let markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = {};
      for (let page = 0; page < maxPages; page++) {
        const listed = await client
          .send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...markers }))
          .catch(emptyWithoutBucket);
        for (const { Key = '', VersionId, IsLatest = false } of listed.Versions ?? []) {
          found.push({ key: Key, versionId: versionIdOf(VersionId), isLatest: IsLatest, isDeleteMarker: false });
        }
        for (const { Key = '', VersionId, IsLatest = false } of listed.DeleteMarkers ?? []) {
          found.push({ key: Key, versionId: versionIdOf(VersionId), isLatest: IsLatest, isDeleteMarker: true });
        }
        if (listed.IsTruncated !== true) return found;
        markers = {
          ...(listed.NextKeyMarker === undefined ? {} : { KeyMarker: listed.NextKeyMarker }),
          ...(listed.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: listed.NextVersionIdMarker }),
        };
      }
      throw new Error(`The versions below ${prefix} did not end within ${maxPages} pages.`);
    },

    uploads: async (prefix) => {
      const found: { key: string; uploadId: string }[] = [];
      let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
      for (let page = 0; page < maxPages; page++) {
        const listed = await client
          .send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }))
          .catch(emptyWithoutBucket);
        for (const { Key = '', UploadId = '' } of listed.Uploads ?? []) found.push({ key: Key, uploadId: UploadId });
        if (listed.IsTruncated !== true) return found;
        markers = {
          ...(listed.NextKeyMarker === undefined ? {} : { KeyMarker: listed.NextKeyMarker }),
          ...(listed.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: listed.NextUploadIdMarker }),
        };
      }
      throw new Error(`The uploads below ${prefix} did not end within ${maxPages} pages.`);
    },

    get: async (key, versionId, wanted = []) => {
      try {
        const answer = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key, ...(versionId === null ? {} : { VersionId: versionId }) }),
        );
        const sha256 = createDigest('SHA256');
        const checksums = wanted.map(beginChecksum);
        let sizeBytes = 0;
        for await (const chunk of chunksOf(answer.Body)) {
          sha256.update(chunk);
          for (const checksum of checksums) checksum.update(chunk);
          sizeBytes += chunk.byteLength;
        }
        return {
          etag: answer.ETag ?? '',
          sizeBytes,
          sha256: Buffer.from(sha256.digest()).toString('hex'),
          checksums: checksums.map((checksum) => checksum.value()),
        };
      } catch (error) {
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
        throw error;
      }
    },

    close: () => client.destroy(),
  };
}

/** Of the whole, or, as S3 writes it of parts, the digest of their digests with their number after it. */
function beginChecksum({ algorithm, ofPartsBytes }: WantedChecksum): {
  update(chunk: Uint8Array): void;
  value(): string;
} {
  const whole = createDigest(algorithm);
  if (ofPartsBytes === null) {
    return {
      update: (chunk) => whole.update(chunk),
      value: () => Buffer.from(whole.digest()).toString('base64'),
    };
  }
  let part = createDigest(algorithm);
  let [parts, heldBytes] = [0, 0];
  const endPart = (): void => {
    whole.update(part.digest());
    part = createDigest(algorithm);
    parts += 1;
    heldBytes = 0;
  };
  return {
    update: (chunk) => {
      for (let at = 0; at < chunk.byteLength; ) {
        const taken = chunk.subarray(at, at + ofPartsBytes - heldBytes);
        part.update(taken);
        at += taken.byteLength;
        heldBytes += taken.byteLength;
        if (heldBytes === ofPartsBytes) endPart();
      }
    },
    value: () => {
      if (heldBytes > 0) endPart();
      return `${Buffer.from(whole.digest()).toString('base64')}-${parts}`;
    },
  };
}

/** Until somebody uploads something there may be no bucket. */
function emptyWithoutBucket(error: unknown): Record<string, never> {
  if (error instanceof Error && error.name === 'NoSuchBucket') return {};
  throw error;
}

function versionIdOf(given: string | undefined): string | null {
  return given === undefined || given === 'null' ? null : given;
}

/** On Node a body is a stream of chunks. */
function chunksOf(body: unknown): AsyncIterable<Uint8Array> {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) {
    return body as AsyncIterable<Uint8Array>; // it can be iterated, and a response's body gives bytes
  }
  throw new Error('An answer to GET came without a body.');
}
