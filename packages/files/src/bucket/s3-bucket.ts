// A bucket over the AWS SDK, which is loaded when it is first needed: it takes half a second.
// Spec: the S3 API reference. Streams and uploads need `WHEN_REQUIRED`, or other endpoints are sent checksums they do not know.

import type { S3Client } from '@aws-sdk/client-s3';
import type { UploadedPart } from '@stowage/contract';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { FilesLog } from '../log.ts';
import type { Bucket, ObjectFacts, OpenMultipartUpload, ReadOptions } from './bucket.ts';
import { prepareBucket } from './prepare-bucket.ts';
import type { S3Settings } from './s3-settings.ts';
import { errorCode } from './sdk-error.ts';

type S3Module = typeof import('@aws-sdk/client-s3');

interface S3BucketOptions {
  readonly settings: S3Settings;
  readonly limits: FilesLimits;
  readonly log: FilesLog;
  /** Origins of pages that may send bytes to the bucket. */
  readonly origins: readonly string[];
}

/** Pages of one listing that are read at most: 10,000 parts are ten, and a longer answer is a fault of the endpoint. */
const maxPages = 20;

export function openS3Bucket(options: S3BucketOptions): Bucket {
  const { settings, limits } = options;
  const name = settings.bucket;
  let loading: Promise<{ readonly sdk: S3Module; readonly client: S3Client }> | undefined;
  let preparing: Promise<void> | undefined;

  function load(): Promise<{ readonly sdk: S3Module; readonly client: S3Client }> {
    loading ??= import('@aws-sdk/client-s3').then((sdk) => ({ sdk, client: openClient(sdk, settings, limits) }));
    return loading;
  }

  /** Runs one request; `absent` names the error codes that mean that the thing asked for is not there. */
  async function ask<Answer>(
    what: string,
    request: (sdk: S3Module, client: S3Client) => Promise<Answer>,
    absent: readonly string[] = [],
  ): Promise<Answer | undefined> {
    const { sdk, client } = await load();
    try {
      return await request(sdk, client);
    } catch (error) {
      if (absent.includes(errorCode(error))) return undefined;
      throw unavailable(what, error);
    }
  }

  return {
    prepare: () => {
      preparing ??= load()
        .then(({ sdk, client }) => prepareBucket({ sdk, client, ...options }))
        .catch((error: unknown) => {
          preparing = undefined;
          throw unavailable('prepare the bucket', error);
        });
      return preparing;
    },

    head: async (key) => {
      const answer = await ask(
        'read an object’s head',
        (sdk, client) => client.send(new sdk.HeadObjectCommand({ Bucket: name, Key: key, ChecksumMode: 'ENABLED' })),
        ['NotFound', 'NoSuchKey', '404'],
      );
      return answer === undefined ? undefined : factsOf(answer);
    },

    read: async (key, { etag, firstBytes, signal }: ReadOptions) => {
      const answer = await ask(
        'read an object',
        (sdk, client) =>
          client.send(
            new sdk.GetObjectCommand({
              Bucket: name,
              Key: key,
              IfMatch: etag,
              ...(firstBytes === undefined ? {} : { Range: `bytes=0-${firstBytes - 1}` }),
            }),
            signal === undefined ? {} : { abortSignal: signal },
          ),
        ['NotFound', 'NoSuchKey', 'PreconditionFailed', '404', '412'],
      );
      // Under Node the SDK's body is a stream of Buffers.
      return answer === undefined ? undefined : (answer.Body as AsyncIterable<Uint8Array>);
    },

    put: async (key, bytes, contentType) => {
      const answer = await ask(
        'write an object',
        (sdk, client) =>
          client.send(
            new sdk.PutObjectCommand({
              Bucket: name,
              Key: key,
              Body: bytes,
              ContentLength: bytes.byteLength,
              ContentType: contentType,
              IfNoneMatch: '*',
            }),
          ),
        ['PreconditionFailed', 'ConditionalRequestConflict'],
      );
      return answer !== undefined;
    },

    copy: async ({ from, to, contentType }) => {
      const version = from.versionId === null ? '' : `?versionId=${encodeURIComponent(from.versionId)}`;
      const answer = await ask(
        'copy an object',
        (sdk, client) =>
          client
            .send(
              new sdk.CopyObjectCommand({
                Bucket: name,
                Key: to,
                CopySource: `${name}/${from.key.split('/').map(encodeURIComponent).join('/')}${version}`,
                CopySourceIfMatch: from.etag,
                MetadataDirective: 'REPLACE',
                ContentType: contentType,
              }),
            )
            .then(() => 'asked' as const),
        ['NotFound', 'NoSuchKey', 'NoSuchVersion', 'PreconditionFailed', '404', '412'],
      );
      return answer ?? 'source-changed';
    },

    remove: async (key, versionId) => {
      await ask(
        'remove an object',
        (sdk, client) =>
          client.send(
            new sdk.DeleteObjectCommand({
              Bucket: name,
              Key: key,
              ...(versionId === undefined ? {} : { VersionId: versionId }),
            }),
          ),
        ['NotFound', 'NoSuchKey', 'NoSuchVersion', '404'],
      );
    },

    createMultipart: async (key, contentType) => {
      const answer = await ask('begin an upload in parts', (sdk, client) =>
        client.send(new sdk.CreateMultipartUploadCommand({ Bucket: name, Key: key, ContentType: contentType })),
      );
      if (answer?.UploadId === undefined || answer.UploadId === '') {
        throw unavailable('begin an upload in parts', new Error('The answer held no upload id.'));
      }
      return answer.UploadId;
    },

    listParts: async (key, uploadId) => {
      const parts: UploadedPart[] = [];
      let marker: string | undefined;
      for (let page = 0; page < maxPages; page++) {
        const answer = await ask(
          'list the parts of an upload',
          (sdk, client) =>
            client.send(
              new sdk.ListPartsCommand({
                Bucket: name,
                Key: key,
                UploadId: uploadId,
                ...(marker === undefined ? {} : { PartNumberMarker: marker }),
              }),
            ),
          ['NoSuchUpload', '404'],
        );
        if (answer === undefined) return undefined;
        for (const { PartNumber: partNumber, Size: sizeBytes, ETag: etag } of answer.Parts ?? []) {
          if (partNumber !== undefined && sizeBytes !== undefined && etag !== undefined) {
            parts.push({ partNumber, sizeBytes, etag });
          }
        }
        if (answer.IsTruncated !== true) return parts;
        marker = answer.NextPartNumberMarker;
      }
      throw unavailable('list the parts of an upload', new Error(`The list did not end within ${maxPages} pages.`));
    },

    completeMultipart: async (key, uploadId, parts) => {
      await ask('join the parts of an upload', (sdk, client) =>
        client.send(
          new sdk.CompleteMultipartUploadCommand({
            Bucket: name,
            Key: key,
            UploadId: uploadId,
            IfNoneMatch: '*',
            MultipartUpload: { Parts: parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag })) },
          }),
        ),
      );
    },

    abortMultipart: async (key, uploadId) => {
      await ask(
        'abort an upload',
        (sdk, client) =>
          client.send(new sdk.AbortMultipartUploadCommand({ Bucket: name, Key: key, UploadId: uploadId })),
        ['NoSuchUpload', '404'],
      );
    },

    listMultipart: async (key) => {
      const uploads: OpenMultipartUpload[] = [];
      let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
      for (let page = 0; page < maxPages; page++) {
        const answer = await ask('list unfinished uploads', (sdk, client) =>
          client.send(new sdk.ListMultipartUploadsCommand({ Bucket: name, Prefix: key, ...markers })),
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
      throw unavailable('list unfinished uploads', new Error(`The list did not end within ${maxPages} pages.`));
    },

    close: () => {
      void loading?.then(({ client }) => client.destroy());
    },
  };
}

function openClient(sdk: S3Module, settings: S3Settings, limits: FilesLimits): S3Client {
  return new sdk.S3Client({
    endpoint: settings.endpoint,
    region: settings.region,
    credentials: settings.credentials,
    forcePathStyle: settings.forcePathStyle,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    // A gateway whose disks are gone never answers; without these the request would wait for ever.
    requestHandler: {
      connectionTimeout: limits.bucketConnectTimeoutMs,
      requestTimeout: limits.bucketTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: limits.bucketTimeoutMs,
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

type Head = {
  readonly [Field in (typeof checksumFields)[number] | 'ETag' | 'VersionId']?: string | undefined;
} & { readonly ContentLength?: number | undefined };

function factsOf(answer: Head): ObjectFacts {
  if (answer.ContentLength === undefined || answer.ETag === undefined) {
    throw unavailable('read an object’s head', new Error('The answer lacks Content-Length or ETag.'));
  }
  const field = checksumFields.find((candidate) => answer[candidate] !== undefined);
  const value = field === undefined ? undefined : answer[field];
  return {
    sizeBytes: answer.ContentLength,
    etag: answer.ETag,
    // Buckets without versioning say `null` or nothing.
    versionId: answer.VersionId === 'null' ? undefined : answer.VersionId,
    checksum:
      field === undefined || value === undefined ? undefined : { algorithm: field.slice('Checksum'.length), value },
  };
}

function unavailable(what: string, cause: unknown): FilesError {
  return new FilesError('storage-unavailable', {
    detail: `The service could not ${what} in the bucket. Try again in a moment.`,
    retryAfterSeconds: 5,
    cause,
  });
}
