// Completes a multipart upload: holds the named parts against the stored ones and makes them one object by a manifest.
// No byte is copied or read. Spec: CompleteMultipartUpload.

import { createDigest, multipartChecksum } from '@stowage/s3';
import type { CompletedPart, CompleteUpload, ObjectChecksum, ObjectVersion } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import { findBucket } from './buckets.ts';
import { manifestKey, objectKey, partKey } from './index-keys.ts';
import { completionHashOf, encodeManifest, type ManifestPart } from './manifest.ts';
import { describeVersion, findObject } from './objects.ts';
import type { Operation } from './operation.ts';
import { judgePrecondition } from './precondition.ts';
import { decodePartRow, type PartRow, sequenceOfUploadId, type UploadRow } from './upload-rows.ts';
import { findUpload } from './uploads.ts';
import { decodeVersionRow, encodeVersionRow, type VersionRow } from './version-row.ts';

export function completeUpload(complete: CompleteUpload): Operation<ObjectVersion> {
  const completionHash = hashCompletion(complete.parts);
  return {
    frees: false,
    bucket: complete.bucket,
    judge(view, moment) {
      const upload = findUpload(view, complete);
      if (upload === undefined) return { result: findCompleted(view, complete, completionHash) };
      const stored = takeParts(view, complete, upload.sequence);
      const checksum = objectChecksum(complete, upload.row, stored);
      const key = objectKey(bucketIdOfUpload(view, complete), complete.key);
      const current = view.get(key);
      if (complete.precondition !== undefined) {
        judgePrecondition(complete.precondition, current === undefined ? undefined : decodeVersionRow(current));
      }
      const parts = layOut(stored, checksum !== undefined);
      const manifest = encodeManifest({ completionHash, checksumSizeBytes: parts[0]?.checksum.length ?? 0, parts });
      const row: VersionRow = {
        sequence: moment.sequence,
        sizeBytes: stored.reduce((total, part) => total + part.row.sizeBytes, 0),
        lastModifiedMs: moment.nowMs,
        etag: etagOfParts(stored),
        checksum,
        attributes: upload.row.attributes,
        location: { kind: 'manifest', manifestId: upload.sequence },
      };
      return {
        fact: { type: 'uploadCompleted', key, row: encodeVersionRow(row), manifest },
        result: describeVersion(complete, row, manifest),
      };
    },
  };
}

interface StoredPart {
  readonly partNumber: number;
  readonly row: PartRow;
}

/** The answer to a completion that was already made: the same version, while it is current. */
function findCompleted(view: IndexReader, complete: CompleteUpload, completionHash: Buffer): ObjectVersion {
  const sequence = sequenceOfUploadId(complete.uploadId);
  const found = sequence === undefined ? undefined : findObject(view, complete);
  const manifest = sequence === undefined ? undefined : view.get(manifestKey(sequence));
  const completed =
    found !== undefined &&
    manifest !== undefined &&
    found.location.kind === 'manifest' &&
    found.location.manifestId === sequence &&
    completionHashOf(manifest).equals(completionHash);
  if (!completed) throw new StoreError('NoSuchUpload', { details: { uploadId: complete.uploadId } });
  return found.version;
}

/** The stored parts that the client names, in its order. */
function takeParts(view: IndexReader, complete: CompleteUpload, uploadSequence: number): StoredPart[] {
  if (complete.parts.length === 0) throw new StoreError('InvalidPart', { message: 'No part is named.' });
  let last = 0;
  for (const { partNumber } of complete.parts) {
    if (partNumber <= last) throw new StoreError('InvalidPartOrder', { details: { partNumber: String(partNumber) } });
    last = partNumber;
  }
  const stored = complete.parts.map((part) => takePart(view, part, uploadSequence));
  let sizeBytes = 0;
  for (const [index, { partNumber, row }] of stored.entries()) {
    sizeBytes += row.sizeBytes;
    if (index < stored.length - 1 && row.sizeBytes < complete.minPartSizeBytes) {
      throw new StoreError('PartTooSmall', {
        details: {
          partNumber: String(partNumber),
          etag: row.etag,
          sizeBytes: String(row.sizeBytes),
          minSizeBytes: String(complete.minPartSizeBytes),
        },
      });
    }
  }
  if (sizeBytes > complete.maxSizeBytes) {
    throw new StoreError('BodyTooLarge', {
      details: { sizeBytes: String(sizeBytes), maxSizeBytes: String(complete.maxSizeBytes) },
    });
  }
  return stored;
}

function takePart(view: IndexReader, part: CompletedPart, uploadSequence: number): StoredPart {
  const inRange = part.partNumber >= 1 && part.partNumber <= 0xffff;
  const bytes = inRange ? view.get(partKey(uploadSequence, part.partNumber)) : undefined;
  const row = bytes === undefined ? undefined : decodePartRow(bytes);
  const matches = row?.etag === part.etag && (part.checksum === undefined || part.checksum === row.checksum);
  if (row === undefined || !matches) {
    throw new StoreError('InvalidPart', { details: { partNumber: String(part.partNumber), etag: part.etag } });
  }
  return { partNumber: part.partNumber, row };
}

/** The object's checksum, if every part has one of the upload's algorithm. */
function objectChecksum(
  complete: CompleteUpload,
  upload: UploadRow,
  parts: readonly StoredPart[],
): ObjectChecksum | undefined {
  if (upload.checksum === undefined || parts.some(({ row }) => row.checksum === '')) {
    if (complete.checksum !== undefined) throw new StoreError('ChecksumMismatch', { details: { computed: 'none' } });
    return undefined;
  }
  const { algorithm, type } = upload.checksum;
  const value = multipartChecksum(
    algorithm,
    type,
    parts.map(({ row }) => ({ checksum: Buffer.from(row.checksum, 'base64'), sizeBytes: row.sizeBytes })),
  );
  const computed = value.replace(/-\d+$/, '');
  if (complete.checksum !== undefined && complete.checksum !== computed) {
    throw new StoreError('ChecksumMismatch', { details: { claimed: complete.checksum, computed } });
  }
  return { algorithm, type, value };
}

function layOut(stored: readonly StoredPart[], withChecksums: boolean): ManifestPart[] {
  let start = 0;
  return stored.map(({ partNumber, row }) => {
    const checksum = Buffer.from(withChecksums ? row.checksum : '', 'base64');
    const part: ManifestPart = { partNumber, start, sizeBytes: row.sizeBytes, blobId: row.blobId, checksum };
    start += row.sizeBytes;
    return part;
  });
}

function etagOfParts(parts: readonly StoredPart[]): string {
  const digest = createDigest('MD5');
  for (const { row } of parts) digest.update(Buffer.from(row.etag, 'hex'));
  return `${Buffer.from(digest.digest()).toString('hex')}-${parts.length}`;
}

/** What tells one completion of an upload from another: the parts and ETags that are named. */
function hashCompletion(parts: readonly CompletedPart[]): Buffer {
  const digest = createDigest('MD5');
  digest.update(Buffer.from(parts.map(({ partNumber, etag }) => `${partNumber} ${etag}\n`).join('')));
  return Buffer.from(digest.digest());
}

function bucketIdOfUpload(view: IndexReader, complete: CompleteUpload): number {
  const bucket = findBucket(view, complete.bucket);
  if (bucket === undefined) throw new Error('An upload was found in a bucket that is not there.');
  return bucket.id;
}
