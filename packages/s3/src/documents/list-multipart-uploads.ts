// ListMultipartUploads answers with `<ListMultipartUploadsResult>`.

import type { ChecksumAlgorithm, ChecksumType } from '../checksums/checksum-algorithms.ts';
import type { EncodingType } from '../list-encoding.ts';
import { writeDocument, writeElement, writeTime } from '../xml-writer.ts';
import { writeCommonPrefixes, writeListed } from './listed-object.ts';
import { type OwnerOf, writeOwner } from './owner.ts';

/** One page of the unfinished uploads of a bucket. */
export interface ListMultipartUploadsDocument {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty: none was asked for. */
  readonly delimiter: string;
  /** Repeated from the request; empty when there was none. */
  readonly keyMarker: string;
  /** Repeated from the request; empty when there was none. */
  readonly uploadIdMarker: string;
  /** Where the next page begins, when there are more. */
  readonly next?: { readonly keyMarker: string; readonly uploadIdMarker: string } | undefined;
  readonly maxUploads: number;
  readonly encodingType?: EncodingType | undefined;
  readonly uploads: readonly ListedUpload[];
  readonly commonPrefixes: readonly string[];
  readonly ownerOf: OwnerOf;
}

/** An upload as the listing shows it. */
export interface ListedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedAtMs: number;
  /** Account that began it. */
  readonly initiator: string;
  /** Account that will own the object. */
  readonly owner: string;
  readonly storageClass: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined;
}

export function writeListMultipartUploadsDocument(page: ListMultipartUploadsDocument): string {
  const { encodingType, next } = page;
  let uploads = '';
  for (const upload of page.uploads) uploads += writeUpload(upload, page);
  return writeDocument(
    'ListMultipartUploadsResult',
    writeElement('Bucket', page.bucket) +
      writeListed('KeyMarker', page.keyMarker, encodingType) +
      writeElement('UploadIdMarker', page.uploadIdMarker) +
      writeListed('NextKeyMarker', next?.keyMarker, encodingType) +
      writeElement('NextUploadIdMarker', next?.uploadIdMarker) +
      writeListed('Prefix', page.prefix, encodingType) +
      writeListed('Delimiter', page.delimiter === '' ? undefined : page.delimiter, encodingType) +
      writeElement('EncodingType', encodingType) +
      writeElement('MaxUploads', page.maxUploads) +
      writeElement('IsTruncated', next !== undefined) +
      uploads +
      writeCommonPrefixes(page.commonPrefixes, encodingType),
  );
}

function writeUpload(upload: ListedUpload, page: ListMultipartUploadsDocument): string {
  return (
    `<Upload>${writeListed('Key', upload.key, page.encodingType)}` +
    writeElement('UploadId', upload.uploadId) +
    writeOwner('Initiator', page.ownerOf(upload.initiator)) +
    writeOwner('Owner', page.ownerOf(upload.owner)) +
    writeElement('StorageClass', upload.storageClass) +
    writeTime('Initiated', upload.initiatedAtMs) +
    writeElement('ChecksumAlgorithm', upload.checksum?.algorithm) +
    writeElement('ChecksumType', upload.checksum?.type) +
    '</Upload>'
  );
}
