// Objects in the catalog: finding the current version, and the operations put, copy and delete.

import type { StagedContent } from '../blobs/staged-content.ts';
import type {
  CopyObject,
  DeleteObject,
  ObjectAddress,
  ObjectAttributes,
  ObjectPart,
  ObjectVersion,
  PutObject,
} from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { StoreError } from '../store-error.ts';
import { findBucket, requireBucket } from './buckets.ts';
import { manifestKey, objectKey } from './index-keys.ts';
import { manifestPart, manifestPartCount } from './manifest.ts';
import type { Operation, Verdict } from './operation.ts';
import { judgePrecondition } from './precondition.ts';
import { type BodyLocation, decodeVersionRow, encodeVersionRow, type VersionRow } from './version-row.ts';

/** A current version as the catalog knows it. */
export interface FoundObject {
  readonly version: ObjectVersion;
  readonly location: BodyLocation;
  /** The manifest's row, when the location is one. */
  readonly manifest: Buffer | undefined;
}

export function findObject(index: IndexReader, address: ObjectAddress): FoundObject | undefined {
  const bucket = findBucket(index, address.bucket);
  const row = bucket === undefined ? undefined : index.get(objectKey(bucket.id, address.key));
  if (row === undefined) return undefined;
  return describe(index, address, decodeVersionRow(row));
}

/** A put without its body's bytes, which travel beside it. */
type PutContent = Omit<PutObject, 'body'> & { readonly sizeBytes: number };

export function putObject(put: PutContent, content: StagedContent): Operation<ObjectVersion> {
  return {
    frees: false,
    bucket: put.bucket,
    content,
    judge(view, moment) {
      const { key, current } = lookUp(view, put);
      if (put.precondition !== undefined) judgePrecondition(put.precondition, current());
      const row: VersionRow = {
        sequence: moment.sequence,
        sizeBytes: put.sizeBytes,
        lastModifiedMs: moment.nowMs,
        etag: put.etag,
        checksum: put.checksum,
        attributes: put.attributes,
        location: locationOfContent(content),
      };
      return versionPut(view, put, { type: 'objectPut', key, row, content });
    },
  };
}

/**
 * @param copied the source's bytes where they are copied rather than shared: small bodies live in their own record.
 */
export function copyObject(copy: CopyObject, copied: StagedContent | undefined): Operation<ObjectVersion> {
  return {
    frees: false,
    bucket: copy.bucket,
    ...(copied === undefined ? {} : { content: copied }),
    judge(view, moment) {
      const { key, current } = lookUp(view, copy);
      const source = lookUp(view, copy.source).current();
      if (source === undefined) throw new StoreError('NoSuchKey', { details: { key: copy.source.key } });
      if (source.sequence !== copy.source.sequence) throw new StoreError('SourceChanged');
      if (copy.precondition !== undefined) judgePrecondition(copy.precondition, current());
      const row: VersionRow = {
        sequence: moment.sequence,
        sizeBytes: source.sizeBytes,
        lastModifiedMs: moment.nowMs,
        etag: copy.etag ?? source.etag,
        checksum: copy.checksum ?? source.checksum,
        attributes: copy.attributes,
        location: copied === undefined ? source.location : locationOfContent(copied),
      };
      return versionPut(view, copy, { type: 'objectCopied', key, row, content: copied });
    },
  };
}

export function deleteObject(remove: DeleteObject): Operation<ObjectVersion | undefined> {
  return {
    frees: true,
    bucket: remove.bucket,
    judge(view) {
      const { key, currentRow } = lookUp(view, remove);
      const row = currentRow();
      const version = row === undefined ? undefined : decodeVersionRow(row);
      if (remove.precondition !== undefined) judgePrecondition(remove.precondition, version);
      if (row === undefined || version === undefined) return { result: undefined };
      return {
        fact: { type: 'objectDeleted', key, row },
        result: describe(view, remove, version).version,
      };
    },
  };
}

/** A version as readers see it. */
export function describeVersion(
  address: ObjectAddress,
  row: Omit<VersionRow, 'location'>,
  manifest?: Buffer,
): ObjectVersion {
  const { sequence, sizeBytes, lastModifiedMs, etag, checksum } = row;
  const { systemMetadata, userMetadata, storageClass, owner }: ObjectAttributes = row.attributes;
  const version = {
    bucket: address.bucket,
    key: address.key,
    versionId: 'null',
    sequence,
    sizeBytes,
    etag,
    lastModifiedMs,
    systemMetadata,
    userMetadata,
    storageClass,
    owner,
    ...(checksum === undefined ? undefined : { checksum }),
  };
  if (manifest === undefined) return version;
  // There may be 10,000 parts, and hardly anyone asks for them.
  let parts: readonly ObjectPart[] | undefined;
  return Object.defineProperty(version, 'parts', {
    get: () => {
      parts ??= describeParts(manifest);
      return parts;
    },
    enumerable: true,
  });
}

/** The parts that a manifest names, as readers see them. */
function describeParts(manifest: Buffer): ObjectPart[] {
  const parts: ObjectPart[] = [];
  for (let index = 0; index < manifestPartCount(manifest); index += 1) {
    const { partNumber, sizeBytes, checksum } = manifestPart(manifest, index);
    const part = { partNumber, sizeBytes };
    parts.push(checksum.length === 0 ? part : { ...part, checksum: checksum.toString('base64') });
  }
  return parts;
}

interface LookedUp {
  readonly key: Buffer;
  /** The row of the current version, to be read only by those who need it. */
  currentRow(): Buffer | undefined;
  current(): VersionRow | undefined;
}

function lookUp(view: IndexReader, address: ObjectAddress): LookedUp {
  const { id } = requireBucket(view, address.bucket);
  const key = objectKey(id, address.key);
  const currentRow = (): Buffer | undefined => view.get(key);
  const current = (): VersionRow | undefined => {
    const row = currentRow();
    return row === undefined ? undefined : decodeVersionRow(row);
  };
  return { key, currentRow, current };
}

function versionPut(
  view: IndexReader,
  address: ObjectAddress,
  put: {
    readonly type: 'objectPut' | 'objectCopied';
    readonly key: Buffer;
    readonly row: VersionRow;
    readonly content: StagedContent | undefined;
  },
): Verdict<ObjectVersion> {
  const { type, key, row, content } = put;
  return {
    fact: { type, key, row: encodeVersionRow(row) },
    ...(content?.kind === 'inline' ? { body: content.bytes } : undefined),
    result: describe(view, address, row).version,
  };
}

function describe(index: IndexReader, address: ObjectAddress, row: VersionRow): FoundObject {
  const { location } = row;
  if (location.kind !== 'manifest') return { version: describeVersion(address, row), location, manifest: undefined };
  const manifest = index.get(manifestKey(location.manifestId));
  if (manifest === undefined) {
    throw new StoreError('Corrupt', {
      message: `The manifest of ${address.bucket}/${address.key} is missing from the index. Rebuild the index.`,
      details: { bucket: address.bucket, key: address.key },
    });
  }
  return { version: describeVersion(address, row, manifest), location, manifest };
}

function locationOfContent(content: StagedContent): BodyLocation {
  if (content.kind === 'blob') return { kind: 'blob', blobId: content.blobId };
  if (content.bytes.length === 0) return { kind: 'empty' };
  return { kind: 'journal', segment: 0, offset: 0, checksums: content.checksums };
}
