// Multipart uploads in the catalog: finding, listing parts, and the operations create, put part and abort.
// Completing is completion.ts; listing uploads is upload-listing.ts.

import type { StagedContent } from '../blobs/staged-content.ts';
import type {
  CreateUpload,
  ListPartsPage,
  MultipartUpload,
  Part,
  PartList,
  PutPart,
  UploadAddress,
} from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import { findBucket, requireBucket } from './buckets.ts';
import { afterKey, partKey, partNumberOf, uploadKey } from './index-keys.ts';
import type { Operation } from './operation.ts';
import {
  decodePartRow,
  decodeUploadRow,
  encodePartRow,
  encodeUploadRow,
  formUploadId,
  type PartRow,
  sequenceOfUploadId,
  type UploadRow,
  uploadIdRandomBytes,
} from './upload-rows.ts';

/** The highest part number of S3. */
const maxPartNumber = 10_000;

interface FoundUpload {
  readonly key: Buffer;
  /** Names the upload in the keys of its parts. */
  readonly sequence: number;
  readonly row: UploadRow;
}

export function findUpload(index: IndexReader, address: UploadAddress): FoundUpload | undefined {
  const bucket = findBucket(index, address.bucket);
  const sequence = sequenceOfUploadId(address.uploadId);
  if (bucket === undefined || sequence === undefined) return undefined;
  const key = uploadKey(bucket.id, address.key, sequence);
  const bytes = index.get(key);
  const row = bytes === undefined ? undefined : decodeUploadRow(bytes);
  return row?.uploadId === address.uploadId ? { key, sequence, row } : undefined;
}

export function describeUpload(bucket: string, key: string, row: UploadRow): MultipartUpload {
  const { uploadId, initiatedAtMs, initiator, attributes, checksum } = row;
  const upload = { bucket, key, uploadId, initiatedAtMs, initiator, attributes };
  return checksum === undefined ? upload : { ...upload, checksum };
}

export function listParts(index: IndexReader, page: ListPartsPage): PartList {
  const { sequence } = requireUpload(index, page);
  const parts: Part[] = [];
  let more = false;
  if (page.limit < 1 || page.after >= maxPartNumber) return { parts };
  const from = partKey(sequence, Math.max(page.after, 0) + 1);
  index.scan({ from, to: afterKey(partKey(sequence, maxPartNumber)) }, (key, value) => {
    more = parts.length === page.limit;
    if (!more) parts.push(describePart(partNumberOf(key), decodePartRow(value)));
    return !more;
  });
  const last = parts.at(-1);
  return more && last !== undefined ? { parts, next: last.partNumber } : { parts };
}

export function createUpload(create: CreateUpload): Operation<MultipartUpload> {
  return {
    frees: false,
    bucket: create.bucket,
    judge(view, moment) {
      const { id } = requireBucket(view, create.bucket);
      const row: UploadRow = {
        uploadId: formUploadId(moment.sequence, moment.random(uploadIdRandomBytes)),
        initiatedAtMs: moment.nowMs,
        initiator: create.initiator,
        attributes: create.attributes,
        checksum: create.checksum,
      };
      const key = uploadKey(id, create.key, moment.sequence);
      return {
        fact: { type: 'uploadCreated', key, row: encodeUploadRow(row) },
        result: describeUpload(create.bucket, create.key, row),
      };
    },
  };
}

/** A part without its bytes, which travel beside it. */
type PutPartContent = Omit<PutPart, 'body'> & { readonly sizeBytes: number };

export function putPart(put: PutPartContent, content: StagedContent & { readonly kind: 'blob' }): Operation<Part> {
  return {
    frees: false,
    bucket: put.bucket,
    content,
    judge(view, { nowMs }) {
      const { partNumber, etag, checksum = '' } = put;
      if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > maxPartNumber) {
        throw new RangeError(`A part number is from 1 to ${maxPartNumber}; this one is ${partNumber}.`);
      }
      const { sequence } = requireUpload(view, put);
      const { blobId } = content;
      const row: PartRow = { blobId, sizeBytes: put.sizeBytes, lastModifiedMs: nowMs, etag, checksum };
      return {
        fact: { type: 'partPut', key: partKey(sequence, partNumber), row: encodePartRow(row) },
        result: describePart(partNumber, row),
      };
    },
  };
}

export function abortUpload(address: UploadAddress): Operation<void> {
  return {
    frees: true,
    bucket: address.bucket,
    judge(view) {
      const { key, row } = requireUpload(view, address);
      return { fact: { type: 'uploadAborted', key, row: encodeUploadRow(row) }, result: undefined };
    },
  };
}

function requireUpload(index: IndexReader, address: UploadAddress): FoundUpload {
  const upload = findUpload(index, address);
  if (upload === undefined) throw new StoreError('NoSuchUpload', { details: { uploadId: address.uploadId } });
  return upload;
}

function describePart(partNumber: number, row: PartRow): Part {
  const { sizeBytes, etag, checksum, lastModifiedMs } = row;
  const part = { partNumber, sizeBytes, etag, lastModifiedMs };
  return checksum === '' ? part : { ...part, checksum };
}
