// ListObjectsV2 answers with `<ListBucketResult>`, a count and continuation tokens.

import { writeDocument, writeElement } from '../xml-writer.ts';
import { type ListedPage, writeContents, writeListed } from './listed-object.ts';
import type { OwnerOf } from './owner.ts';

/** One page of version 2. */
export interface ListObjectsV2Document extends ListedPage {
  /** Repeated from the request. */
  readonly startAfter?: string | undefined;
  /** Repeated from the request. */
  readonly continuationToken?: string | undefined;
  /** Where the next page begins; there exactly when the page is truncated. */
  readonly nextContinuationToken?: string | undefined;
  /** Given when the request asks `fetch-owner=true`. */
  readonly ownerOf?: OwnerOf | undefined;
}

export function writeListObjectsV2Document(page: ListObjectsV2Document): string {
  const { encodingType } = page;
  return writeDocument(
    'ListBucketResult',
    writeElement('Name', page.bucket) +
      writeListed('Prefix', page.prefix, encodingType) +
      writeListed('StartAfter', page.startAfter, encodingType) +
      writeElement('ContinuationToken', page.continuationToken) +
      writeElement('NextContinuationToken', page.nextContinuationToken) +
      writeElement('KeyCount', page.objects.length + page.commonPrefixes.length) +
      writeElement('MaxKeys', page.maxKeys) +
      writeListed('Delimiter', page.delimiter === '' ? undefined : page.delimiter, encodingType) +
      writeElement('EncodingType', encodingType) +
      writeElement('IsTruncated', page.isTruncated) +
      writeContents(page, page.ownerOf),
  );
}
