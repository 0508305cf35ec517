// ListObjectVersions answers with `<ListVersionsResult>`. Delete markers come with versioning.

import type { ChecksumAlgorithm, ChecksumType } from '../checksums/checksum-algorithms.ts';
import type { EncodingType } from '../list-encoding.ts';
import { writeDocument, writeElement, writeEtag, writeTime } from '../xml-writer.ts';
import { writeCommonPrefixes, writeListed } from './listed-object.ts';
import { type OwnerOf, writeOwner } from './owner.ts';

/** One page of the versions in a bucket. */
export interface ListObjectVersionsDocument {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty: none was asked for. */
  readonly delimiter: string;
  /** Repeated from the request; empty when there was none. */
  readonly keyMarker: string;
  /** Repeated from the request; empty when there was none. */
  readonly versionIdMarker: string;
  /** Where the next page begins, when there are more. The version is empty after a common prefix. */
  readonly next?: { readonly keyMarker: string; readonly versionIdMarker: string } | undefined;
  readonly maxKeys: number;
  readonly encodingType?: EncodingType | undefined;
  readonly versions: readonly ListedVersion[];
  readonly commonPrefixes: readonly string[];
  readonly ownerOf: OwnerOf;
}

/** A version as the listing shows it. */
export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly lastModifiedMs: number;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly storageClass: string;
  /** Account that owns it. */
  readonly owner: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

export function writeListObjectVersionsDocument(page: ListObjectVersionsDocument): string {
  const { encodingType, next } = page;
  let versions = '';
  for (const version of page.versions) versions += writeVersion(version, page);
  return writeDocument(
    'ListVersionsResult',
    writeElement('Name', page.bucket) +
      writeListed('Prefix', page.prefix, encodingType) +
      writeListed('KeyMarker', page.keyMarker, encodingType) +
      writeElement('VersionIdMarker', page.versionIdMarker) +
      writeListed('NextKeyMarker', next?.keyMarker, encodingType) +
      writeElement('NextVersionIdMarker', next?.versionIdMarker === '' ? undefined : next?.versionIdMarker) +
      writeElement('MaxKeys', page.maxKeys) +
      writeListed('Delimiter', page.delimiter === '' ? undefined : page.delimiter, encodingType) +
      writeElement('EncodingType', encodingType) +
      writeElement('IsTruncated', next !== undefined) +
      versions +
      writeCommonPrefixes(page.commonPrefixes, encodingType),
  );
}

function writeVersion(version: ListedVersion, page: ListObjectVersionsDocument): string {
  return (
    `<Version>${writeListed('Key', version.key, page.encodingType)}` +
    writeElement('VersionId', version.versionId) +
    writeElement('IsLatest', version.isLatest) +
    writeTime('LastModified', version.lastModifiedMs) +
    writeEtag(version.etag) +
    writeElement('ChecksumAlgorithm', version.checksum?.algorithm) +
    writeElement('ChecksumType', version.checksum?.type) +
    writeElement('Size', version.sizeBytes) +
    writeElement('StorageClass', version.storageClass) +
    `${writeOwner('Owner', page.ownerOf(version.owner))}</Version>`
  );
}
