// Requests for a bucket's multipart uploads, and what their answers mean.
// Spec: CreateMultipartUpload, ListParts, CompleteMultipartUpload, AbortMultipartUpload, ListMultipartUploads.

import type { FilesLimits } from '../limits.ts';
import type { Bucket, OpenMultipartUpload, StoredPart } from './bucket.ts';
import { type BucketRequests, unavailable } from './bucket-requests.ts';
import { checksumNames, checksumOf } from './object-facts.ts';

type MultipartUploads = Pick<
  Bucket,
  'createMultipart' | 'listParts' | 'completeMultipart' | 'abortMultipart' | 'listMultipart'
>;

/** Pages of one listing that are read at most: 10,000 parts are ten, and a longer answer is a fault of the endpoint. */
const maxPages = 20;

export function openMultipartUploads({ ask, bucket }: BucketRequests, limits: FilesLimits): MultipartUploads {
  /** The join may take long; it is safe to ask for again. */
  const patience = { totalMs: limits.bucketWorkMs, retries: limits.bucketRetries };

  return {
    createMultipart: async (key, contentType, checksum) => {
      const answer = await ask('createMultipart', ({ sdk, client }, send) =>
        client.send(
          new sdk.CreateMultipartUploadCommand({
            Bucket: bucket,
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
        throw unavailable('createMultipart', new Error('The answer held no upload id.'));
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
                Bucket: bucket,
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
      throw unavailable('listParts', new Error(`The list did not end within ${maxPages} pages.`));
    },

    completeMultipart: async (key, uploadId, parts, checksum) => {
      const answer = await ask(
        'completeMultipart',
        ({ sdk, patient }, send) =>
          patient.send(
            new sdk.CompleteMultipartUploadCommand({
              Bucket: bucket,
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
        { allowance: patience, missing: checksum === undefined ? [] : ['BadDigest'] },
      );
      return answer !== undefined;
    },

    abortMultipart: async (key, uploadId) => {
      await ask(
        'abortMultipart',
        ({ sdk, client }, send) =>
          client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }), send),
        { missing: ['NoSuchUpload', '404'] },
      );
    },

    listMultipart: async (key) => {
      const uploads: OpenMultipartUpload[] = [];
      let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
      for (let page = 0; page < maxPages; page++) {
        const answer = await ask('listMultipart', ({ sdk, client }, send) =>
          client.send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, ...markers }), send),
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
      throw unavailable('listMultipart', new Error(`The list did not end within ${maxPages} pages.`));
    },
  };
}
