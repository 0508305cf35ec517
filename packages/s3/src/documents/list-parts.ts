// ListParts answers with `<ListPartsResult>`.

import type { ChecksumAlgorithm, ChecksumType } from '../checksums/checksum-algorithms.ts';
import { writeDocument, writeElement, writeEtag, writeTime } from '../xml-writer.ts';
import { writeChecksumValue } from './object-checksum.ts';
import { type Owner, writeOwner } from './owner.ts';

/** One page of the parts of an upload. */
export interface ListPartsDocument {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  readonly initiator: Owner;
  readonly owner: Owner;
  readonly storageClass: string;
  /** Repeated from the request; 0 when there was none. */
  readonly partNumberMarker: number;
  /** The number of the last part of this page, when there are more. */
  readonly nextPartNumberMarker?: number | undefined;
  readonly maxParts: number;
  /** What the upload is checked with. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined;
  readonly parts: readonly ListedPart[];
}

/** A part as the listing shows it. */
export interface ListedPart {
  readonly partNumber: number;
  readonly lastModifiedMs: number;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** base64, of the upload's algorithm. */
  readonly checksum?: string;
}

export function writeListPartsDocument(page: ListPartsDocument): string {
  const { checksum } = page;
  let parts = '';
  for (const part of page.parts) {
    parts +=
      `<Part><PartNumber>${part.partNumber}</PartNumber>` +
      writeTime('LastModified', part.lastModifiedMs) +
      writeEtag(part.etag) +
      `<Size>${part.sizeBytes}</Size>` +
      (checksum === undefined ? '' : writeChecksumValue(checksum.algorithm, part.checksum)) +
      '</Part>';
  }
  return writeDocument(
    'ListPartsResult',
    writeElement('Bucket', page.bucket) +
      writeElement('Key', page.key) +
      writeElement('UploadId', page.uploadId) +
      writeOwner('Initiator', page.initiator) +
      writeOwner('Owner', page.owner) +
      writeElement('StorageClass', page.storageClass) +
      writeElement('PartNumberMarker', page.partNumberMarker) +
      writeElement('NextPartNumberMarker', page.nextPartNumberMarker) +
      writeElement('MaxParts', page.maxParts) +
      writeElement('IsTruncated', page.nextPartNumberMarker !== undefined) +
      writeElement('ChecksumAlgorithm', checksum?.algorithm) +
      writeElement('ChecksumType', checksum?.type) +
      parts,
  );
}
