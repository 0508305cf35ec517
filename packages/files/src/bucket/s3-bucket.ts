// A bucket over the AWS SDK, which is loaded when it is first needed: it takes half a second.
// Spec: the S3 API reference. Streams and uploads need `WHEN_REQUIRED`, or other endpoints are sent checksums they do not know.

import type { S3Client } from '@aws-sdk/client-s3';
import type { AnnouncedAlgorithm } from '@stowage/contract';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { FilesLog } from '../log.ts';
import type { Bucket, ObjectFacts, OpenMultipartUpload, StoredPart } from './bucket.ts';
import { copyObject } from './copy-object.ts';
import type { RequestAllowance, RequestGuard } from './guard-requests.ts';
import { prepareBucket } from './prepare-bucket.ts';
import { removeObject } from './remove-object.ts';
import type { S3Settings } from './s3-settings.ts';
import { errorCode } from './sdk-error.ts';

type S3Module = typeof import('@aws-sdk/client-s3');

interface S3BucketOptions {
  readonly settings: S3Settings;
  readonly limits: FilesLimits;
  readonly log: FilesLog;
  /** Origins of pages that may send bytes to the bucket. */
  readonly origins: readonly string[];
  readonly guard: RequestGuard;
}

interface Loaded {
  readonly sdk: S3Module;
  /** For what is answered at once. */
  readonly client: S3Client;
  /** For what the endpoint works on before it answers. */
  readonly patient: S3Client;
}

/** Pages of one listing that are read at most: 10,000 parts are ten, and a longer answer is a fault of the endpoint. */
const maxPages = 20;
const absent = ['NotFound', 'NoSuchKey', 'NoSuchVersion', '404'];

export function openS3Bucket(options: S3BucketOptions): Bucket {
  const { settings, limits, guard } = options;
  const name = settings.bucket;
  const quick = { totalMs: limits.bucketTotalMs, retries: limits.bucketRetries };
  /** What takes effect by itself, or takes long: sent once, and then looked at. */
  const once = { totalMs: limits.bucketWorkMs, retries: 0 };
  let loading: Promise<Loaded> | undefined;
  let preparing: Promise<void> | undefined;

  function load(): Promise<Loaded> {
    loading ??= import('@aws-sdk/client-s3').then((sdk) => ({
      sdk,
      client: openClient(sdk, settings, { ...limits, silenceMs: limits.bucketTimeoutMs }),
      patient: openClient(sdk, settings, { ...limits, silenceMs: limits.bucketWorkMs }),
    }));
    return loading;
  }

  /** Runs one request; `missing` names the error codes that mean that the thing asked for is not there. */
  async function ask<Answer>(
    what: keyof typeof asked,
    request: (loaded: Loaded, send: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
    {
      missing = [],
      allowance = quick,
    }: { readonly missing?: readonly string[]; readonly allowance?: RequestAllowance } = {},
  ): Promise<Answer | undefined> {
    const loaded = await load();
    try {
      return await guard.run(what, allowance, (abortSignal) => request(loaded, { abortSignal }));
    } catch (error) {
      if (missing.includes(errorCode(error))) return undefined;
      throw isFilesError(error) ? error : unavailable(asked[what], error);
    }
  }

  return {
    prepare: () => {
      preparing ??= ask('prepare', ({ sdk, client }) => prepareBucket({ sdk, client, ...options })).catch(
        (error: unknown) => {
          preparing = undefined;
          throw error;
        },
      );
      return preparing;
    },

    head: async ({ key, versionId }) => {
      const answer = await ask(
        'head',
        ({ sdk, client }, send) =>
          client.send(
            new sdk.HeadObjectCommand({ Bucket: name, Key: key, ChecksumMode: 'ENABLED', ...versionOf(versionId) }),
            send,
          ),
        { missing: absent },
      );
      return answer === undefined ? undefined : factsOf(answer);
    },

    read: async ({ key, versionId }, { etag, firstBytes, fromByte = 0, signal }) => {
      const answer = await ask(
        'read',
        ({ sdk, client }) =>
          client.send(
            new sdk.GetObjectCommand({
              Bucket: name,
              Key: key,
              IfMatch: etag,
              ...versionOf(versionId),
              ...(firstBytes === undefined ? {} : { Range: `bytes=${fromByte}-${fromByte + firstBytes - 1}` }),
            }),
            // The guard's time is for the answer to begin; the body may take its own.
            signal === undefined ? {} : { abortSignal: signal },
          ),
        { missing: [...absent, 'PreconditionFailed', '412'] },
      );
      if (fromByte > 0 && answer !== undefined && answer.ContentRange?.startsWith(`bytes ${fromByte}-`) !== true) {
        throw new FilesError('storage-unavailable', {
          detail: `The bucket was asked for bytes from ${fromByte} on and gave ${answer.ContentRange ?? 'all of them'}.`,
        });
      }
      // Under Node the SDK's body is a stream of Buffers.
      return answer === undefined ? undefined : (answer.Body as AsyncIterable<Uint8Array>);
    },

    put: async (key, bytes, contentType) => {
      const answer = await ask(
        'put',
        ({ sdk, client }, send) =>
          client.send(
            new sdk.PutObjectCommand({
              Bucket: name,
              Key: key,
              Body: bytes,
              ContentLength: bytes.byteLength,
              ContentType: contentType,
              IfNoneMatch: '*',
            }),
            send,
          ),
        { missing: ['PreconditionFailed', 'ConditionalRequestConflict'] },
      );
      return answer !== undefined;
    },

    copy: async (request) => {
      const outcome = await ask(
        'copy',
        ({ sdk, patient: client }, { abortSignal: signal }) =>
          copyObject(request, { sdk, client, bucket: name, limits, signal }),
        { allowance: once },
      );
      return outcome ?? 'source-changed';
    },

    remove: async (key) => {
      await ask(
        'remove',
        ({ sdk, client }, { abortSignal: signal }) => removeObject(key, { sdk, client, bucket: name, signal }),
        { missing: absent },
      );
    },

    listKeys: async (prefix, after) => {
      const answer = await ask('list', ({ sdk, client }, send) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: name,
            Prefix: prefix,
            ...(after === undefined ? {} : { StartAfter: after }),
          }),
          send,
        ),
      );
      return (answer?.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    },

    createMultipart: async (key, contentType, checksum) => {
      const answer = await ask('createMultipart', ({ sdk, client }, send) =>
        client.send(
          new sdk.CreateMultipartUploadCommand({
            Bucket: name,
            Key: key,
            ContentType: contentType,
            ...(checksum === undefined
              ? {}
              : {
                  ChecksumAlgorithm: checksumNames[checksum.algorithm],
                  // Of CRC64NVME there is no other kind.
                  ChecksumType: checksum.algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE',
                }),
          }),
          send,
        ),
      );
      if (answer?.UploadId === undefined || answer.UploadId === '') {
        throw unavailable(asked.createMultipart, new Error('The answer held no upload id.'));
      }
      return answer.UploadId;
    },

    listParts: async (key, uploadId) => {
      const parts: StoredPart[] = [];
      let marker: string | undefined;
      for (let page = 0; page < maxPages; page++) {
        const answer = await ask(
          'listParts',
          ({ sdk, client }, send) =>
            client.send(
              new sdk.ListPartsCommand({
                Bucket: name,
                Key: key,
                UploadId: uploadId,
                ...(marker === undefined ? {} : { PartNumberMarker: marker }),
              }),
              send,
            ),
          { missing: ['NoSuchUpload', '404'] },
        );
        if (answer === undefined) return undefined;
        for (const part of answer.Parts ?? []) {
          const { PartNumber: partNumber, Size: sizeBytes, ETag: etag } = part;
          if (partNumber === undefined || sizeBytes === undefined || etag === undefined) continue;
          const checksum = checksumOf(part);
          parts.push({ partNumber, sizeBytes, etag, ...(checksum === undefined ? {} : { checksum }) });
        }
        if (answer.IsTruncated !== true) return parts;
        marker = answer.NextPartNumberMarker;
      }
      throw unavailable(asked.listParts, new Error(`The list did not end within ${maxPages} pages.`));
    },

    completeMultipart: async (key, uploadId, parts, checksum) => {
      await ask(
        'completeMultipart',
        ({ sdk, patient }, send) =>
          patient.send(
            new sdk.CompleteMultipartUploadCommand({
              Bucket: name,
              Key: key,
              UploadId: uploadId,
              IfNoneMatch: '*',
              ...(checksum === undefined || checksum.value === null
                ? {}
                : { [`Checksum${checksumNames[checksum.algorithm]}`]: checksum.value, ChecksumType: 'FULL_OBJECT' }),
              MultipartUpload: {
                Parts: parts.map((part) => ({
                  PartNumber: part.partNumber,
                  ETag: part.etag,
                  ...(part.checksum === undefined || checksum === undefined
                    ? {}
                    : { [`Checksum${part.checksum.algorithm}`]: part.checksum.value }),
                })),
              },
            }),
            send,
          ),
        { allowance: { ...once, retries: limits.bucketRetries } },
      );
    },

    abortMultipart: async (key, uploadId) => {
      await ask(
        'abortMultipart',
        ({ sdk, client }, send) =>
          client.send(new sdk.AbortMultipartUploadCommand({ Bucket: name, Key: key, UploadId: uploadId }), send),
        { missing: ['NoSuchUpload', '404'] },
      );
    },

    listMultipart: async (key) => {
      const uploads: OpenMultipartUpload[] = [];
      let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
      for (let page = 0; page < maxPages; page++) {
        const answer = await ask('listMultipart', ({ sdk, client }, send) =>
          client.send(new sdk.ListMultipartUploadsCommand({ Bucket: name, Prefix: key, ...markers }), send),
        );
        for (const upload of answer?.Uploads ?? []) {
          if (upload.Key === key && upload.UploadId !== undefined) uploads.push({ key, uploadId: upload.UploadId });
        }
        if (answer?.IsTruncated !== true) return uploads;
        markers = {
          ...(answer.NextKeyMarker === undefined ? {} : { KeyMarker: answer.NextKeyMarker }),
          ...(answer.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: answer.NextUploadIdMarker }),
        };
      }
      throw unavailable(asked.listMultipart, new Error(`The list did not end within ${maxPages} pages.`));
    },

    close: () => {
      guard.close();
      void loading?.then(({ client, patient }) => {
        client.destroy();
        patient.destroy();
      });
    },
  };
}

/** What the service could not do, for whoever asked. */
const asked = {
  prepare: 'make the bucket ready',
  head: 'read an object’s head',
  read: 'read an object',
  put: 'write an object',
  copy: 'copy an object',
  remove: 'remove an object',
  list: 'list objects',
  createMultipart: 'begin an upload in parts',
  listParts: 'list the parts of an upload',
  completeMultipart: 'join the parts of an upload',
  abortMultipart: 'abort an upload',
  listMultipart: 'list unfinished uploads',
} as const;

const checksumNames = { crc32: 'CRC32', crc64nvme: 'CRC64NVME', sha256: 'SHA256' } as const satisfies Record<
  AnnouncedAlgorithm,
  string
>;

function versionOf(versionId: string | null): { readonly VersionId?: string } {
  return versionId === null ? {} : { VersionId: versionId };
}

/** No checksums but those that are asked for: Ceph answers them with 411, or stores their framing as data. */
function openClient(
  sdk: S3Module,
  settings: S3Settings,
  { bucketConnectTimeoutMs, silenceMs }: FilesLimits & { readonly silenceMs: number },
): S3Client {
  return new sdk.S3Client({
    endpoint: settings.endpoint,
    region: settings.region,
    credentials: settings.credentials,
    forcePathStyle: settings.forcePathStyle,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The guard tries again, out of a budget and in sight of the circuit.
    maxAttempts: 1,
    // A gateway whose disks are gone never answers; without these the request would wait for ever.
    requestHandler: {
      connectionTimeout: bucketConnectTimeoutMs,
      requestTimeout: silenceMs,
      throwOnRequestTimeout: true,
      socketTimeout: silenceMs,
    },
  });
}

const checksumFields = [
  'ChecksumCRC64NVME',
  'ChecksumCRC32C',
  'ChecksumCRC32',
  'ChecksumSHA256',
  'ChecksumSHA1',
] as const;

type Checksums = { readonly [Field in (typeof checksumFields)[number]]?: string | undefined };
type Head = Checksums & {
  readonly [Field in 'ETag' | 'VersionId' | 'ChecksumType']?: string | undefined;
} & { readonly ContentLength?: number | undefined };

function factsOf(answer: Head): ObjectFacts {
  if (answer.ContentLength === undefined || answer.ETag === undefined) {
    throw unavailable('read an object’s head', new Error('The answer lacks Content-Length or ETag.'));
  }
  const checksum = checksumOf(answer);
  return {
    sizeBytes: answer.ContentLength,
    etag: answer.ETag,
    // Buckets without versioning say `null` or nothing.
    versionId: answer.VersionId === 'null' ? undefined : answer.VersionId,
    checksum:
      checksum === undefined
        ? undefined
        : { ...checksum, composite: answer.ChecksumType === 'COMPOSITE' || /-\d+$/.test(checksum.value) },
  };
}

function checksumOf(answer: Checksums): { readonly algorithm: string; readonly value: string } | undefined {
  const field = checksumFields.find((candidate) => answer[candidate] !== undefined);
  const value = field === undefined ? undefined : answer[field];
  return field === undefined || value === undefined ? undefined : { algorithm: field.slice('Checksum'.length), value };
}

function unavailable(what: string, cause: unknown): FilesError {
  return new FilesError('storage-unavailable', {
    detail: `The service could not ${what} at the object storage. Try again in a moment.`,
    retryAfterSeconds: 5,
    cause,
  });
}
