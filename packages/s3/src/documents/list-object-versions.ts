// ListObjectVersions answers with `<ListVersionsResult>`. Delete markers are not written: they come with versioning.

import { writeDocument, writeElement, writeEtag, writeTime } from '../xml-writer.ts';
import { type ListedObject, type ListedPage, writeCommonPrefixes, writeListed } from './listed-object.ts';
import { type OwnerOf, writeOwner } from './owner.ts';

/** One page of the versions in a bucket. */
export interface ListObjectVersionsDocument extends Omit<ListedPage, 'objects' | 'isTruncated'> {
  /** Repeated from the request; empty when there was none. */
  readonly keyMarker: string;
  /** Repeated from the request; empty when there was none. */
  readonly versionIdMarker: string;
  /** Where the next page begins, when there are more. `versionIdMarker` is empty after a common prefix. */
  readonly next?: { readonly keyMarker: string; readonly versionIdMarker: string } | undefined;
  readonly versions: readonly ListedVersion[];
  readonly ownerOf: OwnerOf;
}

/** A version as the listing shows it. */
export interface ListedVersion extends ListedObject {
  /** `null` for what was written without versioning. */
  readonly versionId: string;
  /** What a GET without a version id reads. */
  readonly isLatest: boolean;
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
