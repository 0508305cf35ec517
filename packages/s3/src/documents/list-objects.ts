// ListObjects (version 1) answers with `<ListBucketResult>` and markers.

import { writeDocument, writeElement } from '../xml-writer.ts';
import { type ListedPage, writeContents, writeListed } from './listed-object.ts';
import type { OwnerOf } from './owner.ts';

/** One page of version 1. */
export interface ListObjectsDocument extends ListedPage {
  /** Repeated from the request; empty when there was none. */
  readonly marker: string;
  /** Where the next page begins. S3 tells it only when a delimiter was given; otherwise it is the last key. */
  readonly nextMarker?: string | undefined;
  /** Version 1 always shows owners. */
  readonly ownerOf: OwnerOf;
}

export function writeListObjectsDocument(page: ListObjectsDocument): string {
  const { encodingType } = page;
  return writeDocument(
    'ListBucketResult',
    writeElement('Name', page.bucket) +
      // Version 1 shows the prefix as it came even with `encoding-type=url`; SDKs do not decode it there.
      writeElement('Prefix', page.prefix) +
      writeListed('Marker', page.marker, encodingType) +
      writeListed('NextMarker', page.nextMarker, encodingType) +
      writeElement('MaxKeys', page.maxKeys) +
      writeListed('Delimiter', page.delimiter === '' ? undefined : page.delimiter, encodingType) +
      writeElement('EncodingType', encodingType) +
      writeElement('IsTruncated', page.isTruncated) +
      writeContents(page, page.ownerOf),
  );
}
